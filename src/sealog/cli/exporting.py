"""`sealog export`: a tenant's whole trail, in the order of its log."""

import asyncio
import csv
import io
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Raw

from sealog.cli import printing
from sealog.cli.connection import Client, connected
from sealog.cli.options import Where
from sealog.cli.searching import at
from sealog.errors import Misconfigured
from sealog.event import tokens
from sealog.event.parts import STATEMENT_ACTIONS

PAGE = 1_000
FORMATS = ("ndjson", "csv")
COLUMNS = (
    "sealog.index", "@timestamp", "event.ingested", "organization.id", "event.id",
    "sealog.dialect", "event.action", "sealog.action", "event.kind", "event.category",
    "event.type", "event.outcome", "user.id", "user.name", "user.email", "sealog.actor.kind",
    "source.ip", "client.ip", "user.target.id", "user.target.name", "session.id",
    "http.request.method", "http.response.status_code", "url.full", "message",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Wanted(msgspec.Struct, frozen=True):
    """What to write, and where."""

    tenant: str
    form: str
    statements: bool
    output: Path | None


class _Page(msgspec.Struct):
    events: list[Raw]
    next_cursor: str | None = None


def export(where: Where, wanted: Wanted) -> None:
    """Write the export. Memory stays flat: one page at a time."""
    if wanted.form not in FORMATS:
        raise Misconfigured(f"--format is one of {', '.join(FORMATS)}")
    count = asyncio.run(_export(where, wanted))
    if wanted.output is not None:
        printing.tell(f"{count} events in {wanted.output}")


async def _export(where: Where, wanted: Wanted) -> int:
    out: Any = nullcontext(sys.stdout.buffer)
    if wanted.output is not None:
        out = wanted.output.open("wb")
    count = 0
    async with connected(where, writing=False) as client:
        with out as file, printing.progress() as shown:
            task = shown.add_task(wanted.tenant, total=None)
            if wanted.form == "csv":
                # As they are: programs look columns up by these names, and nobody sent them.
                file.write((",".join(COLUMNS) + "\r\n").encode())
            async for events in _pages(client, wanted):
                count += write(file, events, wanted.form)
                shown.update(task, completed=count)
            file.flush()
    return count


async def _pages(client: Client, wanted: Wanted) -> AsyncIterator[list[bytes]]:
    after: str | None = None
    while True:
        asked = {"tenant": wanted.tenant, "after": after, "limit": PAGE}
        content = (await client.get("/v1/feed", **asked)).content
        events, after = read_page(content)
        if not events:
            return
        if not wanted.statements:
            events = [event for event in events if not is_statement(event)]
        yield events


def read_page(content: bytes) -> tuple[list[bytes], str | None]:
    """The events of a feed's page, each as the JSON it is, and where the next page begins."""
    try:
        page = msgspec.json.decode(content, type=_Page)
    except msgspec.DecodeError:
        # Text that only the slow reader takes: lone surrogates, for one.
        tree = tokens.parse(content, own=True).tree
        events = [bytes(item) for item in tokens.elements(tree["events"])]
        return events, tokens.plain(tree["next_cursor"])
    return [bytes(event) for event in page.events], page.next_cursor


def is_statement(event: bytes) -> bool:
    """Whether an event is one of Sealog's own statements."""
    # Cheap first: nearly no event names one at all.
    if not any(action.encode() in event for action in STATEMENT_ACTIONS):
        return False
    return at(tokens.plain(event), "event.action") in STATEMENT_ACTIONS


def write(file: BinaryIO, events: list[bytes], form: str) -> int:
    """Write one page."""
    if form == "ndjson":
        file.write(b"".join([event + b"\n" for event in events]))
    else:
        for event in events:
            read = tokens.plain(event)
            file.write(csv_line([at(read, column) for column in COLUMNS]))
    return len(events)


def csv_line(cells: Iterable[str]) -> bytes:
    """One row (RFC 4180), safe to open in a spreadsheet: what would be a formula starts with `'`."""
    line = io.StringIO()
    safe = ["'" + cell if cell.startswith(_FORMULA) else cell for cell in cells]
    csv.writer(line).writerow(safe)
    return line.getvalue().encode("utf-8", "replace")
