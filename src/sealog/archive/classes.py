"""Retention classes: what is kept equally long rests together, and goes together (decision 0015).

A class is a folder's name. What expires lies in `<seconds>s`, everything else in `default`, and what
Sealog says of its own log in `statements`. After a change of policy, segments of several classes may
come into one; where they would overlap there, they lie in lanes beside each other: `172800s-1`.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

DEFAULT = "default"
STATEMENTS = "statements"
WINDOWS = 140
"""A segment of what expires holds what came within so small a part of the time that it is kept: whole
files go, and soon enough. Of 48 hours it is what two cuts of ten minutes hold, and some seconds."""
GRACE_OF = 480
NEVER_US = (1 << 63) - 1
SECOND_US = 1_000_000
KNOWN_MAX = 65_536

Type = tuple[str, str, str]
"""Dialect, native action, alias."""


class Retaining(Protocol):
    """One version of a tenant's rules; see `policy.retention.Retention`. Hashable, equal by value."""

    @property
    def version(self) -> int:
        """Rises with every change."""
        ...

    def keep_s(self, dialect: str, action: str, alias: str) -> int | None:
        """How long events of a type are kept, in seconds from `event.ingested`; None: for ever."""
        ...

    def shortest_s(self) -> int | None:
        """The shortest that any is kept."""
        ...


class Types:
    """What one version of a policy says of types, remembered; for any thread."""

    def __init__(self, retention: Retaining | None) -> None:
        """None: nothing ever expires, and what was sorted once is left where it is."""
        self.retention = retention
        self.version = None if retention is None else retention.version
        shortest = None if retention is None else retention.shortest_s()
        self.shortest_us = None if shortest is None else shortest * SECOND_US
        self._known: dict[Type, int | None] = {}

    def keep_s(self, one: Type) -> int | None:
        """How long events of a type are kept; None: for ever."""
        try:
            return self._known[one]
        except KeyError:
            if len(self._known) >= KNOWN_MAX:
                # Replaced, not emptied: another thread may be asking.
                self._known = {}
            keep = None if self.retention is None else self.retention.keep_s(*one)
            self._known[one] = keep
            return keep

    def keep_us(self, one: Type) -> int:
        """The same in microseconds; `NEVER_US` for ever."""
        keep = self.keep_s(one)
        return NEVER_US if keep is None else keep * SECOND_US

    def keeps(self, several: Iterable[Type]) -> set[int | None]:
        """The different times for which some types are kept."""
        return {self.keep_s(one) for one in several}


FOR_EVER = Types(None)


def class_of(keep_s: int | None, lane: int = 0) -> str:
    """The class of what is kept for so long; None: for ever."""
    name = DEFAULT if keep_s is None else f"{keep_s}s"
    return f"{name}-{lane}" if lane else name


@lru_cache(maxsize=4_096)
def keep_of(kept: str) -> int | None:
    """How many seconds what lies in a class is kept; None: for ever, or it is no class at all."""
    number, s, _ = kept.partition("s")
    if kept == STATEMENTS or not s or not number.isascii() or not number.isdecimal():
        return None
    return int(number)


def keep_us_of(kept: str) -> int | None:
    """The same in microseconds."""
    keep = keep_of(kept)
    return None if keep is None else keep * SECOND_US


def window_us(keep_s: int | None) -> int | None:
    """How much later than its first the last event of a segment may have come; None: any."""
    return None if keep_s is None else keep_s * SECOND_US // WINDOWS


def grace_us(keep_s: int) -> int:
    """So long files that nobody is shown any more stay for who reads them already."""
    return min(keep_s * SECOND_US // GRACE_OF, 120 * SECOND_US)


def expires_us(ingested_us: int, keep_us: int) -> int:
    """When an event expires; `NEVER_US` where that is beyond all time."""
    return min(ingested_us, NEVER_US - keep_us) + keep_us
