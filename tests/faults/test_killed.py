"""The process is killed at any moment under load, again and again: nothing promised is lost."""

import asyncio
import random

import pytest
from tests.faults.cases import ALL, HURRIED
from tests.faults.checks import (
    check_folder,
    check_receipts,
    check_stopped,
    until_merged,
    wait_for_the_end_of,
)
from tests.faults.senders import Ledger, Sender, load, send_open

# Kills one after the other on one folder: what one leaves behind, the next one meets.
RUNS = dict.fromkeys(range(10), 5) if ALL else {0: 3, 1: 2}


@pytest.mark.parametrize("seed", RUNS)
def test_kill_9_under_load_loses_and_doubles_nothing(data, serve, seed):
    """After each kill, and after a clean stop: every receipt holds, no gap, no double, verified."""
    dice = random.Random(seed)
    ledger = Ledger()
    senders = [Sender(f"s{seed}-{number}", seed, ledger) for number in range(4)]
    server = serve(**HURRIED)
    key = server.key
    for _ in range(RUNS[seed]):
        asyncio.run(load(server, key, senders, killing(server, data, dice.uniform(0.1, 2.0))))
        check_folder(data)
        server = serve(**HURRIED)
        check_receipts(server, key, ledger)

    asyncio.run(send_open(server, key, ledger))
    check_receipts(server, key, ledger, nothing_else=True)
    assert server.stop() == 0
    check_stopped(data)
    server = serve(**HURRIED)
    check_receipts(server, key, ledger, nothing_else=True)

    assert server.stop() == 0
    assert len(ledger.all()) > 100


def killing(server, data, after_s):
    """After a while of load; merges are under way by then, and go on all the time."""

    async def end():
        await until_merged(data)
        await asyncio.sleep(after_s)
        assert server.left()
        server.kill()
        await asyncio.to_thread(wait_for_the_end_of, server)

    return end
