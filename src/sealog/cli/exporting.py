"""`sealog export`: a tenant's whole trail, in the order of its log."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from sealog.cli import printing
from sealog.cli.connection import Client, connected
from sealog.cli.options import Where
from sealog.cli.pages import at, read_page
from sealog.errors import Misconfigured, Missing, Refused
from sealog.event import tokens
from sealog.event.parts import STATEMENT_ACTIONS, STATEMENT_ENTRY

if TYPE_CHECKING:
    from sealog.app import App
    from sealog.archive.packwise import Piece
    from sealog.exports.forms import Form

PAGE = 1_000
FORMATS = ("ndjson", "csv", "parquet")
_ON_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


class Wanted(msgspec.Struct):
    """What to write, and where."""

    tenant: str
    form: str
    dialect: str = "ecs"
    ecs_version: str = "8.11"
    statements: bool = True
    output: Path | None = None


def wanted(tenant: str, form: str, dialect: str | None, ecs_version: str | None) -> Wanted:
    """What is asked for, in a shape that there is. Raises `Misconfigured`."""
    from sealog.rendering import rendering

    made = Wanted(tenant, form, dialect or rendering.ECS, ecs_version or rendering.ECS_VERSIONS[0])
    try:
        rendering.check(made.dialect, made.ecs_version)
    except Refused as error:
        raise Misconfigured(error.detail) from error
    return made


def export(where: Where, wanted: Wanted) -> None:
    """Write the export. Memory stays flat: one page, or one batch of packs, at a time."""
    if wanted.form not in FORMATS:
        raise Misconfigured(f"--format is one of {', '.join(FORMATS)}")
    count = asyncio.run(_export(where, wanted))
    if wanted.output is not None:
        printing.tell(f"{count} events in {wanted.output}")


async def _export(where: Where, wanted: Wanted) -> int:
    from sealog.exports import forms

    form = forms.Form(wanted.form, dialect=wanted.dialect, ecs_version=wanted.ecs_version)
    count = 0
    async with connected(where, writing=False) as client:
        total, found = await _found(client, wanted, form)
        out: Any = nullcontext(sys.stdout.buffer)
        if wanted.output is not None:
            out = wanted.output.open("wb")
        with out as file, printing.progress() as shown:
            task = shown.add_task(wanted.tenant, total=total)
            document = forms.document(form, file)
            try:
                async for events, content in found:
                    document.add(content)
                    count += events
                    shown.update(task, completed=count)
            except BaseException:
                # Half of an export must not look like one.
                with suppress(OSError, ValueError):
                    document.end()
                if wanted.output is not None and wanted.output.is_file():
                    wanted.output.unlink()
                raise
            document.end()
            file.flush()
    return count


async def _found(
    client: Client, wanted: Wanted, form: "Form"
) -> tuple[int | None, AsyncIterator[tuple[int, bytes]]]:
    """How many events there are, if that can be known, and their numbers and bytes in a form."""
    if client.app is None:
        return await _size(client, wanted), _fetched(client, wanted, form)
    tenant = client.app.tenants.get(wanted.tenant)
    if tenant is None:
        raise Missing("there is no such tenant", code="no-such-tenant")
    return client.app.archive.visible(tenant), _packed(client.app, wanted, form)


async def _size(client: Client, wanted: Wanted) -> int | None:
    try:
        shown = await client.get(f"/v1/tenants/{wanted.tenant}")
    except Refused:
        return None  # The key may export, and see nothing else.
    size: int = msgspec.json.decode(shown.content)["size"]
    return size


async def _packed(app: "App", wanted: Wanted, form: "Form") -> AsyncIterator[tuple[int, bytes]]:
    """From the data folder: packs as they rest."""
    from sealog.archive import packwise
    from sealog.exports.forms import Writer
    from sealog.exports.making import BATCH_EVENTS
    from sealog.query.tree import Query
    from sealog.server import deriving

    tenant = app.tenants.get(wanted.tenant)
    assert tenant is not None
    pieces = app.archive.pieces(tenant, Query(), app.archive.visible(tenant))
    if not wanted.statements:
        pieces = without_statements(pieces)
    writer = Writer(form, deriving.DERIVE)
    for batch in packwise.batches(pieces, BATCH_EVENTS):
        count = sum(piece.count for piece in batch)
        yield count, writer.write([(one.pack, one.base, one.places) for one in batch])


def without_statements(pieces: Iterator["Piece"]) -> Iterator["Piece"]:
    """What is left of pieces without Sealog's own statements."""
    for piece in pieces:
        kinds = piece.pack.kinds
        if STATEMENT_ENTRY not in kinds:
            yield piece
            continue
        places = range(len(kinds)) if piece.places is None else piece.places
        left = [place for place in places if kinds[place : place + 1] != STATEMENT_ENTRY]
        if left:
            yield msgspec.structs.replace(piece, places=left)


async def _fetched(
    client: Client, wanted: Wanted, form: "Form"
) -> AsyncIterator[tuple[int, bytes]]:
    """From a server: its feed, page by page."""
    from sealog.exports import forms

    shapes: list[dict[str, str]] = [{}]
    if not form.is_native:
        shape = {"dialect": form.dialect, "ecs_version": form.ecs_version}
        # Columns are read from ECS, whatever shape the event itself has in its own.
        shapes = [shape] if form.name == "ndjson" else [{}, shape]
    after: str | None = None
    while True:
        asked = {"tenant": wanted.tenant, "after": after, "limit": PAGE}
        pages = [
            read_page((await client.get("/v1/feed", **asked, **one)).content) for one in shapes
        ]
        if len({(len(events), cursor) for events, cursor in pages}) > 1:
            continue  # Something came between the two, or expired.
        after = pages[0][1]
        if not pages[0][0]:
            return
        rows = list(zip(*[events for events, _ in pages], strict=True))
        if not wanted.statements:
            rows = [row for row in rows if not is_statement(row[0])]
        if rows:
            texts = [_lines(events) for events in zip(*rows, strict=True)]
            yield len(rows), forms.of_lines(form, *texts)


def _lines(events: Iterable[bytes]) -> bytes:
    # Between the tokens of a value white space stands as it was sent; in strings it cannot.
    return b"".join([event.translate(_ON_ONE_LINE) + b"\n" for event in events])


def is_statement(event: bytes) -> bool:
    """Whether an event is one of Sealog's own statements."""
    # Cheap first: nearly no event names one at all.
    if not any(action.encode() in event for action in STATEMENT_ACTIONS):
        return False
    shown = tokens.plain(event)
    # In a product's shape, nothing else stands in it.
    is_shaped = isinstance(shown, dict) and shown.keys() == {"sealog"}
    return at(shown, "sealog.action" if is_shaped else "event.action") in STATEMENT_ACTIONS
