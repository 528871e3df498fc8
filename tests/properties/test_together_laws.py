"""Small requests prepared together are answered, and kept, as if each had come alone."""

import asyncio
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import msgspec
from hypothesis import HealthCheck, given, settings
from tests.contracts.journals import MemoryJournal
from tests.intake.sent import ALL, CATALOG, ONE, SOME, record
from tests.journal.made import NOW_US, Counted

from sealog.access.tenants import Tenants
from sealog.errors import SealogError
from sealog.event.batch import Receipt
from sealog.event.packs import Unpacker
from sealog.intake.accept import Intake
from sealog.intake.source import Source
from sealog.storage.store import Store

NAMES = st.sampled_from(["a", "b", "c", "d"])
AGAIN = {"another time": "2026-11-20T12:00:05.000Z"}
RECORDS = st.one_of(
    st.builds(record, NAMES, tenant=st.sampled_from(["acme", "globex"])),
    st.builds(record, NAMES, message=st.sampled_from(["x", "y"])),
    st.builds(record, NAMES, at=st.just(AGAIN["another time"])),
    st.builds(record, NAMES, tenant=st.sampled_from([None, "initech", "bad name"])),
    st.builds(record, NAMES, password=st.just("correct-horse-battery")),
    st.builds(record, NAMES, event=st.just({"action": "sealog.erasure"})),
    st.just({"@timestamp": "nonsense", "event": {"id": "e", "action": "x"}, "a.b": 1, "a": {}}),
    st.sampled_from(
        [
            b"",
            b"[1]",
            b"{not json",
            b'{"event":{"id":"f"},"event":{"id":"g"}}',
            b'{"event":{"id":"h","action":"v"},"n":1e400,"s":"\\ud800"}',
        ]
    ),
)
BODIES = st.one_of(
    st.lists(RECORDS, min_size=1, max_size=3).map(
        lambda records: b"\n".join(
            one if isinstance(one, bytes) else msgspec.json.encode(one) for one in records
        )
    ),
    st.sampled_from(
        [b"", b"\xff\xfe{}", b"[]", b'{"hits":{"hits":[]}}', b"\xef\xbb\xbf{}", b"prose"]
    ),
)
SOURCES = st.builds(
    Source,
    st.sampled_from([ALL, SOME, ONE]),
    dialect=st.sampled_from(["ecs", "ecs", "ecs", "closer", "unheard-of"]),
    tenant=st.sampled_from([None, None, "acme", "globex"]),
    request_key=st.sampled_from([None, None, "k1", "k2"]),
    imported=st.booleans(),
)
REQUESTS = st.lists(st.tuples(BODIES, SOURCES), min_size=1, max_size=6)


class House:
    """Intake on a journal in memory."""

    def __init__(self, folder):
        self.store = Store(Path(folder) / "state.db")
        self.journal = MemoryJournal()
        # No draw differs from another: salts and commitments are those of the content.
        self.tenants = Tenants(self.store, lambda: NOW_US, Counted())
        self.tenants.make(["acme", "globex", "initech"])
        self.intake = Intake(
            self.journal, self.tenants, (CATALOG, lambda: NOW_US, bytes), self.journal.entry
        )

    async def one_by_one(self, requests):
        return [await self.said(*request) for request in requests]

    async def at_once(self, requests):
        return await asyncio.gather(*(self.said(*request) for request in requests))

    async def said(self, body, source):
        try:
            answers = await self.intake.accept(body, source)
        except SealogError as error:
            return plain(error)
        return [plain(answer) for answer in answers]

    def kept(self):
        """Tenant → its events in order, as stored."""
        unpacker = Unpacker()
        found = {}
        for batches in self.journal.appended:
            for batch in batches:
                events = [event for pack in batch.packs for event in unpacker.events(pack)]
                found.setdefault(batch.tenant.name, []).extend(
                    zip(batch.ids, batch.id_keys, batch.fingerprints, events, strict=True)
                )
        return found

    def close(self):
        self.intake.close()
        self.store.close()


def plain(answer):
    if isinstance(answer, Receipt):
        return answer
    values = {name: getattr(answer, name, None) for name in ("code", "record", "pointer")}
    return type(answer).__name__, str(answer), values


@given(REQUESTS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_requests_that_wait_together_are_answered_and_kept_as_if_alone(requests):
    # Imports never wait for others; they go where their turn comes, so they come last here.
    requests.sort(key=lambda request: request[1].imported)
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        alone, together = House(first), House(second)
        try:
            expected = asyncio.run(alone.one_by_one(requests))
            shared = [one for one in requests if not one[1].imported]

            async def run():
                said = await together.at_once(shared)
                return said + await together.one_by_one(requests[len(shared) :])

            assert asyncio.run(run()) == expected
            assert together.kept() == alone.kept()
        finally:
            alone.close()
            together.close()
