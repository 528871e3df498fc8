"""Pages of events as the API gives them, cut without reading them, and what stands in one."""

from typing import Any

import msgspec
from msgspec import Raw

from sealog.event import tokens


class _Page(msgspec.Struct):
    events: list[Raw]
    next_cursor: str | None = None


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


def at(event: Any, path: str) -> str:
    """The value at a dotted path as text; empty where there is none."""
    for step in path.split("."):
        event = event.get(step) if isinstance(event, dict) else None
    if event is None:
        return ""
    return event if isinstance(event, str) else msgspec.json.encode(event).decode()
