"""`sealog count`, `sealog facets`, `sealog histogram`: numbers, and small bars of text."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from sealog.cli import printing
from sealog.cli.connection import connected
from sealog.cli.options import Where
from sealog.cli.searching import pointing

BAR_COLUMNS = 40
EMPTY_SHOWN_MAX = 3
"""Of more pieces of time in a row without an event, only the first and the last are shown."""
# From an eighth of a column to a whole one.
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def count(where: Where, asked: dict[str, Any], *, as_json: bool) -> None:
    """Print how many events pass: the number alone, or the API's own answer."""
    found = _ask(where, "/v1/count", asked, as_json=as_json)
    if found is not None:
        printing.say(str(found["count"]))


def facets(where: Where, asked: dict[str, Any], *, as_json: bool) -> None:
    """Print the most frequent values of each field with bars, or the API's own answer."""
    found = _ask(where, "/v1/facets", asked, as_json=as_json)
    if found is None:
        return
    for facet in found["facets"]:
        values = facet["values"]
        bars = _bars([one["count"] for one in values])
        rows = [
            (one["value"], f"{one['count']:,}", bar) for one, bar in zip(values, bars, strict=True)
        ]
        if facet["more"]:
            rows.append((f"{facet['more']:,} more", "", ""))
        printing.table(facet["field"], ("value", "events", ""), rows)
    _tell_count(found)


def histogram(where: Where, asked: dict[str, Any], *, as_json: bool) -> None:
    """Print how many events happened when, with bars, or the API's own answer."""
    found = _ask(where, "/v1/histogram", asked, as_json=as_json)
    if found is None:
        return
    buckets = found["buckets"]
    bars = _bars([one["count"] for one in buckets])
    rows: list[tuple[str, str, str]] = []
    for nothing, some in groupby(zip(buckets, bars, strict=True), lambda one: not one[1]):
        few = [
            (_begin(one["from"], found["interval"], found["zone"]), f"{one['count']:,}", bar)
            for one, bar in some
        ]
        if nothing and len(few) > EMPTY_SHOWN_MAX:
            few[1:-1] = [("…", "0", "")]
        rows += few
    printing.table("", (f"from ({found['zone']})", "events", ""), rows)
    _tell_count(found)


def _ask(where: Where, path: str, asked: dict[str, Any], *, as_json: bool) -> dict[str, Any] | None:
    """The answer, warned of where it is not whole; None where it is printed already."""

    async def ask() -> bytes:
        async with connected(where, writing=False) as client:
            return (await client.get(path, **asked)).content

    with pointing(asked["q"]):
        content = asyncio.run(ask())
    if as_json:
        printing.say(content.decode())
        return None
    found: dict[str, Any] = msgspec.json.decode(content)
    if "looked_from" in found:
        printing.tell(f"time was up: what is older than {found['looked_from']} may not be counted")
    if "damaged" in found:
        printing.tell(f"{found['damaged']} files are damaged and not counted: sealog verify")
    return found


def _tell_count(found: dict[str, Any]) -> None:
    number = found["count"]
    printing.tell("1 event" if number == 1 else f"{number:,} events")


def _bars(counts: Sequence[int]) -> list[str]:
    """A bar a count, the longest `BAR_COLUMNS` wide; what is not zero can be seen."""
    most = max(counts, default=0)
    bars = []
    for one in counts:
        eighths = -(-one * BAR_COLUMNS * 8 // most) if most else 0
        bars.append(("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip())
    return bars


def _begin(text: str, interval: str, zone: str) -> str:
    """When a bucket begins, as a clock of its zone shows it."""
    at = datetime.fromisoformat(text).astimezone(UTC if zone == "UTC" else ZoneInfo(zone))
    if interval in ("1mo", "1y"):
        return f"{at:%Y-%m}" if interval == "1mo" else f"{at.year:04}"
    return f"{at:%Y-%m-%d}" if interval in ("1d", "1w") else f"{at:%Y-%m-%d %H:%M}"
