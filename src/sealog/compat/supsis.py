"""Supsis's audit page as an interface: four columns, a user filter and an event filter (CP-01 to CP-21)."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from sealog.archive.archive import Found, Page
from sealog.compat import naming
from sealog.compat.listing import Asked, Listing
from sealog.dialects.supsis import SYSTEM
from sealog.event import tokens
from sealog.exports.forms import csv_lines
from sealog.query.tree import Is, either
from sealog.server.application import Plain
from sealog.server.parts import Parts
from sealog.server.problems import BadParameter
from sealog.server.settings import Settings

PATH = "/supsis/audit-logs"
COLUMNS = {
    "dateTime": "Date and Time",
    "user": "User",
    "ip": "IP Address",
    "activity": "Activity",
}
"""Member → the title of the column, as the page has it."""

_NAMES = {"event": "action"}
_ENCODE = msgspec.json.Encoder().encode


def routes(parts: Parts, settings: Settings) -> list[BaseRoute]:
    """The one route."""
    return [Plain(PATH, AuditLogs(Listing(parts, settings, "supsis")).page, methods=["GET"])]


class AuditLogs:
    """The route."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing

    async def page(self, request: Request) -> Response:
        """`GET /supsis/audit-logs`: a page as JSON, or all of it as CSV."""
        asked = self._listing.asked(request, _NAMES, also=("user", "format"))
        asked = asked.narrowed(
            *[either([_user(name) for name in request.query_params.getlist("user")])]
            if "user" in request.query_params
            else []
        )
        form = request.query_params.get("format", "json")
        if form == "csv":
            return StreamingResponse(
                self._csv(request, asked), media_type="text/csv; charset=utf-8; header=present"
            )
        if form != "json":
            raise BadParameter("format", "format is json or csv")

        def work() -> tuple[bytes, Sequence[Found]]:
            page = self._listing.page(asked)
            rows = [self._row(one) for one in page.events]
            return _ENCODE({"logs": rows, "next_cursor": page.next_cursor}), page.events

        content = await self._listing.given(request, asked, work)
        return Response(content, media_type="application/json")

    async def _csv(self, request: Request, asked: Asked) -> AsyncIterator[bytes]:
        """All that passes, a page at a time: whoever is slow to take it holds nothing."""
        yield csv_lines([list(COLUMNS.values())])
        cursor = asked.cursor
        while True:
            following = msgspec.structs.replace(asked, cursor=cursor)
            page, content = await self._listing.threads.run(lambda: self._lines(following))  # noqa: B023 - awaited here
            self._listing.note(request, asked, [one.index for one in page.events])
            yield content
            cursor = page.next_cursor
            if cursor is None:
                return

    def _lines(self, asked: Asked) -> tuple[Page, bytes]:
        page = self._listing.page(asked)
        return page, csv_lines([[*self._row(one).values()] for one in page.events])

    def _row(self, found: Found) -> dict[str, str]:
        """The four columns, blank where there is nothing (CP-03)."""
        row = naming.members(self._listing.render(found.opened, found.index))
        said = {name: row.get(name, row.get(title)) for name, title in COLUMNS.items()}
        return {name: _text(value) for name, value in said.items()}


def _user(name: str) -> Any:
    if name == SYSTEM:
        return Is("actor.kind", SYSTEM)
    return Is("actor", name)


def _text(token: Raw | None) -> str:
    """A value as a cell shows it; what is neither text nor nothing as its JSON."""
    value = None if token is None else tokens.plain(token)
    if value is None:
        return ""
    return value if isinstance(value, str) else bytes(token or b"").decode("utf-8", "replace")
