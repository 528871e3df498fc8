import asyncio
import errno
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath

import msgspec
import pytest
from tests.delivery.made import ABOUT, outcomes, record, records

from sealog.delivery import folder, growing
from sealog.delivery.destination import DELIVERED, About
from sealog.delivery.folder import Folder, Form, World
from sealog.delivery.growing import Rotation


class Sleep:
    """Sleeps that end when the test says so."""

    def __init__(self):
        self.asked = []
        self.ended = asyncio.Event()

    async def __call__(self, seconds):
        self.asked.append(seconds)
        await self.ended.wait()


@pytest.fixture
def threads():
    with ThreadPoolExecutor(2) as found:
        yield found


def names(path):
    return sorted(one.name for one in path.rglob("*") if one.is_file())


def dropped(threads, root, *batches, about=ABOUT, **more):
    """What came of sending batches into a folder, which is then closed."""

    async def run():
        destination = Folder(Form(str(root), **more), about, World(threads))
        try:
            return [await destination.send(batch) for batch in batches]
        finally:
            await destination.close()

    return asyncio.run(run())


def test_lines_hold_index_and_tenant_and_the_name_the_span(tmp_path, threads):
    verdicts = dropped(threads, tmp_path, records(3, 4), records(9))

    assert verdicts == [[DELIVERED] * 2, [DELIVERED]]
    (file,) = tmp_path.iterdir()
    assert file.name == "str_1-acme-000000000003-000000000009.ndjson"
    found = [msgspec.json.decode(line) for line in file.read_bytes().splitlines()]
    assert [one["data"]["index"] for one in found] == [3, 4, 9]
    assert found[0] == {
        "type": "user.login",
        "timestamp": "2026-09-21T14:13:20.000003Z",
        "data": {
            "tenant": "acme",
            "index": 3,
            "event": {"event": {"action": "user.login"}, "n": 3},
        },
    }


def test_a_file_an_event_is_the_record_alone_if_wanted(tmp_path, threads):
    """ES-01, ES-10: a log as a JSON file; its index is in the name."""
    dropped(threads, tmp_path, records(3, 4), single=True, bare=True)

    assert names(tmp_path) == ["str_1-acme-000000000003.json", "str_1-acme-000000000004.json"]
    assert (tmp_path / "str_1-acme-000000000003.json").read_bytes() == record(3).body


def test_the_same_event_again_takes_the_place_of_its_file(tmp_path, threads):
    dropped(threads, tmp_path, records(3), [record(3, again=True)], single=True, bare=True)

    assert names(tmp_path) == ["str_1-acme-000000000003.json"]
    assert b"again" in (tmp_path / "str_1-acme-000000000003.json").read_bytes()


def test_nothing_is_acknowledged_before_it_is_on_the_disk(tmp_path, threads):
    """What a process that ends at once leaves is found by the next, and ended."""

    async def begin():
        destination = Folder(Form(str(tmp_path)), ABOUT, World(threads))
        await destination.send(records(1, 2))
        destination._timer.cancel()

    asyncio.run(begin())
    assert names(tmp_path) == [names(tmp_path)[0]]
    assert names(tmp_path)[0].endswith(".part")

    dropped(threads, tmp_path, records(3))

    assert names(tmp_path) == [
        "str_1-acme-000000000001-000000000002.ndjson",
        "str_1-acme-000000000003-000000000003.ndjson",
    ]


def test_what_a_crash_left_is_ended_without_waiting_for_more(tmp_path, threads):
    """The last events before a quiet week must not stay hidden for it."""

    async def begin():
        destination = Folder(Form(str(tmp_path)), ABOUT, World(threads))
        await destination.send(records(1))
        destination._timer.cancel()
        following = Folder(Form(str(tmp_path)), ABOUT, World(threads))
        await following._starting

    asyncio.run(begin())

    assert names(tmp_path) == ["str_1-acme-000000000001-000000000001.ndjson"]


def test_a_file_is_ended_when_its_time_is_up(tmp_path, threads):
    async def run():
        sleep = Sleep()
        form = Form(str(tmp_path), rotation=Rotation(seconds=90))
        destination = Folder(form, ABOUT, World(threads, sleep))
        await destination.send(records(1))
        await destination.send(records(2))
        await asyncio.sleep(0)
        before = names(tmp_path)
        sleep.ended.set()
        await destination._timer
        after = names(tmp_path)
        await destination.close()
        return sleep.asked, before, after

    asked, before, after = asyncio.run(run())

    assert asked == [90]
    assert before[0].endswith(".part")
    assert after == ["str_1-acme-000000000001-000000000002.ndjson"]


def test_folders_that_are_missing_below_the_root_are_made(tmp_path, threads):
    dropped(threads, tmp_path, records(1), inner=("acme", "siem"))

    assert (tmp_path / "acme/siem/str_1-acme-000000000001-000000000001.ndjson").is_file()


def test_a_root_that_is_not_mounted_is_waited_for(tmp_path, threads):
    """It is never made: what were written there would be hidden once it is mounted."""
    verdicts = dropped(threads, tmp_path / "gone", records(1))

    assert outcomes(verdicts[0]) == [("later", "folder")]
    assert verdicts[0][0].reason == "the folder is not there"
    assert not (tmp_path / "gone").exists()


def test_a_link_out_of_the_root_is_not_followed(tmp_path, threads):
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "acme").symlink_to(tmp_path)

    verdicts = dropped(threads, tmp_path / "root", records(1), inner=("acme",))

    assert verdicts[0][0].reason == "a link or a file stands where a folder should be"


@pytest.mark.parametrize(
    ("code", "kind", "reason"),
    [
        (errno.ENOSPC, "disk-full", "no space is left in the folder"),
        (errno.EDQUOT, "disk-full", "no space is left in the folder"),
        (errno.EACCES, "folder", "the folder may not be written to"),
        (errno.EROFS, "folder", "the folder may not be written to"),
        (errno.EIO, "folder", "writing failed: Input/output error"),
    ],
)
def test_a_disk_that_fails_is_later_and_names_no_path(
    tmp_path, threads, monkeypatch, code, kind, reason
):
    def failing(number, content):
        raise OSError(code, "wrong", str(tmp_path))

    monkeypatch.setattr(growing, "write", failing)

    verdicts = dropped(threads, tmp_path, records(1))

    assert outcomes(verdicts[0]) == [("later", kind)]
    assert verdicts[0][0].reason == reason


def test_after_a_failure_the_same_records_go_again(tmp_path, threads, monkeypatch):
    real = growing.write
    calls = iter([True, False])

    def failing(number, content):
        real(number, content[:5])
        if next(calls, False):
            raise OSError(errno.ENOSPC, "full")
        real(number, content[5:])

    monkeypatch.setattr(growing, "write", failing)

    verdicts = dropped(threads, tmp_path, records(1, 2), records(1, 2))

    assert outcomes(verdicts[0]) == [("later", "disk-full")]
    assert verdicts[1] == [DELIVERED] * 2
    assert names(tmp_path) == ["str_1-acme-000000000001-000000000002.ndjson"]
    (file,) = tmp_path.iterdir()
    assert len(file.read_bytes().splitlines()) == 2


def test_a_disk_that_hangs_is_later_and_nothing_is_written_beside_it(
    tmp_path, threads, monkeypatch
):
    """The next attempt waits for the thread that hangs: two would write over each other."""
    monkeypatch.setattr(folder, "SEND_S_MAX", 0.1)
    go = threading.Event()
    real = growing.write
    written = []

    def hanging(number, content):
        written.append(content)
        go.wait(10)
        real(number, content)

    monkeypatch.setattr(growing, "write", hanging)

    async def run():
        destination = Folder(Form(str(tmp_path)), ABOUT, World(threads))
        first = await destination.send(records(1))
        second = await destination.send(records(1))
        count = len(written)
        go.set()
        third = await destination.send(records(1))
        await destination.close()
        return first, second, count, third

    first, second, count, third = asyncio.run(run())

    assert outcomes(first) == outcomes(second) == [("later", "timeout")]
    assert count == 1
    assert third == [DELIVERED]


def test_a_check_leaves_nothing_behind(tmp_path, threads):
    async def run():
        destination = Folder(Form(str(tmp_path), single=True), ABOUT, World(threads))
        lost = Folder(Form(str(tmp_path / "gone"), single=True), ABOUT, World(threads))
        return await destination.check(), await lost.check()

    found, lost = asyncio.run(run())

    assert found == DELIVERED
    assert outcomes([lost]) == [("later", "folder")]
    assert names(tmp_path) == []


def test_a_tenants_name_cannot_lead_anywhere(tmp_path, threads):
    dropped(threads, tmp_path, records(1), about=About("str_1", "../:@.x"), single=True)

    assert names(tmp_path) == ["str_1-_/__.x-000000000001.json".replace("/", "_")]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("acme", "acme"),
        ("a:b@c", "a_b_c"),
        ("..", "_"),
        (".x", "_x"),
        ("-rf", "_rf"),
        ("a/b", "a_b"),
    ],
)
def test_a_name_is_made_safe_for_files(name, shown):
    assert folder.safe(name) == shown


@pytest.mark.parametrize(
    ("path", "inner"),
    [
        ("/srv/drop", ()),
        ("/srv/drop/a/b", ("a", "b")),
        ("/srv/dropped", None),
        ("/srv", None),
        ("/srv/drop/../x", None),
        ("/srv/drop/..", None),
    ],
)
def test_a_path_is_below_a_root_or_it_is_not(path, inner):
    assert folder.below(PurePosixPath(path), PurePosixPath("/srv/drop")) == inner
