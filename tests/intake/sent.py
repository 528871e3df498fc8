"""Intake joined to real tenants and a journal in memory, and requests to send it."""

import asyncio

import msgspec
from tests.contracts.journals import MemoryJournal
from tests.journal.made import NOW_US, Counted

from sealog.access.grants import Grant
from sealog.access.tenants import Tenants
from sealog.catalog.shelf import load
from sealog.errors import Refused
from sealog.event import parts
from sealog.event.packs import Unpacker
from sealog.intake.accept import Intake, Settings
from sealog.intake.source import Source
from sealog.storage.store import Store

CATALOG = load()
ALL = Grant("key-all", frozenset({"ingest"}), None, may_create=True)
SOME = Grant("key-some", frozenset({"ingest"}), frozenset({"acme", "globex"}))
ONE = Grant("key-one", frozenset({"ingest"}), frozenset({"acme"}))


def record(name=None, *, tenant="acme", at="2026-11-20T12:00:00.000Z", **more):
    event = {"kind": "event", "category": ["iam"], "type": ["change"], "action": "user.changed"}
    if name is not None:
        event["id"] = name
    made = {"@timestamp": at, "event": event, **more}
    if tenant is not None:
        made["organization"] = {"id": tenant}
    return made


def ndjson(*records):
    lines = [r if isinstance(r, bytes) else msgspec.json.encode(r) for r in records]
    return b"\n".join(lines) + b"\n"


class Sender:
    """Sends requests and looks at what was kept."""

    def __init__(self, path, journal=None, entry_at=None, **settings):
        self.store = Store(path)
        self.tenants = Tenants(self.store, lambda: NOW_US, Counted())
        self.tenants.make(["acme", "globex"])
        self.journal = journal or MemoryJournal()
        self.now_us = NOW_US
        self.intake = Intake(
            self.journal,
            self.tenants,
            (CATALOG, lambda: self.now_us, Counted()),
            entry_at or self.journal.entry,
            Settings(**settings),
        )

    def __call__(self, *records, grant=SOME, **source):
        return asyncio.run(self.intake.accept(ndjson(*records), Source(grant, **source)))

    def said(self, *records, **source):
        """Each answer in short: an index, `again` and an index, or a refusal's code and place."""
        return [short(answer) for answer in self(*records, **source)]

    def kept(self):
        """Every event that was appended and new or not, as documents, in order."""
        unpacker = Unpacker()
        batches = [batch for request in self.journal.appended for batch in request]
        packs = [pack for batch in batches for pack in batch.packs]
        events = [event for pack in packs for event in unpacker.events(pack)]
        joined = [parts.joined(part for _, _, part in event.parts) for event in events]
        return [msgspec.json.decode(msgspec.json.encode(tree)) for tree in joined]

    def close(self):
        self.intake.close()
        self.store.close()


def short(answer):
    if isinstance(answer, Refused):
        return f"{answer.code} at {answer.record}"
    return ("again " if answer.repeated else "") + f"{answer.tenant} {answer.index}"
