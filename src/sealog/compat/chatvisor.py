"""Chatvisor's two logs: what users of a tenant did, and what happened in one session (CV-01 to CV-33)."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from sealog.archive.archive import Found
from sealog.catalog import shelf
from sealog.compat import chatvisor_changes, naming
from sealog.compat.listing import Asked, Listing
from sealog.event import times, tokens
from sealog.query.tree import Is, Not, either, every, query
from sealog.server.application import Plain
from sealog.server.parts import Parts
from sealog.server.settings import Settings

ACTIVITY = "/chatvisor/activity-logs"
SESSION = "/chatvisor/sessions/{id}"
JOINED = "LIVE_VIEW"
"""The activity that leads to a session (CV-30)."""
LOOKED_MAX = 200
"""So many earlier events are looked at for the configuration before a change."""
JOINED_MAX = 100

_ENCODE = msgspec.json.Encoder().encode
_NAMES = {"type": "action", "tenantUserId": "actor.id"}


def routes(parts: Parts, settings: Settings) -> list[BaseRoute]:
    """Both routes."""
    logs = Logs(Listing(parts, settings, "chatvisor"))
    return [
        Plain(ACTIVITY, logs.activity, methods=["GET"]),
        Plain(SESSION, logs.session, methods=["GET"]),
    ]


class Logs:
    """The routes."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._types = {one.native: one for one in shelf.load().dialects["chatvisor"].types}
        self._of_sessions = either(
            [Is("action", one.native) for one in self._types.values() if one.group == "co-browsing"]
        )

    async def activity(self, request: Request) -> Response:
        """`GET /chatvisor/activity-logs`: Type, Name, Description, Data, and who it was."""
        asked = self._listing.asked(request, _NAMES).narrowed(Not(self._of_sessions))

        def work() -> tuple[bytes, Sequence[Found]]:
            page = self._listing.page(asked)
            logs = [self._activity(asked, one) for one in page.events]
            return _ENCODE({"logs": logs, "next_cursor": page.next_cursor}), page.events

        return _json(await self._listing.given(request, asked, work))

    async def session(self, request: Request) -> Response:
        """`GET /chatvisor/sessions/{id}`: the events of a session in their order, and who joined."""
        session_id: str = request.path_params["id"]
        asked = self._listing.asked(request, {"type": "action"}, order="oldest")
        of_session = Is("session", session_id)
        events = asked.narrowed(of_session, self._of_sessions)
        joined = asked.narrowed(of_session, Is("action", JOINED))
        # Whoever joined may have done so before the range that is asked for.
        joined = msgspec.structs.replace(
            joined, cursor=None, limit=JOINED_MAX, query=query(joined.query.where)
        )

        def work() -> tuple[bytes, Sequence[Found]]:
            page = self._listing.page(events)
            joining = [] if asked.cursor else self._listing.page(joined).events
            shown: dict[str, Any] = {"sessionId": session_id}
            if not asked.cursor:
                shown["joined"] = [self._activity(asked, one) for one in joining]
            shown["events"] = [self._event(one) for one in page.events]
            shown["next_cursor"] = page.next_cursor
            return _ENCODE(shown), [*joining, *page.events]

        return _json(await self._listing.given(request, asked, work))

    def _record(self, found: Found) -> dict[str, Raw]:
        return naming.members(self._listing.render(found.opened, found.index))

    def _activity(self, asked: Asked, found: Found) -> dict[str, Any]:
        record = self._record(found)
        native = _plain(record, "type")
        known = self._types.get(str(native))
        shown: dict[str, Any] = {
            "id": naming.named(found.opened)[0],
            "timestamp": record.get("timestamp"),
            "type": record.get("type"),
            "name": None if known is None else known.name,
            "description": None if known is None else known.description,
            "data": record.get("data"),
            "tenantUserId": record.get("tenantUserId", record.get("tenantUserID")),
        }
        if "sealog" in record:
            shown["sealog"] = record["sealog"]
        if native in chatvisor_changes.CHANGES and isinstance(_plain(record, "data"), dict):
            shown["changes"] = self._changes(asked, found, str(native), record)
        return shown

    def _event(self, found: Found) -> dict[str, Any]:
        record = self._record(found)
        shown = {
            "id": naming.named(found.opened)[0],
            "timestamp": record.get("timestamp"),
            "type": record.get("type"),
            "agent": record.get("agent"),
            "data": record.get("data"),
        }
        return shown | ({"sealog": record["sealog"]} if "sealog" in record else {})

    def _changes(
        self, asked: Asked, found: Found, native: str, record: Mapping[str, Raw]
    ) -> list[chatvisor_changes.Change]:
        """Each object of the event against the last event that configured it."""
        left = chatvisor_changes.objects(native, _plain(record, "data"))
        changes: dict[str, chatvisor_changes.Change] = {}
        page = self._listing.parts.archive.search(
            [asked.tenant],
            query(every([Is("dialect", "chatvisor"), Is("action", native)])),
            limit=LOOKED_MAX,
            after=(found.at_us, found.index, asked.tenant.number),
        )
        for earlier in page.events:
            if len(changes) == len(left):
                break
            data = _plain(self._record(earlier), "data")
            said = chatvisor_changes.objects(native, data) if isinstance(data, dict) else {}
            place = {"index": earlier.index, "timestamp": times.format_us(earlier.at_us, digits=3)}
            for name in left.keys() & said.keys() - changes.keys():
                changes[name] = chatvisor_changes.change(name, left[name], said[name], place)
        return [
            changes.get(name) or chatvisor_changes.change(name, new, None, None)
            for name, new in left.items()
        ]


def _plain(record: Mapping[str, Raw], name: str) -> Any:
    """What a member says, to be looked at: it is shown as the token it is."""
    token = record.get(name)
    return None if token is None else tokens.plain(token)


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")
