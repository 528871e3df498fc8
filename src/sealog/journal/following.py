"""How the sealed logs and the archive follow the journal: in order, and no tenant's trouble is another's.

A follower takes blocks by tenant. Where one tenant's are damaged, or do not go on where it stands, that
tenant is set aside and tried again, at growing intervals, from where it stands; all others go on.
The journal keeps what a follower has not: nothing is lost by waiting.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import msgspec

from sealog.errors import Busy
from sealog.journal.blocks import Block
from sealog.journal.journal import Journal

RETRY_S = 1.0
RETRY_MAX_S = 60.0

Take = Callable[[Mapping[int, Sequence[Block]]], None]
"""Takes some tenants' blocks in, each tenant's in order; what it has already it MUST skip. It raises
`OSError` or `Busy` for what stands in the way of all, anything else for what is wrong with one."""

_OF_ALL = (OSError, Busy, MemoryError)


class _Aside(msgspec.Struct):
    error: Exception
    again_at_s: float
    pause_s: float


class Following:
    """One follower's way through the journal; used by its thread alone, but for `trouble`."""

    def __init__(
        self,
        journal: Journal,
        take: Take,
        reached: Callable[[int], int],
        clock_s: Callable[[], float],
    ) -> None:
        """`reached`: tenant → the first index that the follower does not have; `clock_s`: monotonic.

        `reached` is asked before a tenant that was set aside goes on; raising, it stays aside.
        """
        self._journal = journal
        self._take = take
        self._reached = reached
        self._clock_s = clock_s
        # Replaced, never changed: any thread may look.
        self._aside: dict[int, _Aside] = {}
        self.after = 0
        """The number of the newest block that was looked at."""

    def round(self, limit: int) -> int:
        """Take in the next blocks, and what was set aside where it is time; the events looked at.

        Raises what stands in the way of all; then the same round is to be tried again.
        """
        newest = self._journal.newest()
        found = self._journal.follow(self.after, limit, checked=False)
        self._take_each(by_tenant(block for block in found if block.tenant not in self._aside))
        # With nothing found, what was announced is gone: the follower had it before it started.
        self.after = found[-1].seq if found else max(self.after, newest)
        self._retry()
        return sum(block.count for block in found)

    def take_first(self, tenant: int) -> None:
        """Take in all that a tenant has now, before what else waits; its way goes on as it was."""
        if tenant not in self._aside:
            self._or_aside(tenant, partial(self._take_whole, tenant))

    def trouble(self) -> Exception | None:
        """What is wrong with a tenant that is set aside; None where none is."""
        return next((aside.error for aside in self._aside.values()), None)

    def set_aside(self, tenant: int, error: Exception) -> None:
        """Leave a tenant's blocks where they are until it is tried again, from where it stands then."""
        before = self._aside.get(tenant)
        pause_s = RETRY_S if before is None else min(2 * before.pause_s, RETRY_MAX_S)
        # Its frames would hold the blocks that it was about, for hours.
        error.__cause__ = error.__context__ = None
        error.__traceback__ = None
        aside = _Aside(error, self._clock_s() + pause_s, pause_s)
        self._aside = {**self._aside, tenant: aside}

    def _take_each(self, waiting: Mapping[int, Sequence[Block]]) -> None:
        if not waiting:
            return
        try:
            self._take_checked(waiting)
        except _OF_ALL:
            raise
        except Exception:  # noqa: BLE001 - whose it is comes out below
            for tenant, blocks in waiting.items():
                self._or_aside(tenant, partial(self._take_checked, {tenant: blocks}))

    def _take_checked(self, waiting: Mapping[int, Sequence[Block]]) -> None:
        for blocks in waiting.values():
            for block in blocks:
                block.check()
        self._take(waiting)

    def _retry(self) -> None:
        if not self._aside:
            return
        now_s = self._clock_s()
        for tenant in [number for number, one in self._aside.items() if one.again_at_s <= now_s]:
            self._or_aside(tenant, partial(self._take_again, tenant))

    def _take_whole(self, tenant: int) -> None:
        while blocks := self._journal.blocks_of(tenant, self._reached(tenant), some=True):
            self._take_checked({tenant: blocks})

    def _take_again(self, tenant: int) -> None:
        """Take a tenant's blocks from where the follower stands with it up to where all others do."""
        while True:
            blocks = self._journal.blocks_of(tenant, self._reached(tenant), some=True)
            if blocks:
                self._take_checked({tenant: blocks})
            # What is newer than this round's blocks the next rounds find.
            if not blocks or blocks[-1].seq >= self.after:
                break
        self._aside = {number: one for number, one in self._aside.items() if number != tenant}

    def _or_aside(self, tenant: int, work: Callable[[], None]) -> None:
        try:
            work()
        except _OF_ALL:
            raise
        except Exception as error:  # noqa: BLE001 - `trouble` tells, and it is tried again
            self.set_aside(tenant, error)


def by_tenant(several: Iterable[Block]) -> dict[int, list[Block]]:
    """Blocks by tenant, each tenant's in their order."""
    found: dict[int, list[Block]] = defaultdict(list)
    for block in several:
        found[block.tenant].append(block)
    return found
