"""How streams look in JSON, and what of it may be sent back."""

from typing import Any

from starlette.requests import Request

from sealog.access.tenants import Tenants
from sealog.delivery.stream import Stream
from sealog.delivery.streams import Streams
from sealog.delivery.wishes import MEMBERS, check_members, index_of
from sealog.errors import Refused
from sealog.event import times
from sealog.policy.reading import without_path
from sealog.server.knocking import visit_of

VERSION_DIGITS_MAX = 9
SHOWN_BESIDE = (
    "id", "state", "next", "lag_events", "lag_seconds", "delivered", "delivered_bytes", "parked",
    "last_success", "failures", "failing_since", "next_attempt", "last_error", "created", "changed",
)  # fmt: skip
"""What is shown of a stream and not wished of it: ignored where it is sent back."""
assert not set(SHOWN_BESIDE).intersection(MEMBERS)


def shown(
    stream: Stream, streams: Streams, tenants: Tenants, *, whole: bool = True
) -> dict[str, Any]:
    """A stream, without anything secret; `whole`: for who may change it. It blocks."""
    tenant = tenants.numbered(stream.tenant)
    wanted, health = stream.wanted, stream.health
    events, seconds = streams.lag(stream)
    error = health.last_error
    return {
        "id": stream.id,
        "tenant": None if tenant is None else tenant.name,
        "version": stream.version,
        "name": wanted.name,
        "destination": wanted.destination if whole else without_path(wanted.destination),
        "filter": wanted.filter,
        "fields": {"include": wanted.shape.include, "exclude": wanted.shape.exclude},
        "mask": wanted.shape.mask,
        "dialect": wanted.dialect,
        "ecs_version": wanted.ecs_version,
        "state": stream.shown_state,
        "next": stream.next,
        "lag_events": events,
        "lag_seconds": None if seconds is None else round(seconds, 3),
        "delivered": health.delivered,
        "delivered_bytes": health.delivered_bytes,
        "parked": streams.parked_count(stream),
        "last_success": time_text(health.last_success_us),
        "failures": health.failures,
        "failing_since": time_text(health.failing_since_us),
        "next_attempt": time_text(health.next_attempt_us),
        "last_error": None
        if error is None
        else {"at": time_text(error.at_us), "kind": error.kind, "reason": error.reason},
        "created": time_text(stream.created_us),
        "changed": time_text(stream.changed_us),
    }


def version_of(request: Request, body: dict[str, Any]) -> int:
    """The version that is to be changed: `If-Match`, or the member of that name."""
    asked = visit_of(request.scope).headers.get(b"if-match")
    version = body.pop("version", None)
    if asked is not None:
        text = asked.decode("latin-1").strip().removeprefix("W/").strip('"')
        version = (
            int(text)
            if text.isascii() and text.isdigit() and len(text) <= VERSION_DIGITS_MAX
            else -1
        )
    if type(version) is not int:
        detail = "name the version it is based on: version in the body, or If-Match"
        raise Refused(detail, code="no-version", pointer="/version")
    return version


def place_of(asked: object) -> tuple[int | None, int | None]:
    """An index, or a time in microseconds: `{"index": 7}`, `{"time": "2026-01-31T00:00:00Z"}`."""
    if asked == "beginning":
        return 0, None
    if not isinstance(asked, dict) or len(asked) != 1:
        raise bad('from is "beginning", {"index": …} or {"time": …}', "/from")
    check_members(asked, ("index", "time"), "/from")
    if "index" in asked:
        return index_of(asked["index"], "/from/index"), None
    moment = times.read(asked["time"]) if isinstance(asked["time"], str) else None
    if moment is None or moment.oddities:
        raise bad("a time is written as 2026-01-31T00:00:00Z", "/from/time")
    return None, moment.at_us


def time_text(at_us: int | None) -> str | None:
    """A time as it is shown."""
    return None if at_us is None else times.format_us(at_us)


def bad(detail: str, pointer: str) -> Refused:
    """Something of a stream cannot be."""
    return Refused(detail, code="bad-stream", pointer=pointer)
