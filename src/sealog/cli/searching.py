"""`sealog search`: a page of events."""

import asyncio
from typing import Any

import msgspec

from sealog.cli import printing
from sealog.cli.connection import connected
from sealog.cli.options import Where
from sealog.event import tokens


def search(where: Where, asked: dict[str, Any], *, as_json: bool) -> None:
    """Print a page: a table, or the API's own answer on one line."""
    content = asyncio.run(_search(where, asked))
    if as_json:
        printing.say(content.decode())
        return
    page = tokens.plain(content)
    printing.table(
        "",
        ("time (UTC)", "tenant", "index", "action", "outcome", "actor", "from"),
        [_row(event) for event in page["events"]],
    )
    if page.get("next_cursor"):
        printing.tell(f"more: --cursor {page['next_cursor']}")


async def _search(where: Where, asked: dict[str, Any]) -> bytes:
    async with connected(where, writing=False) as client:
        return (await client.get("/v1/events", **asked)).content


def _row(event: dict[str, Any]) -> list[str]:
    return [
        str(event.get("@timestamp", "")).replace("T", " ").removesuffix("Z"),
        at(event, "organization.id"),
        at(event, "sealog.index"),
        at(event, "event.action"),
        at(event, "event.outcome"),
        at(event, "user.name") or at(event, "user.id") or at(event, "sealog.actor.kind"),
        at(event, "source.ip") or at(event, "client.ip"),
    ]


def at(event: Any, path: str) -> str:
    """The value at a dotted path as text; empty where there is none."""
    for step in path.split("."):
        event = event.get(step) if isinstance(event, dict) else None
    if event is None:
        return ""
    return event if isinstance(event, str) else msgspec.json.encode(event).decode()
