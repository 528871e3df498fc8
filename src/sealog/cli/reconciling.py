"""`sealog reconcile`: what a receiver holds, against the trail."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import typer

from sealog.cli import holdings, printing
from sealog.cli.connection import Client, connected
from sealog.cli.options import Where
from sealog.cli.pages import read_page
from sealog.delivery import holding
from sealog.delivery.holding import Comparing, Held, Span, Unread
from sealog.delivery.reconciling import Reconciliation, Report, text_of
from sealog.delivery.shaping import Shape
from sealog.errors import Misconfigured, Missing
from sealog.event import tokens
from sealog.verify.indexes import IndexSet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PAGE = 1_000
RANGES_SHOWN = 20
PLACES_SHOWN = 20
IN_MEMORY_MAX = 1 << 20
"""Digests of more events are kept in a file without a name."""


class Wanted(msgspec.Struct, frozen=True):
    """What is compared with what."""

    files: tuple[str, ...]
    tenant: str
    stream: str | None = None
    query: str | None = None
    dialect: str = "ecs"
    ecs_version: str = "8.11"
    first: int = 0
    last: int | None = None
    may_double: bool = False
    as_json: bool = False


class _Like(msgspec.Struct, frozen=True):
    """How the events look that the receiver was sent, and which they are."""

    shown: dict[str, str]
    """Parameters of the feed."""
    filter: dict[str, Any] | None
    """Parameters of a search; None where everything is sent."""
    comparing: Comparing


class _Read(msgspec.Struct):
    """What was read of the files, beside what the comparison knows."""

    records: int = 0
    foreign: int = 0
    """Of other tenants."""
    unplaced: int = 0
    """Without an index."""
    places: list[str] = msgspec.field(default_factory=list)
    """Where something does not read, and why."""
    unread: int = 0

    def spoil(self, place: str, why: str) -> None:
        """Note something that does not read."""
        self.unread += 1
        if len(self.places) < PLACES_SHOWN:
            self.places.append(f"{place}: {why}")


def reconcile(where: Where, wanted: Wanted) -> None:
    """Compare, print, and end with exit code 1 where anything is wrong."""
    if wanted.last is not None and wanted.last < wanted.first:
        raise Misconfigured("--to is before --from")
    if wanted.stream is not None and wanted.query is not None:
        raise Misconfigured("a stream has its own filter: give --stream or --query")
    report, read = asyncio.run(_reconcile(where, wanted))
    is_whole = not (read.foreign or read.unplaced or read.unread)
    holds = is_whole and (report.is_complete if wanted.may_double else report.holds)
    if wanted.as_json:
        own = {"holds": holds, **msgspec.structs.asdict(read)}
        printing.as_json(own | msgspec.structs.asdict(report))
    else:
        for line in lines_of(report, read):
            printing.say(line)
        printing.say("the receiver holds everything" if holds else "NOT the same")
    if not holds:
        raise typer.Exit(printing.FAILED)


def lines_of(report: Report, read: _Read) -> Iterator[str]:
    """A report for people."""
    for place in read.places:
        yield f"WRONG    {place}"
    if read.unread > len(read.places):
        yield f"WRONG    and {read.unread - len(read.places)} more that do not read"
    for count, what in (
        (read.foreign, "records of another tenant"),
        (read.unplaced, "records say no index, and the file's name gives none"),
    ):
        if count:
            yield f"WRONG    {count} {what}"
    for name in ("missing", "doubled", "altered", "expired", "unchecked"):
        found = getattr(report, name)
        if found.count:
            yield f"{name:8} {found.count}: {text_of(found.ranges, RANGES_SHOWN)}"
    if report.unknown:
        yield f"unknown  the log has no {', '.join(map(str, report.unknown))}"
    if report.behind:
        yield f"behind   {report.behind}: from {report.last + 1} on"
    span = f"{report.first} to {report.last}" if report.last >= report.first else "nothing"
    yield f"{report.held} held, of {report.size} in the log; compared {span}"


async def _reconcile(where: Where, wanted: Wanted) -> tuple[Report, _Read]:
    paths = holdings.paths(wanted.files)
    async with connected(where, writing=False) as client:
        size = await _size(client, wanted.tenant)
        like = await _like(client, wanted)
        with ExitStack() as stack:
            expected = None
            if like.filter is not None:
                expected = await _expected(client, wanted.tenant, like.filter, size)
            found = Reconciliation(size, _digests(size, stack), expected)
            read = _Read()
            with printing.progress(quiet=wanted.as_json) as shown:
                task = shown.add_task("read", total=len(paths))
                for path in paths:
                    _take(path, wanted.tenant, (found, like.comparing, read))
                    shown.advance(task)
                task = shown.add_task("compare", total=size)
                async for index, event in _events(client, wanted.tenant, like.shown, size):
                    if not found.is_held(index):
                        found.compare(index, None)
                        continue
                    value = tokens.plain(event)
                    digest = None
                    if not holding.has_erased(value):
                        digest = like.comparing.digest(value, index)
                    found.compare(index, digest)
                    if index % PAGE == 0:
                        shown.update(task, completed=index)
                async for statement in _statements(client, wanted.tenant):
                    found.explain(int(statement["sealog"]["index"]), statement)
            return found.report(wanted.first, wanted.last), read


def _take(path: Path | None, tenant: str, into: tuple[Reconciliation, Comparing, _Read]) -> None:
    """Take everything that a file holds."""
    found, _, read = into
    places: Iterator[int] | None = None
    span = None if path is None else holding.named(path.name)
    name = "-" if path is None else str(path)
    try:
        for nth, value in enumerate(holdings.values(path)):
            try:
                for held in holding.records(value):
                    if span is not None and held.index is None and places is None:
                        places = _placed(path, span, found)
                    _take_one(held, tenant, into, places)
            except Unread as error:
                read.spoil(f"{name}, record {nth + 1}", str(error))
    except holdings.UNREADABLE as error:
        read.spoil(name, str(error) or type(error).__name__)


def _take_one(
    held: Held,
    tenant: str,
    into: tuple[Reconciliation, Comparing, _Read],
    places: Iterator[int] | None,
) -> None:
    found, comparing, read = into
    read.records += 1
    if held.tenant is not None and held.tenant != tenant:
        read.foreign += 1
        return
    index = held.index
    if index is None and places is not None:
        index = next(places, None)
    if index is None:
        read.unplaced += 1
        return
    found.take(index, comparing.digest(held.body, index))


def _placed(path: Path | None, span: Span, found: Reconciliation) -> Iterator[int]:
    """The indexes of the records of a file whose records say none, if its name tells them all."""
    indexes = found.indexes(span.first, span.last)
    if len(indexes) != sum(1 for _ in holdings.values(path)):
        return iter(())
    return iter(indexes)


async def _size(client: Client, tenant: str) -> int:
    if client.app is not None:
        known = client.app.tenants.get(tenant)
        if known is None:
            raise Missing("there is no such tenant", code="no-such-tenant")
        return client.app.archive.visible(known)
    shown = await client.get(f"/v1/tenants/{tenant}")
    size: int = msgspec.json.decode(shown.content)["size"]
    return size


async def _like(client: Client, wanted: Wanted) -> _Like:
    """How the events look: as a stream sends them, or as it was said."""
    dialect, version, shape = wanted.dialect, wanted.ecs_version, Shape()
    asked: dict[str, Any] | None = None if wanted.query is None else {"q": wanted.query}
    if wanted.stream is not None:
        shown = (await client.get(f"/v1/streams/{wanted.stream}")).content
        stream = msgspec.json.decode(shown)
        dialect, version = stream["dialect"], stream["ecs_version"]
        fields = stream.get("fields") or {}
        shape = msgspec.convert({**fields, "mask": stream.get("mask") or {}}, Shape)
        asked = dict(stream.get("filter") or {})
        # Of a search the parameter `dialect` is a shape: what came in one is asked for in `q`.
        only = [f"dialect:{asked.pop('dialect')}"] if "dialect" in asked else []
        if stream["destination"].get("body") == "bare":
            # The product's own records alone: nothing of Sealog's is sent.
            only.append("-dialect:sealog")
        if only:
            given = [f"({asked['q']})"] if asked.get("q") else []
            asked["q"] = " ".join(given + only)
    shown_as = {} if dialect == "ecs" else {"dialect": dialect}
    if version != "8.11":
        shown_as["ecs_version"] = version
    return _Like(shown_as, asked, Comparing(shape, is_ecs=dialect == "ecs"))


async def _expected(client: Client, tenant: str, asked: dict[str, Any], size: int) -> IndexSet:
    """The indexes of what a filter lets pass, and of statements, which pass every one."""
    expected = IndexSet(size)
    async for event in _searched(client, tenant, asked):
        expected.add(_index_of(event))
    if "-dialect:sealog" not in str(asked.get("q", "")):
        async for statement in _statements(client, tenant):
            expected.add(int(statement["sealog"]["index"]))
    return expected


async def _statements(client: Client, tenant: str) -> AsyncIterator[dict[str, Any]]:
    async for event in _searched(client, tenant, {"action": "sealog.retention"}):
        yield tokens.plain(event)


async def _searched(client: Client, tenant: str, asked: dict[str, Any]) -> AsyncIterator[bytes]:
    cursor: str | None = None
    while True:
        more = {**asked, "tenant": tenant, "order": "oldest", "limit": PAGE, "cursor": cursor}
        events, cursor = read_page((await client.get("/v1/events", **more)).content)
        for event in events:
            yield event
        if cursor is None:
            return


async def _events(
    client: Client, tenant: str, shown: dict[str, str], size: int
) -> AsyncIterator[tuple[int, bytes]]:
    """Every event below `size` that is there, with its index, in the shape that is compared."""
    after: str | None = None
    while True:
        asked = {"tenant": tenant, "after": after, "limit": PAGE}
        events, following = read_page((await client.get("/v1/feed", **asked)).content)
        if not events:
            return
        indexes = [_index_of(event) for event in events]
        if shown:
            asked["limit"] = len(events)
            events, same = read_page((await client.get("/v1/feed", **asked, **shown)).content)
            if len(events) != len(indexes) or same != following:
                # Something expired in between.
                continue
        for index, event in zip(indexes, events, strict=True):
            if index >= size:
                return
            yield index, event
        after = following


class _Own(msgspec.Struct):
    index: int


class _Event(msgspec.Struct):
    sealog: _Own


def _index_of(event: bytes) -> int:
    try:
        return msgspec.json.decode(event, type=_Event).sealog.index
    except (msgspec.MsgspecError, UnicodeDecodeError):
        index: int = tokens.plain(event)["sealog"]["index"]
        return index


def _digests(size: int, stack: ExitStack) -> "NDArray[np.uint64]":
    import numpy as np

    if size <= IN_MEMORY_MAX:
        return np.zeros(size, np.uint64)
    file = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
    return np.memmap(file, np.uint64, "w+", shape=(size,))
