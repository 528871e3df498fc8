"""LogicHub's audit events in their envelope, a line each, those that came broken repaired."""

from collections.abc import Sequence
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from sealog.archive.archive import Found
from sealog.catalog import shelf
from sealog.catalog.entries import fold
from sealog.compat import naming
from sealog.compat.listing import Listing
from sealog.query.tree import Is, Node, either
from sealog.server.application import Plain
from sealog.server.parts import Parts
from sealog.server.problems import BadParameter
from sealog.server.settings import Settings

PATH = "/logichub/audit-events"
MEDIA_TYPE = "application/x-ndjson"

_NAMES = {"type": "action", "actor": "actor"}
_ENCODE = msgspec.json.Encoder().encode
_YES = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


def routes(parts: Parts, settings: Settings) -> list[BaseRoute]:
    """The one route."""
    return [Plain(PATH, AuditEvents(Listing(parts, settings, "logichub")).page, methods=["GET"])]


class AuditEvents:
    """The route."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing

    async def page(self, request: Request) -> Response:
        """`GET /logichub/audit-events`: a page of them as NDJSON; `Link` leads to the next."""
        params = request.query_params
        asked = self._listing.asked(request, _NAMES, also=("category", "findings"))
        if "category" in params:
            asked = asked.narrowed(either([_in(name) for name in params.getlist("category")]))
        with_findings = _YES.get(params.get("findings", "no").lower())
        if with_findings is None:
            raise BadParameter("findings", "findings is yes or no")
        following: list[str | None] = []

        def work() -> tuple[bytes, Sequence[Found]]:
            page = self._listing.page(asked)
            following.append(page.next_cursor)
            lines = [self._line(one, with_findings=with_findings) for one in page.events]
            return b"".join([line + b"\n" for line in lines]), page.events

        content = await self._listing.given(request, asked, work)
        headers = {}
        if following[0] is not None:
            pairs = [pair for pair in params.multi_items() if pair[0] != "cursor"]
            query = urlencode([*pairs, ("cursor", following[0])])
            headers["Link"] = f'<{PATH}?{query}>; rel="next"'
        return Response(content, headers=headers, media_type=MEDIA_TYPE)

    def _line(self, found: Found, *, with_findings: bool) -> bytes:
        text = self._listing.render(found.opened, found.index)
        if not with_findings:
            return text
        about = {"index": found.index, "findings": naming.findings(found.opened)}
        members = naming.members(text)
        if not members or "sealog" in members:
            return text
        # Added at its end, so that equal keys stay as they are.
        return text.rstrip()[:-1] + b',"sealog":' + _ENCODE(about) + b"}"


def _in(category: str) -> Node:
    """The types of a category, however it is spelled: documents and records differ (LH-Q2)."""
    wanted = fold(category).rstrip("s")
    found = [
        Is("action", one.native)
        for one in shelf.load().dialects["logichub"].types
        if wanted in {fold(name).rstrip("s") for name in (one.group, *one.groups_seen)}
    ]
    if not found:
        raise BadParameter("category", "there is no such category")
    return either(list(found))
