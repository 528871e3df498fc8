"""Files of segments that were replaced or dropped, until they are deleted.

Whoever reads a segment holds it, and files stay for whoever does. Not so where events expire: there
they stay for a moment, in which whoever was shown them has opened them, and go then, held or not.
"""

import contextlib
import time
import weakref
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from sealog.archive.segments import Segment

HELD_S_MAX = 3_600.0
"""A process that only reads holds up deleting for so long, and then finds files missing."""


class _One(msgspec.Struct, frozen=True, eq=False):
    segment: "weakref.ref[Segment]"
    paths: tuple[Path, Path]
    since_s: float
    most_s: float | None
    """They go after so long, whoever holds them; None: when nobody does."""


class Retired:
    """What is to be deleted; used by one thread at a time."""

    def __init__(
        self,
        deleting: Callable[[], AbstractContextManager[bool]],
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`deleting`: whether other processes let files be deleted; none begins to read inside it."""
        self._deleting = deleting
        self._clock_s = clock_s
        self._several: list[_One] = []

    def __len__(self) -> int:
        return len(self._several)

    def add(self, segments: Iterable[Segment], most_s: float | None) -> None:
        """Delete the files of these when nobody holds them, or after so long."""
        now = self._clock_s()
        self._several += [
            _One(weakref.ref(one), (one.columns_path, one.parts_path), now, most_s)
            for one in segments
        ]

    def paths(self) -> frozenset[Path]:
        """The files that are there still."""
        return frozenset(path for one in self._several for path in one.paths)

    def sweep(self, *, is_end: bool = False) -> int:
        """Delete what may be; how many segments are left. At the end nothing waits for its time."""
        now = self._clock_s()
        due = [one for one in self._several if one.most_s is not None]
        self._delete(one for one in due if is_end or now - one.since_s >= (one.most_s or 0.0))
        free = [one for one in self._several if one.segment() is None]
        if free:
            with self._deleting() as may_delete:
                self._delete(one for one in free if may_delete or now - one.since_s > HELD_S_MAX)
        return len(self._several)

    def _delete(self, several: Iterable[_One]) -> None:
        for one in list(several):
            self._several.remove(one)
            for path in one.paths:
                # What cannot be deleted now is a stranger at the next start.
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
