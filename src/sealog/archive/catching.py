"""After a start, what waits becomes visible: first that of tenants that somebody asks for.

Ten thousand tenants may have a hundred thousand events in the journal's blocks, which take seconds;
those of one tenant take milliseconds.
"""

import threading
from collections.abc import Callable, Sequence

from sealog.archive.waiting import Waiting
from sealog.journal.following import Following
from sealog.journal.journal import Journal

ASKED_MAX = 64
"""Whoever asks for more tenants at once waits for all there are."""


class CatchingUp:
    """Begun by a start, over when all is visible; asked by any thread, answered by the follower's."""

    def __init__(
        self,
        following: Following,
        journal: Journal,
        waiting: Waiting,
        seen: threading.Condition,
    ) -> None:
        """`seen` is notified when it is over."""
        self._following = following
        self._journal = journal
        self._waiting = waiting
        self._seen = seen
        self._over = threading.Event()
        self._over.set()
        # Tenants that somebody waits for; a set's own steps need no lock.
        self._asked: set[int] = set()

    def begin(self) -> None:
        """What waits is not visible yet."""
        self._over.clear()

    def end(self) -> None:
        """All that waited at the start is visible, or trouble keeps it from being so."""
        if not self._over.is_set():
            self._over.set()
            with self._seen:
                self._seen.notify_all()

    def is_over(self) -> bool:
        """Whether nobody has to wait."""
        return self._over.is_set()

    def ask(self, tenants: Sequence[int]) -> Callable[[], bool]:
        """Have these tenants' blocks taken in before others; the answer says whether they are."""
        if len(tenants) > ASKED_MAX:
            return self._over.is_set
        ends = {tenant: self._journal.size(tenant) for tenant in tenants}
        visible_of = self._waiting.visible_of
        self._asked.update(tenant for tenant, end in ends.items() if visible_of(tenant) < end)
        return lambda: (
            self._over.is_set() or all(visible_of(tenant) >= end for tenant, end in ends.items())
        )

    def take_asked(self) -> None:
        """Take in what somebody waits for; runs in the follower's thread."""
        while self._asked:
            self._following.take_first(self._asked.pop())
