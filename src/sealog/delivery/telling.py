"""What a stream's tenant is told of it: ordinary events of the dialect `sealog`, never a secret.

A stream carries what is told of it, if it passes its filter, like any other event; it tells of its own
failing once each time it fails, and at most every hour, so that it never runs after its own words.
"""

from collections.abc import Mapping
from typing import Any

from sealog.delivery.destination import Verdict
from sealog.delivery.stream import Happened, Stream, Wanted

SYSTEM: dict[str, Any] = {"user": {"id": "sealog"}, "sealog": {"kind": "system"}}
"""Nobody asked for it."""


def created(stream: Stream, actor: Mapping[str, Any]) -> Happened:
    """A stream was made."""
    return _told("created", stream, stream.created_us, actor, {"next": stream.next})


def changed(before: Stream, after: Wanted, at_us: int, actor: Mapping[str, Any]) -> Happened:
    """Something else is wanted of it; which members changed, not what they hold."""
    names = [
        name for name in Wanted.__struct_fields__ if _of(before.wanted, name) != _of(after, name)
    ]
    names = sorted({"filter" if name == "query" else name for name in names}) or ["secrets"]
    more = {"changed": names, "version": before.version + 1}
    return _told("changed", before, at_us, actor, more)


def paused(stream: Stream, at_us: int, actor: Mapping[str, Any]) -> Happened:
    """It sends nothing until it is resumed."""
    return _told("paused", stream, at_us, actor, {"next": stream.next})


def resumed(stream: Stream, at_us: int, actor: Mapping[str, Any]) -> Happened:
    """It sends again."""
    return _told("resumed", stream, at_us, actor, {"next": stream.next})


def replayed(stream: Stream, first: int, at_us: int, actor: Mapping[str, Any]) -> Happened:
    """It goes on from another index."""
    return _told("replayed", stream, at_us, actor, {"from": first, "next": stream.next})


def deleted(stream: Stream, at_us: int, actor: Mapping[str, Any]) -> Happened:
    """It is there no more."""
    return _told("deleted", stream, at_us, actor, {"next": stream.next})


def failing(stream: Stream, at_us: int) -> Happened:
    """Its destination has not taken anything for a while."""
    error = stream.health.last_error
    more = {"next": stream.next, "error": "" if error is None else error.kind}
    return _told("failing", stream, at_us, SYSTEM, more)


def disabled(stream: Stream, at_us: int, why: Verdict) -> Happened:
    """Its destination wants nothing any more."""
    return _told("disabled", stream, at_us, SYSTEM, {"next": stream.next, "error": why.kind})


def _told(
    what: str, stream: Stream, at_us: int, actor: Mapping[str, Any], more: Mapping[str, Any]
) -> Happened:
    action = f"sealog.streams.{what}"
    shown = {
        "id": stream.id,
        "name": stream.wanted.name,
        "destination": stream.wanted.destination.get("kind", ""),
        "version": stream.version,
        **more,
    }
    return Happened(action, at_us, f"{action}/{stream.id}/{at_us}", dict(actor), {"stream": shown})


def _of(wanted: Wanted, name: str) -> Any:
    return getattr(wanted, name)
