"""The Supsis chat platform: four columns of a log, as JSON of our own or as rows of CSV.

Its documentation shows columns and no format (CP-01 to CP-04); `{"dateTime", "user", "ip"?,
"activity", "data"?}` is ours, and the column titles are taken as keys too.
"""

from typing import Any

from sealog.catalog.shelf import Catalog
from sealog.dialects import drafting, trees
from sealog.dialects.addresses import Addresses
from sealog.dialects.dialect import Dialect, Settings
from sealog.dialects.drafting import ActorKind
from sealog.dialects.natives import Natives
from sealog.event.findings import pointer
from sealog.event.record import Draft, Record
from sealog.event.tokens import Tree

SYSTEM = "system"
"""The user of what the platform did by itself (CP-Q3)."""

_PATHS = {
    "dateTime": "@timestamp",
    "Date and Time": "@timestamp",
    "activity": "event.action",
    "Activity": "event.action",
    "user": "user.name",
    "User": "user.name",
    "ip": "source.ip",
    "IP Address": "source.ip",
}


class Supsis(Dialect):
    """Reads Supsis records. One per thread: it remembers what it looked up."""

    name = "supsis"

    def __init__(self, catalog: Catalog) -> None:
        self._natives = Natives(self.name, catalog)
        self._addresses = Addresses()

    def translate(self, record: Record, settings: Settings) -> Draft:
        """Give the draft of one row of the log; see `Dialect.translate`."""
        draft = drafting.begin(self.name, record)
        fields = dict(record.fields)
        key, when = _take(fields, "dateTime", "Date and Time")
        drafting.set_time(draft, when, pointer(key), settings)
        _, activity = _take(fields, "activity", "Activity")
        action, native = drafting.set_action(draft, record, activity, self._natives)
        outcome = drafting.fixed_outcome(native)
        draft.tree["event"] = drafting.event_object(draft, action, native, outcome)
        key, user = _take(fields, "user", "User")
        kind = _actor(draft, user, pointer(key))
        draft.tree["sealog"] = drafting.actor_object(kind)
        key, ip = _take(fields, "ip", "IP Address")
        drafting.set_address(draft, ip, self._addresses, pointer(key), "source")
        drafting.set_tenant(draft, fields)
        if fields:
            drafting.keep_others(draft, fields, draft.tree.setdefault(self.name, {}))
        if record.equal:
            drafting.keep_equal(draft, record, _path)
        return draft


def _actor(draft: Draft, user: Any, where: str) -> ActorKind:
    if not drafting.set_person(draft, user, where, "supsis.user"):
        return "absent"
    name = trees.text_of(user)
    return "system" if name is not None and name.strip().lower() == SYSTEM else "user"


def _take(fields: Tree, key: str, title: str) -> tuple[str, Any]:
    """Take a value by its key, or by the title of its column where the key is not there."""
    if key in fields:
        return key, fields.pop(key)
    return title, fields.pop(title, None)


def _path(path: tuple[str, ...]) -> str:
    head, *below = path
    return ".".join([_PATHS.get(head, f"supsis.{head}"), *below])
