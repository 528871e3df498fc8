"""What would go by some rules of retention, and when, as the API tells it."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from sealog.event import times
from sealog.server.parts import Going

DAY_US = 86_400_000_000
DAYS_MAX = 400
"""So many days are told apart; what goes later stands together."""
TYPES_MAX = 100
"""So many types are named, the most frequent first; the others stand together."""


class OfType(msgspec.Struct, frozen=True):
    """Events of one type."""

    dialect: str | None
    """None, as the action, of all types that are too many to name."""
    action: str | None
    events: int


class OnDay(msgspec.Struct, frozen=True):
    """Events of one day (UTC)."""

    day: str
    events: int


class AtOnce(msgspec.Struct, frozen=True):
    """What would go as soon as the rules are in force."""

    events: int
    types: list[OfType]


class Foretold(msgspec.Struct, frozen=True):
    """What would go of what is there now."""

    at_once: AtOnce
    later: list[OnDay]
    """By the day on which it would expire."""
    beyond: int
    """How many after the last of these days."""


def foretold(going: Iterable[Going], now_us: int) -> Foretold:
    """The forecast of an archive, summed up for people."""
    types: Counter[tuple[str, str]] = Counter()
    days: Counter[int] = Counter()
    for one in going:
        if one.at_us <= now_us:
            types[one.dialect, one.action] += one.count
        else:
            days[one.at_us // DAY_US] += one.count
    ordered = sorted(days)
    told = ordered[:DAYS_MAX]
    return Foretold(
        AtOnce(types.total(), _named(types)),
        [OnDay(_day(day), days[day]) for day in told],
        sum(days[day] for day in ordered[DAYS_MAX:]),
    )


def _named(types: Counter[tuple[str, str]]) -> list[OfType]:
    ordered = sorted(types.items(), key=lambda one: (-one[1], one[0]))
    named = [OfType(*name, events) for name, events in ordered[:TYPES_MAX]]
    others = sum(events for _, events in ordered[TYPES_MAX:])
    return [*named, OfType(None, None, others)] if others else named


def _day(day: int) -> str:
    text = times.format_us(day * DAY_US)
    assert text is not None
    return text[:10]
