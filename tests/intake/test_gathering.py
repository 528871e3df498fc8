import asyncio

import pytest
from tests.intake.sent import SOME

from sealog.errors import Busy, Refused
from sealog.intake.gathering import CARRIERS_MAX, GROUP_BYTES_MAX, Gathering
from sealog.intake.source import Source

SOURCE = Source(SOME)


class Carried:
    """Answers each request with its own body; what is held back waits until it is let go."""

    def __init__(self):
        self.groups = []
        self.free = asyncio.Event()
        self.free.set()

    async def __call__(self, group):
        self.groups.append([one.body for one in group])
        await self.free.wait()
        return [[one.body] for one in group]


def test_what_arrives_in_one_turn_goes_together():
    async def run():
        carry = Carried()
        gathering = Gathering(carry)
        said = await asyncio.gather(*(gathering.join(b"%d" % n, SOURCE) for n in range(5)))
        return said, carry.groups

    said, groups = asyncio.run(run())

    assert said == [[b"0"], [b"1"], [b"2"], [b"3"], [b"4"]]
    assert groups == [[b"0", b"1", b"2", b"3", b"4"]]


def test_what_arrives_while_groups_are_under_way_is_the_next_group():
    async def run():
        carry = Carried()
        carry.free.clear()
        gathering = Gathering(carry)
        joined = []
        for n in range(CARRIERS_MAX + 3):
            joined.append(asyncio.ensure_future(gathering.join(b"%d" % n, SOURCE)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        carry.free.set()
        await asyncio.gather(*joined)
        return carry.groups

    first, second, *rest = asyncio.run(run())

    assert (first, second) == ([b"0"], [b"1"])
    assert rest == [[b"2", b"3", b"4"]]


def test_a_group_has_a_limit_in_bytes():
    """Preparing it holds the event loop."""
    half = b"x" * (GROUP_BYTES_MAX // 2)

    async def run():
        carry = Carried()
        gathering = Gathering(carry)
        await asyncio.gather(*(gathering.join(half, SOURCE) for _ in range(3)))
        return [len(group) for group in carry.groups]

    assert asyncio.run(run()) == [2, 1]


def test_each_request_raises_what_is_wrong_with_it():
    async def carry(group):
        return [Refused("not this", code="empty") if one.body == b"bad" else [] for one in group]

    async def run():
        gathering = Gathering(carry)
        return await asyncio.gather(
            gathering.join(b"bad", SOURCE), gathering.join(b"good", SOURCE), return_exceptions=True
        )

    bad, good = asyncio.run(run())

    assert isinstance(bad, Refused)
    assert good == []


def test_what_fails_is_raised_by_all_and_the_next_ones_go_on():
    async def carry(group):
        if group[0].body == b"first":
            raise Busy("the disk is full")
        return [[] for _ in group]

    async def run():
        gathering = Gathering(carry)
        with pytest.raises(Busy, match="full"):
            await gathering.join(b"first", SOURCE)
        return await gathering.join(b"second", SOURCE)

    assert asyncio.run(run()) == []


def test_who_is_gone_takes_nobody_along():
    async def run():
        carry = Carried()
        gathering = Gathering(carry)
        gone = asyncio.ensure_future(gathering.join(b"gone", SOURCE))
        there = asyncio.ensure_future(gathering.join(b"there", SOURCE))
        await asyncio.sleep(0)
        gone.cancel()
        return await there, carry.groups

    said, groups = asyncio.run(run())

    assert said == [b"there"]
    assert groups == [[b"there"]]
