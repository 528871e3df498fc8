"""More comes than the disk takes: what is too much is told so, and none goes short for another."""

import asyncio
from pathlib import Path

from tests.faults.cases import HURRIED
from tests.faults.checks import check_recovered, check_stopped, until
from tests.faults.injected import injected
from tests.faults.senders import Ledger, Sender, load_until

SYNC_US = 100_000
QUEUE_EVENTS = 400
LASTS_S = 3.0
RECEIPTS_MIN = 10
GROWTH_MAX = 150 << 20


def test_a_tenant_that_floods_the_queue_does_not_keep_another_out(tmp_path, data, serve):
    """Half of what waits is always there for others: none of theirs is turned away."""
    server = serve(**HURRIED, JOURNAL__WAITING_EVENTS_MAX=QUEUE_EVENTS)
    flood, quiet = Ledger(), Ledger()
    senders = [
        *(Sender(f"flood-{number}", 0, flood, ["flood"]) for number in range(24)),
        *(Sender(f"quiet-{number}", 0, quiet, ["quiet"], records_max=4) for number in range(2)),
    ]

    async def slow():
        await asyncio.sleep(0.5)
        with injected(server, tmp_path, "fsync,fdatasync", f"delay_enter={SYNC_US}") as seen:
            await asyncio.sleep(LASTS_S)
            await until(lambda: flood.turned_away and len(quiet.receipts) > RECEIPTS_MIN)
        assert seen.count() > 0

    asyncio.run(load_until(server, server.key, senders, slow))

    assert flood.turned_away > 0
    assert quiet.turned_away == 0
    assert len(quiet.receipts) > RECEIPTS_MIN
    flood.receipts |= quiet.receipts
    check_recovered(server, server.key, flood)
    assert server.stop() == 0
    check_stopped(data)


def test_what_is_turned_away_takes_no_memory(tmp_path, data, serve):
    """Ten times what may wait is offered, and the processes do not grow by it."""
    settings = {"JOURNAL__WAITING_EVENTS_MAX": 2_000, "INTAKE__PREPARING_BYTES_MAX": 4 << 20}
    server = serve(**HURRIED | settings)
    ledger = Ledger()
    senders = [
        Sender(
            f"large-{number}", 0, ledger, [f"tenant-{number}"], records_max=1_000, text="x" * 2_000
        )
        for number in range(16)
    ]
    grown = []

    async def slow():
        await asyncio.sleep(1.0)
        with injected(server, tmp_path, "fsync,fdatasync", f"delay_enter={SYNC_US}"):
            before = memory(server)
            await asyncio.sleep(LASTS_S)
            await until(lambda: ledger.turned_away)
            grown.append(memory(server) - before)

    asyncio.run(load_until(server, server.key, senders, slow))

    assert ledger.turned_away > 0
    assert grown[0] < GROWTH_MAX
    check_recovered(server, server.key, ledger)
    assert server.stop() == 0
    check_stopped(data)


def memory(server):
    """Bytes that the server and its processes have at most had."""
    return sum(1024 * int(peak(pid).split()[1]) for pid in server.left())


def peak(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line for line in lines if line.startswith("VmHWM:"))
