"""Events, batches and a whole archive in a folder, made for the tests of this room."""

import itertools
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from sealog.archive.archive import Archive, Settings
from sealog.event import times
from sealog.event.batch import Batch
from sealog.event.packs import Opened, Packer, repack
from sealog.event.parts import EVENT_ENTRY, STATEMENT_ENTRY
from sealog.event.tenants import Tenant
from sealog.journal.journal import Journal
from sealog.policy.retention import Retention, Rule
from sealog.query.tree import Is, Like, Node, Query, either, every
from sealog.storage.folder import Folder
from sealog.storage.store import Store

BEGIN_US = 1_700_000_000_000_000
STILL = Settings(segment_events=10**9, segment_age_s=1e9, cut_every_s=0.0, waiting_events_max=10**9)
"""Nothing comes to rest unless a test says so."""

ALPHA = Tenant(1, "alpha", "a" * 32, b"a" * 32)
BETA = Tenant(2, "beta", "b" * 32, b"b" * 32)
TENANTS = {1: ALPHA, 2: BETA}
NO_RULES = Retention()
"""Of the dialect easysend what came 48 hours ago expires, and nothing else."""

_numbers = itertools.count(1)
_packer = Packer()


def opened(*parts: Any, kind: bytes = EVENT_ENTRY) -> Opened:
    """An event of given parts in the order of their numbers; None: it has no such part."""
    return Opened(
        kind,
        tuple(
            (number, bytes([number]) * 16, part if isinstance(part, bytes) else _json(part))
            for number, part in enumerate(parts)
            if part is not None
        ),
    )


def event(
    at: int = 0,
    action: str = "user.login",
    *,
    actor: str | None = None,
    event_id: str | None = None,
    rest: Any = None,
    kind: bytes = EVENT_ENTRY,
    dialect: str = "ecs",
    came: float = 0,
    **facts: Any,
) -> Opened:
    """An event that happened `at` seconds after the beginning, and came `came` seconds after it."""
    number = next(_numbers)
    return opened(
        {
            "@timestamp": times.format_us(BEGIN_US + at * 1_000_000),
            "event": {
                "id": event_id or f"event-{number}",
                "action": action,
                "ingested": times.format_us(BEGIN_US + int(came * 1_000_000)),
                **facts,
            },
            "sealog": {"action": action.replace("_", ".").lower(), "dialect": dialect},
        },
        None if actor is None else {"user": {"id": actor}},
        None,
        rest,
        kind=kind,
    )


def statement(at: int = 0) -> Opened:
    """One of Sealog's own sealed words."""
    return event(at, "sealog.retention", kind=STATEMENT_ENTRY)


def batch(tenant: Tenant, events: Sequence[Opened]) -> Batch:
    """Events of one tenant, ready for the journal; every id is new."""
    keys = [next(_numbers).to_bytes(16, "big") for _ in events]
    return Batch(
        tenant=tenant,
        places=list(range(len(events))),
        ids=[key.hex() for key in keys],
        id_keys=keys,
        fingerprints=keys,
        entries=[one.entry() for one in events],
        packs=repack(_packer, events),
    )


def asking(
    from_us: int | None = None, to_us: int | None = None, **fields: str | tuple[str, ...]
) -> Query:
    """A query by fields, `__` for the dot of a name; a tuple stands for any of its values."""
    nodes: list[Node] = []
    for name, values in fields.items():
        field = name.replace("__", ".")
        several = values if isinstance(values, tuple) else (values,)
        nodes.append(either([(Like if "*" in one else Is)(field, one) for one in several]))
    return Query(from_us, to_us, every(nodes))


class Home:
    """A data folder with a journal and an archive that follows it.

    With `rules` (tenant number → its policy, none of its own where there is none) events expire, by
    `now_us`.
    """

    def __init__(
        self,
        path: Path,
        settings: Settings = STILL,
        rules: dict[int, Retention] | None = None,
    ) -> None:
        self.folder = Folder(path)
        self.folder.make()
        self.settings = settings
        self.rules = rules
        self.now_us = BEGIN_US
        self._open()

    def _rules_of(self, tenant: int) -> Retention:
        return (self.rules or {}).get(tenant, NO_RULES)

    def pass_time(self, seconds: float) -> None:
        """Let time go by."""
        self.now_us += int(seconds * 1_000_000)

    def decide(self, tenant: Tenant, *rules: Rule) -> None:
        """A new version of a tenant's policy is in force."""
        assert self.rules is not None
        version = self._rules_of(tenant.number).version + 1
        self.rules[tenant.number] = Retention(version, rules)
        self.archive.reclass(tenant.number)

    def let_go(self, tenant: Tenant) -> list[tuple[int, int]]:
        """Drop all that is due of a tenant, as lifecycle does; the ranges that went."""
        gone: list[tuple[int, int]] = []
        while dues := list(self.archive.expired_until(tenant, self.now_us)):
            (index,) = self.add(tenant, statement())
            self.archive.drop(tenant, index, dues[0].ranges)
            gone += dues[0].ranges
        return gone

    def _open(self) -> None:
        self.store = Store(self.folder.state)
        clock = itertools.count(BEGIN_US)
        self.journal = Journal(self.store, lambda: next(clock))
        self.archive = Archive(
            self.store,
            self.folder,
            self.journal,
            TENANTS.__getitem__,
            self.settings,
            secret=b"s" * 32,
            retention=None if self.rules is None else self._rules_of,
            clock_us=lambda: self.now_us,
        )
        self.archive.start()

    def add(self, tenant: Tenant, *events: Opened) -> list[int]:
        """Accept events and wait until they are visible; their indexes."""
        (outcome,) = self.journal.append([batch(tenant, events)]).result(10)
        assert self.archive.wait_for(tenant, outcome.indexes[-1], 10)
        return outcome.indexes

    def restart(self) -> None:
        """Stop as a process stops, and start again on the same folder."""
        self.close()
        self._open()

    def close(self) -> None:
        """Let everything go."""
        self.archive.stop()
        self.store.close()

    def files(self) -> set[str]:
        """The names of all segment files, from the class on."""
        return {
            f"{path.parent.name}/{path.name}"
            for path in (self.folder.path / "archive").glob("*/*/*")
        }


def still(home: Home) -> None:
    """From here on segments change only when a test says so."""
    home.archive._merger.stop()
    home.archive._merger._stopping.clear()


def until(true: Callable[[], object]) -> None:
    """Wait for what another thread does; fail when it does not come."""
    pause = threading.Event()
    for _ in range(2_000):
        if true():
            return
        pause.wait(0.005)
    raise AssertionError("it never came")


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value)
