"""`sealog search`: a page of events."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sealog.cli import printing
from sealog.cli.connection import WrongValue, connected
from sealog.cli.options import Where
from sealog.cli.pages import at
from sealog.event import tokens

_SHOWN_BEFORE = 40
_SHOWN_BEHIND = 30
_SHOWN_CHARS_MAX = 76
_TENANT = 1
_TO_MILLISECONDS = len("2026-01-31 12:00:00.000")


def search(where: Where, asked: dict[str, Any], *, as_json: bool) -> None:
    """Print a page: a table, or the API's own answer on one line.

    Events in a product's shape have no columns in common: each stands on a line of its own.
    """
    with pointing(asked["q"]):
        content = asyncio.run(_search(where, asked))
    if as_json:
        printing.say(content.decode())
        return
    page = tokens.plain(content)
    if is_shaped(asked):
        from sealog.cli.pages import read_page

        for event in read_page(content)[0]:
            printing.say(event.decode())
    else:
        _table(page)
    for name in ("looked_from", "looked_to"):
        if name in page:
            printing.tell(f"time was up at {page[name]}: the cursor goes on from there")
    if page.get("next_cursor"):
        printing.tell(f"more: --cursor {page['next_cursor']}")


def is_shaped(asked: dict[str, Any]) -> bool:
    """Whether events are asked for in another shape than that of ECS."""
    return asked.get("dialect") not in (None, "ecs")


def _table(page: dict[str, Any]) -> None:
    rows = [_row(event) for event in page["events"]]
    if len({row[_TENANT] for row in rows}) == 1:
        for row in rows:
            row[_TENANT] = ""
    printing.table(
        "",
        ("time (UTC)", "tenant", "index", "action", "outcome", "actor", "from"),
        rows,
        whole=("time (UTC)", "index"),
        spare=("tenant", "outcome", "actor", "from"),
    )


@contextmanager
def pointing(query: str | None) -> Iterator[None]:
    """Show where a query is wrong, under it, before what is wrong is said."""
    try:
        yield
    except WrongValue as error:
        for fault in error.faults:
            if query and fault.get("parameter") == "q" and "offset" in fault:
                for line in pointed(query, fault["offset"], fault.get("length", 0)):
                    printing.tell(line)
        raise


def pointed(query: str, offset: int, length: int) -> tuple[str, str]:
    """A query on one line, cut where it is long, and a line under it that points at a place."""
    from rich.cells import cell_len

    begin = max(0, offset - _SHOWN_BEFORE)
    end = offset + max(length, _SHOWN_BEHIND)
    end = min(end, begin + _SHOWN_CHARS_MAX)
    before = "…" if begin else ""
    shown = "".join([one if one.isprintable() else " " for one in query])
    line = before + shown[begin:end] + ("…" if end < len(query) else "")
    blank = cell_len(before + shown[begin:offset])
    return line, " " * blank + "^" * max(1, cell_len(shown[offset : min(offset + length, end)]))


async def _search(where: Where, asked: dict[str, Any]) -> bytes:
    async with connected(where, writing=False) as client:
        return (await client.get("/v1/events", **asked)).content


def _row(event: dict[str, Any]) -> list[str]:
    return [
        str(event.get("@timestamp", "")).replace("T", " ").removesuffix("Z")[:_TO_MILLISECONDS],
        at(event, "organization.id"),
        at(event, "sealog.index"),
        at(event, "event.action"),
        at(event, "event.outcome"),
        at(event, "user.name") or at(event, "user.id") or at(event, "sealog.actor.kind"),
        at(event, "source.ip") or at(event, "client.ip"),
    ]
