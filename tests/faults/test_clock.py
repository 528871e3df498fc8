"""The clock is set, forward and back, while everything is at work: order never depended on it."""

import asyncio
import time
from contextlib import suppress

import pytest
from tests.faults.cases import HURRIED, chosen
from tests.faults.checks import (
    check_receipts,
    check_recovered,
    check_stopped,
    until_merged,
    wait_for_the_end_of,
)
from tests.faults.senders import Ledger, Sender, clients, load, load_until
from tests.faults.watching import ask_for_export, exported, tail

DAY_S = 86_400
TO_1980_S = int(315_532_800 - time.time())
EACH_S = 1.0
ENOUGH = 5


def test_a_clock_that_is_set_under_load_loses_and_reorders_nothing(data, serve, clock):
    """Indexes, signatures, feeds and tails go on; only times are what the clock said."""
    ledger = Ledger()
    server = serve(preset=clock.preset, **HURRIED)
    key = server.key
    senders = [Sender(f"clock-{number}", 0, ledger) for number in range(3)]
    seen, counts = [], []

    async def jump():
        async with clients(server, key) as client:
            await until_merged(data)
            following = asyncio.ensure_future(tail(client, "acme", seen))
            for ahead_s in (0, DAY_S, -DAY_S, TO_1980_S, 40 * DAY_S, 0):
                clock.set(ahead_s)
                counts.append(await taken_by(ledger, "acme"))
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following

    asyncio.run(load_until(server, key, senders, jump))

    assert min(counts) >= ENOUGH
    assert ledger.turned_away == 0
    assert seen == list(range(len(seen)))
    assert len(seen) > 100
    check_recovered(server, key, ledger)
    years = {time_of_taking[:4] for time_of_taking in taken(server, key, "acme")}
    assert "1980" in years
    assert len(years) > 1
    assert server.stop() == 0
    check_stopped(data)


async def taken_by(ledger, tenant):
    """How many requests for a tenant are answered from now on, in a second or until it is enough.

    Enough is more than may have been under way before.
    """

    def answered():
        return sum(sending.tenant == tenant for sending in ledger.receipts)

    before = answered()
    await asyncio.sleep(EACH_S)
    for _ in range(600):
        if answered() - before >= ENOUGH:
            break
        await asyncio.sleep(0.05)
    return answered() - before


JUMPS = {"1980": TO_1980_S, "a-day-ahead": DAY_S, "a-day-back": -DAY_S}


@pytest.mark.parametrize("jump", chosen(JUMPS, ("1980",)))
def test_a_start_with_another_clock_than_before_goes_on_where_it_was(data, serve, clock, jump):
    """After kill -9, as when a machine comes up before its clock is set, and set after."""
    ledger = Ledger()
    server = serve(preset=clock.preset, **HURRIED)
    key = server.key
    for ahead in (JUMPS[jump], 0):
        senders = [Sender(f"to-{ahead}-{number}", 0, ledger) for number in range(3)]

        async def end(server=server):
            await asyncio.sleep(EACH_S)
            server.kill()
            await asyncio.to_thread(wait_for_the_end_of, server)

        asyncio.run(load(server, key, senders, end))
        clock.set(ahead)
        server = serve(preset=clock.preset, **HURRIED)
        check_receipts(server, key, ledger)

    check_recovered(server, key, ledger)
    assert server.stop() == 0
    check_stopped(data)


def test_an_export_stays_as_long_as_either_clock_says(serve, clock):
    """A clock that is set back deletes nothing early; one set past its end ends it."""
    server = serve(preset=clock.preset)
    key = server.key
    ledger = Ledger()
    senders = [Sender("exports", 0, ledger, ["acme"])]

    async def some():
        await asyncio.sleep(0.5)

    asyncio.run(load_until(server, key, senders, some))
    job_id = ask_for_export(server, key, "acme")
    content = exported(server, key, job_id)
    kept = []
    for ahead_s in (-DAY_S, TO_1980_S, 3_600, DAY_S - 3_600, 0):
        clock.set(ahead_s)
        time.sleep(0.2)
        kept.append(exported(server, key, job_id) == content)
    clock.set(DAY_S + 60)
    with server.client(key) as client:
        gone = client.get(f"/v1/exports/{job_id}").json()["state"]

    assert content
    assert kept == [True] * 5
    assert gone == "expired"
    assert server.stop() == 0


def taken(server, key, tenant):
    """When each event of a tenant was taken in."""
    times = []
    with server.client(key) as client:
        while True:
            asked = {"tenant": tenant, "after": len(times) - 1, "limit": 1000}
            events = client.get("/v1/feed", params=asked).json()["events"]
            if not events:
                return times
            times += [event["event"]["ingested"] for event in events]
