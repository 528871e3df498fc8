"""The disk is full, fails or is slow: nothing promised is lost, and it goes on by itself."""

import asyncio
import subprocess
import time

import pytest
from tests.faults.cases import HURRIED, chosen
from tests.faults.checks import (
    check_folder,
    check_receipts,
    check_recovered,
    check_stopped,
    until,
    until_merged,
    wait_for_the_end_of,
)
from tests.faults.injected import SLOW_DELAY_US, injected
from tests.faults.senders import Ledger, Sender, load, load_until, send_open

LASTS_S = 1.5
NEWCOMERS = [f"newcomer-{number}" for number in range(500)]

# What is injected, and into which calls on which files.
FAULTS = {
    "commit-write-ENOSPC": ("pwrite64", "error=ENOSPC", ("state.db-wal",)),
    "commit-write-EIO": ("pwrite64", "error=EIO", ("state.db-wal",)),
    "commit-sync-EIO": ("fdatasync,fsync", "error=EIO", ("state.db-wal",)),
    "sync-EIO": ("fsync,fdatasync", "error=EIO", ()),
    "sync-EIO-every-other": ("fsync,fdatasync", "error=EIO:when=1+2", ()),
    "sync-ENOSPC": ("fsync,fdatasync", "error=ENOSPC", ()),
    "sync-all-EIO": ("syncfs", "error=EIO", ()),
    "sync-all-EIO-every-other": ("syncfs", "error=EIO:when=1+2", ()),
    "rename-ENOSPC": ("rename,renameat,renameat2", "error=ENOSPC", ()),
    "rename-EIO": ("rename,renameat,renameat2", "error=EIO", ()),
    "rename-EIO-every-third": ("rename,renameat,renameat2", "error=EIO:when=3+3", ()),
    "delete-EIO": ("unlink,unlinkat", "error=EIO", ()),
    "folder-ENOSPC": ("mkdir,mkdirat", "error=ENOSPC", ()),
    "log-write-ENOSPC": ("pwrite64", "error=ENOSPC", ("logs/*/*",)),
    "log-write-EIO": ("pwrite64", "error=EIO", ("logs/*/*",)),
    "log-write-EIO-every-other": ("pwrite64", "error=EIO:when=1+2", ("logs/*/*",)),
}
FEW = ("commit-write-ENOSPC", "sync-EIO", "log-write-EIO")


@pytest.mark.parametrize("name", chosen(FAULTS, FEW))
def test_a_fault_of_the_disk_loses_nothing_and_passes(tmp_path, data, serve, name):
    """While it lasts a request is answered 200 or 503; afterwards everything goes on unaided."""
    calls, fault, files = FAULTS[name]
    ledger = Ledger()
    server = serve(**HURRIED)
    senders = [Sender(f"{name}-{number}", 0, ledger) for number in range(2)]
    senders.append(Sender(f"{name}-new", 0, ledger, NEWCOMERS))
    counted = []

    async def fail():
        await until_merged(data)
        paths = [path for pattern in files for path in data.glob(pattern)]
        with injected(server, tmp_path, calls, fault, paths=paths) as seen:
            await asyncio.sleep(LASTS_S)
            await until(seen.count)
        counted.append(seen.count())
        await asyncio.sleep(0.3)

    asyncio.run(load_until(server, server.key, senders, fail))

    assert counted[0] > 0
    check_recovered(server, server.key, ledger)
    assert server.stop() == 0
    check_stopped(data)


DEADLY = ("commit-sync-EIO", "sync-EIO-every-other", "sync-all-EIO-every-other", "rename-EIO")


@pytest.mark.parametrize("name", chosen(DEADLY, DEADLY[1:2]))
def test_kill_9_while_the_disk_fails_loses_nothing(tmp_path, data, serve, name):
    """What was reported as failed may be found written after all: both are right, half is not."""
    calls, fault, files = FAULTS[name]
    ledger = Ledger()
    server = serve(**HURRIED)
    key = server.key
    senders = [Sender(f"{name}-{number}", 0, ledger) for number in range(3)]

    async def fail():
        await until_merged(data)
        paths = [path for pattern in files for path in data.glob(pattern)]
        with injected(server, tmp_path, calls, fault, paths=paths):
            await asyncio.sleep(LASTS_S)
            server.kill()
            await asyncio.to_thread(wait_for_the_end_of, server)

    asyncio.run(load(server, key, senders, fail))
    check_folder(data)
    again = serve(**HURRIED)
    check_receipts(again, key, ledger)

    check_recovered(again, key, ledger)
    assert again.stop() == 0
    check_stopped(data)


def test_a_slow_disk_slows_and_refuses_but_loses_nothing(tmp_path, data, serve):
    """A queue that is full is answered 503 with a time to come back, never kept in memory."""
    ledger = Ledger()
    server = serve(**HURRIED, JOURNAL__WAITING_EVENTS_MAX=80)
    senders = [Sender(f"slow-{number}", 0, ledger) for number in range(8)]
    counted = []

    async def slow():
        await asyncio.sleep(0.3)
        delay = f"delay_enter={SLOW_DELAY_US}"
        with injected(server, tmp_path, "fsync,fdatasync", delay) as seen:
            await asyncio.sleep(2 * LASTS_S)
            await until(lambda: ledger.turned_away)
        counted.append(seen.count())

    asyncio.run(load_until(server, server.key, senders, slow))

    assert counted[0] > 0
    assert ledger.turned_away > 0
    check_recovered(server, server.key, ledger)
    assert server.stop() == 0
    check_stopped(data)


@pytest.fixture
def mounted():
    """Mounts file systems in memory: of a size, filled by whoever writes to them."""
    places = []

    def mount(place, megabytes):
        place.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", place]
        made = subprocess.run(command, capture_output=True, check=False)
        if made.returncode:
            pytest.skip(f"this machine lets nobody mount: {made.stderr.decode().strip()}")
        places.append(place)
        return place

    yield mount
    for place in reversed(places):
        subprocess.run(["umount", "--lazy", place], check=True)


def fill(path):
    """Take what room there is."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue


def test_a_disk_that_is_really_full_loses_nothing_and_goes_on_when_there_is_room(
    tmp_path, serve, mounted
):
    disk = mounted(tmp_path / "disk", 64)
    data = disk / "data"
    ledger = Ledger()
    server = serve(folder=data, **HURRIED)
    senders = [Sender(f"full-{number}", 0, ledger) for number in range(4)]

    async def full():
        await asyncio.sleep(0.5)

        def filled():
            # What is deleted meanwhile is taken as well.
            fill(disk / f"ballast-{len(list(disk.iterdir()))}")
            return ledger.turned_away

        await until(filled)
        await asyncio.sleep(LASTS_S)
        for path in disk.glob("ballast-*"):
            path.unlink()
        await asyncio.sleep(0.3)

    asyncio.run(load_until(server, server.key, senders, full))

    assert ledger.turned_away > 0
    check_recovered(server, server.key, ledger)
    assert server.stop() == 0
    check_stopped(data)


@pytest.mark.parametrize("how", chosen(("full", "read-only"), ("full",)))
@pytest.mark.parametrize("room", chosen(("archive", "logs"), ("archive",)))
def test_a_disk_of_its_own_that_takes_nothing_any_more_holds_up_nobody_else(
    data, serve, mounted, room, how
):
    """Accepting goes on while segments or log files cannot be written; they catch up by themselves."""
    disk = mounted(data / room, 32)
    ledger = Ledger()
    server = serve(**HURRIED)
    senders = [Sender(f"{room}-{number}", 0, ledger) for number in range(3)]
    accepted = []

    async def fail():
        await asyncio.sleep(1.0)
        if how == "full":
            fill(disk / "ballast")
        else:
            remount(disk, "ro")
        before = len(ledger.receipts)
        await asyncio.sleep(LASTS_S)
        accepted.append(len(ledger.receipts) - before)
        if how == "full":
            (disk / "ballast").unlink()
        else:
            remount(disk, "rw")
        await asyncio.sleep(0.3)

    asyncio.run(load_until(server, server.key, senders, fail))

    assert accepted[0] > 0
    check_recovered(server, server.key, ledger)
    assert server.stop() == 0
    check_stopped(data)


def remount(place, how):
    """What a file system does by itself when its disk fails."""
    for _ in range(100):
        ran = subprocess.run(["mount", "-o", f"remount,{how}", place], check=False)
        if not ran.returncode:
            return
        time.sleep(0.02)
    raise AssertionError(f"{place} is busy")


def test_requests_that_found_the_disk_full_are_the_same_when_they_come_again(data, serve, mounted):
    """What a full disk turned away left nothing behind: it is new when it is sent again."""
    disk = mounted(data, 24)
    ledger = Ledger()
    server = serve(**HURRIED)
    sender = Sender("again", 0, ledger)

    async def full():
        await asyncio.sleep(0.3)
        fill(disk / "ballast")
        await until(lambda: ledger.turned_away)

    asyncio.run(load_until(server, server.key, [sender], full))
    (disk / "ballast").unlink()
    turned_away = list(ledger.open)
    asyncio.run(send_open(server, server.key, ledger))

    assert turned_away
    check_receipts(server, server.key, ledger, nothing_else=True)
    assert server.stop() == 0
