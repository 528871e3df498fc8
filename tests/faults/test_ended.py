"""SIGTERM: what is under way is answered, and it is over within the 10 s that supervisors grant."""

import asyncio
from contextlib import nullcontext

import pytest
from tests.faults.cases import HURRIED, chosen
from tests.faults.checks import check_receipts, check_recovered, check_stopped, until_merged
from tests.faults.injected import SLOW_DELAY_US, injected
from tests.faults.senders import Ledger, Sender, clients, load, send_open
from tests.faults.watching import ask_for_export, exported, poll, quiet, tail

WITHIN_S = 10.0


def test_sigterm_under_load_ends_in_time_and_loses_nothing(data, serve):
    ledger = Ledger()
    senders = [Sender(f"t-{number}", 0, ledger) for number in range(4)]
    server = serve(**HURRIED)
    key = server.key
    codes = []

    async def stop():
        await asyncio.sleep(1.0)
        codes.append(await asyncio.to_thread(server.stop, within_s=WITHIN_S))

    asyncio.run(load(server, key, senders, stop))
    check_stopped(data)
    again = serve(**HURRIED)
    asyncio.run(send_open(again, key, ledger))
    check_receipts(again, key, ledger, nothing_else=True)

    assert again.stop() == 0
    assert codes == [0]


@pytest.mark.parametrize("disk", chosen(("quick", "slow"), ("slow",)))
def test_sigterm_while_everything_is_under_way_ends_in_time(tmp_path, data, serve, disk):
    """Load, merges, an export, tails and long polls, all at once."""
    ledger = Ledger()
    senders = [Sender(f"e-{number}", 0, ledger) for number in range(3)]
    server = serve(**HURRIED)
    key = server.key
    codes, answers, seen, jobs = [], [], [], []
    slow = nullcontext()
    if disk == "slow":
        delay = f"delay_enter={SLOW_DELAY_US}"
        slow = injected(server, tmp_path, "fsync,fdatasync,syncfs", delay)

    async def stop():
        async with clients(server, key) as client:
            await until_merged(data)
            await quiet(client, "still")
            waiting = [asyncio.ensure_future(poll(client, "still")) for _ in range(3)]
            tails = [asyncio.ensure_future(tail(client, "acme", seen)) for _ in range(3)]
            await asyncio.sleep(0.5)
            with slow:
                await asyncio.sleep(0.5)
                jobs.append(await asyncio.to_thread(ask_for_export, server, key, "acme"))
                codes.append(await asyncio.to_thread(server.stop, within_s=WITHIN_S))
            answers.extend(await asyncio.gather(*waiting))
            await asyncio.gather(*tails)

    asyncio.run(load(server, key, senders, stop))
    check_stopped(data)
    again = serve(**HURRIED)
    check_recovered(again, key, ledger)
    indexes = exported(again, key, jobs[0])

    assert codes == [0]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert seen
    assert indexes == list(range(len(indexes)))
    assert len(indexes) > 100
    assert again.stop() == 0
    check_stopped(data)


def test_sigterm_before_anything_came_ends_it_too(serve):
    server = serve()

    assert server.stop() == 0
