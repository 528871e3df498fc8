import asyncio
import gzip
import itertools
import threading

import pytest
from tests.intake.sent import ALL, CATALOG, ONE, SOME, Sender, ndjson, record, short
from tests.journal.made import NOW_US, Counted, tenant

from sealog.access.grants import Grant
from sealog.dialects.dialect import Settings as DialectSettings
from sealog.errors import Busy, Conflict, Missing, Refused, UnsupportedType
from sealog.event.batch import Batch, Outcome, Receipt
from sealog.intake.accept import fill
from sealog.intake.preparing import Job, Preparer
from sealog.intake.source import Source
from sealog.journal.journal import Journal
from sealog.ledger.installation import open_installation
from sealog.ledger.ledger import Ledger
from sealog.storage.folder import Folder


@pytest.fixture
def send(tmp_path):
    sender = Sender(tmp_path / "state.db")
    yield sender
    sender.close()


def test_every_record_gets_a_receipt_for_what_was_sealed(send):
    (receipt,) = send(record("a"))

    (batch,) = send.journal.appended[0]
    assert receipt == Receipt("a", "acme", 0, batch.entries[0][1:].hex())
    assert len(receipt.commitment) == 64
    assert send.kept()[0]["event"]["id"] == "a"


def test_every_record_gets_an_answer_in_the_order_sent(send):
    """One bad record neither hides nor blocks its neighbours."""
    send(record("old"), record("taken"))

    said = send.said(
        record("a"),
        record("b", tenant="globex"),
        b"{not json at all",
        record("old"),
        record("c", tenant="initech"),
        record("taken", message="differs"),
        b"[1]",
        record("a"),
        record("d", event={"action": "sealog.erasure"}),
        record("e"),
    )

    assert said == [
        "acme 2",
        "globex 0",
        "not-json at 2",
        "again acme 0",
        "no-such-tenant at 4",
        "id-taken at 5",
        "not-an-object at 6",
        "again acme 2",
        "reserved-action at 8",
        "acme 3",
    ]


def test_a_repeats_receipt_is_the_first_one(send):
    (first,) = send(record("a"))

    (again,) = send(record("a"))

    assert again == Receipt("a", "acme", 0, first.commitment, repeated=True)


def test_a_conflict_names_the_id_and_the_record(send):
    send(record("a"))

    _, conflict = send(record("b"), record("a", message="other"))

    assert isinstance(conflict, Conflict)
    assert (conflict.code, conflict.record) == ("id-taken", 1)
    assert "'a'" in conflict.detail


def test_the_requests_tenant_wins_and_the_records_own_stands_as_sent(send):
    assert send.said(record("a", tenant="globex"), tenant="acme") == ["acme 0"]

    (kept,) = send.kept()
    assert kept["organization"]["id"] == "acme"
    assert kept["sealog"]["sent"] == {"organization.id": "globex"}
    assert '"globex"' in kept["event"]["original"]


def test_a_record_of_the_requests_own_tenant_stays_clean(send):
    send(record("a"), tenant="acme")

    (kept,) = send.kept()
    assert "original" not in kept["event"]
    assert "sent" not in kept["sealog"]


def test_a_key_for_one_tenant_needs_no_other_word(send):
    assert send.said(record("a", tenant=None), grant=ONE) == ["acme 0"]


def test_a_record_without_a_tenant_is_refused_where_the_key_has_several(send):
    (refused,) = send(record("a", tenant=None))

    assert type(refused) is Refused
    assert (refused.code, refused.record) == ("no-tenant", 0)


def test_another_tenants_record_is_not_found_whether_it_exists_or_not(send):
    """One answer for both: what another key may do tells nothing (404)."""
    answers = send(record("a", tenant="globex"), record("b", tenant="nobody"), grant=ONE)

    assert [type(answer) for answer in answers] == [Missing, Missing]
    assert [answer.record for answer in answers] == [0, 1]
    assert answers[0].detail.replace("globex", "X") == answers[1].detail.replace("nobody", "X")


def test_a_tenant_is_made_by_naming_it_where_the_key_may(send):
    said = send.said(record("a", tenant="initech"), record("b"), grant=ALL)

    assert said == ["initech 0", "acme 0"]
    assert send.tenants.get("initech") is not None


def test_a_tenant_that_is_missing_refuses_only_its_own_records(send):
    grant = type(SOME)("k", frozenset({"ingest"}), frozenset({"acme", "later"}))

    said = send.said(record("a", tenant="later"), record("b"), grant=grant)

    assert said == ["no-such-tenant at 0", "acme 0"]
    assert send.tenants.get("later") is None


@pytest.mark.parametrize("name", ["a b", "a/b", "x" * 129, "é"])
def test_a_tenant_that_may_not_be_one_is_refused(send, name):
    (refused,) = send(record("a", tenant=name), grant=ALL)

    assert refused.code == "bad-tenant"


def test_a_request_key_makes_sending_again_safe_without_ids(send):
    records = [record(message="same"), record(message="same")]

    first = send.said(*records, request_key="k1")
    again = send.said(*records, request_key="k1")
    other = send.said(*records, request_key="k2")

    assert first == ["acme 0", "acme 1"]
    assert again == ["again acme 0", "again acme 1"]
    assert other == ["acme 2", "acme 3"]


def test_without_ids_and_keys_the_same_thing_is_two_events(send):
    assert send.said(record()) == ["acme 0"]
    assert send.said(record()) == ["acme 1"]


def test_an_id_that_cannot_be_used_still_makes_sending_again_safe(send):
    """formats.md §2: an `event.id` with an `@` gives a derived id."""
    assert send.said(record("ann@example.com/1")) == ["acme 0"]
    assert send.said(record("ann@example.com/1")) == ["again acme 0"]
    assert send.said(record("ann@example.com/2")) == ["acme 1"]


def test_importing_a_file_again_adds_nothing_and_a_grown_file_what_is_new(send):
    one, two = record(message="one"), record(message="two")

    first = send.said(one, two, one, imported=True)
    again = send.said(one, two, one, imported=True)
    grown = send.said(one, two, one, one, record(message="three"), imported=True)

    assert first == ["acme 0", "acme 1", "acme 2"]
    assert again == ["again acme 0", "again acme 1", "again acme 2"]
    assert grown == ["again acme 0", "again acme 1", "again acme 2", "acme 3", "acme 4"]


def test_an_import_in_pieces_counts_repeats_over_the_whole_file(send):
    one = record(message="one")
    send(one, one, imported=True)

    said = send.said(one, one, imported=True, repeats={0: 2, 1: 3})

    assert said == ["acme 2", "acme 3"]


def test_in_an_import_an_id_that_is_taken_does_not_lose_the_record(send):
    records = [record("a", message="one"), record("a", message="two"), record("b")]

    first = send.said(*records, imported=True)
    again = send.said(*records, imported=True)

    assert first == ["acme 0", "acme 2", "acme 1"]
    assert again == ["again acme 0", "again acme 2", "again acme 1"]
    kept = send.kept()[3]
    assert kept["event"]["id"] != "a"
    assert kept["sealog"]["sent"]["event.id"] == "a"
    assert [finding["code"] for finding in kept["sealog"]["findings"]] == ["id-reused"]
    assert '"two"' in kept["event"]["original"]


def test_a_fault_of_the_whole_request_keeps_nothing(send):
    with pytest.raises(UnsupportedType):
        send(record("a"), encoding="br")

    assert send.journal.appended == []


def test_busy_keeps_nothing_and_the_same_request_goes_through_later(send):
    send.journal.busy = True
    with pytest.raises(Busy):
        send(record("a"))
    assert send.journal.appended == []

    send.journal.busy = False
    assert send.said(record("a")) == ["acme 0"]


def test_only_so_many_bytes_are_prepared_at_once(tmp_path):
    sender = Sender(tmp_path / "state.db", inline_bytes_max=0, preparing_bytes_max=1000)
    body = ndjson(record("a", message="x" * 600))

    async def burst():
        source = Source(SOME)
        return await asyncio.gather(
            *(sender.intake.accept(body, source) for _ in range(3)), return_exceptions=True
        )

    answers = asyncio.run(burst())

    assert [short(answers[0][0]), type(answers[1]), type(answers[2])] == ["acme 0", Busy, Busy]
    assert sender.said(record("b", message="x" * 600)) == ["acme 1"]
    assert sender.intake._preparing_bytes == 0
    sender.close()


def test_a_body_larger_than_all_room_is_taken_alone(tmp_path):
    sender = Sender(tmp_path / "state.db", preparing_bytes_max=10)

    assert sender.said(record("a")) == ["acme 0"]
    sender.close()


def test_a_large_body_goes_through_the_thread_with_the_same_result(tmp_path):
    inline = Sender(tmp_path / "a.db", inline_bytes_max=10_000_000)
    threaded = Sender(tmp_path / "b.db", inline_bytes_max=0)
    records = [record(f"{n}", message="x" * 100) for n in range(300)]

    answers = [sender(*records) for sender in (inline, threaded)]

    assert answers[0] == answers[1]
    assert [answer.index for answer in answers[0]] == list(range(300))
    assert inline.kept() == threaded.kept()
    inline.close()
    threaded.close()


def test_what_is_sealed_in_the_thread_is_sealed_again_there(tmp_path, monkeypatch):
    """A compressor belongs to one thread."""
    sender = Sender(tmp_path / "a.db", inline_bytes_max=0)
    seen = []
    prepare = Preparer.prepare

    def watched(self, *values):
        seen.append(threading.current_thread().name.rsplit("_", 1)[0])
        return prepare(self, *values)

    monkeypatch.setattr(Preparer, "prepare", watched)
    sender(record("a"), record("a", message="other"), imported=True)

    assert seen == ["sealog-preparer", "sealog-preparer"]
    sender.close()


def test_a_small_compressed_body_is_not_unpacked_where_it_arrives(tmp_path, monkeypatch):
    """A few hundred bytes may be 32 MiB of records, and the event loop has other requests."""
    sender = Sender(tmp_path / "a.db")
    seen = []
    mask = Preparer.mask

    def watched(self, *values):
        seen.append(threading.current_thread().name.rsplit("_", 1)[0])
        return mask(self, *values)

    monkeypatch.setattr(Preparer, "mask", watched)
    body = gzip.compress(ndjson(record("a")))
    for encoding, content in (("gzip", body), ("identity", ndjson(record("b")))):
        asyncio.run(sender.intake.accept(content, Source(SOME, encoding=encoding)))

    assert seen == ["sealog-preparer", "MainThread"]
    sender.close()


class OthersEachTime:
    """Two processes that prepare take turns; each knows only the tenants it was told of."""

    is_warming = False

    def __init__(self):
        self._turns = itertools.cycle([Preparer(CATALOG, Counted()) for _ in range(2)])
        self._known = itertools.cycle([{}, {}])

    async def prepare(self, job):
        known = next(self._known)
        known.update({one.name: one for one in job.told})
        return next(self._turns).prepare(job, known.get)


def test_what_is_sealed_again_elsewhere_needs_its_tenant_there_too(tmp_path):
    """A record of an import whose id is taken is kept, whichever process gets it."""
    sender = Sender(tmp_path / "a.db", inline_bytes_max=0)
    workers = OthersEachTime()
    # The first of the two learns of the tenant, the second does not.
    body = ndjson(record("a"))
    job = Job(body, Source(SOME), DialectSettings(), NOW_US, told=(sender.tenants.get("acme"),))
    asyncio.run(workers.prepare(job))
    next(workers._known), next(workers._turns)
    sender(record("a"))
    sender.intake._workers = workers

    (answer,) = sender(record("a", message="other"), imported=True)

    assert isinstance(answer, Receipt), answer.code
    assert answer.index == 1
    sender.intake._workers = None
    sender.close()


class Real:
    """Intake on a real journal, whose repeated receipts come from a real ledger."""

    def __init__(self, path):
        folder = Folder(path)
        folder.make()
        self.late = []
        self.sender = Sender(folder.state, journal=object(), entry_at=self.entry)
        store = self.sender.store
        self.journal = Journal(store, lambda: NOW_US)
        self.sender.intake._journal = self.journal
        installation = open_installation(store, folder.keys, Counted())
        self.ledger = Ledger(
            (store, self.journal, folder),
            installation,
            self.sender.tenants.numbered,
            lambda: 0.0,
        )
        self.ledger.start()

    def entry(self, of, index):
        return self.ledger.entry(of, index)

    def close(self):
        self.sender.intake.close()
        self.ledger.stop()
        self.sender.store.close()


def test_a_burst_of_requests_is_answered_each_for_itself(tmp_path):
    real = Real(tmp_path / "data")

    async def burst():
        source = Source(SOME)
        bodies = [ndjson(record(f"{n}"), record("same"), record(f"{n}b")) for n in range(50)]
        return await asyncio.gather(*(real.sender.intake.accept(b, source) for b in bodies))

    answers = asyncio.run(burst())

    assert [[a.id for a in each] for each in answers] == [
        [f"{n}", "same", f"{n}b"] for n in range(50)
    ]
    same = [each[1] for each in answers]
    assert {(a.index, a.commitment) for a in same} == {(same[0].index, same[0].commitment)}
    assert [a.repeated for a in same] == [False] + [True] * 49
    rest = [a.index for each in answers for a in (each[0], each[2])]
    assert sorted([*rest, same[0].index]) == list(range(101))
    real.ledger.settle()
    for each in answers:
        for answer in each:
            of = real.sender.tenants.get("acme")
            assert real.ledger.entry(of, answer.index)[1:].hex() == answer.commitment
    real.close()


def test_a_request_that_nobody_foresaw_fails_alone(tmp_path, monkeypatch):
    """Its neighbours, prepared and written with it, are kept and answered."""
    sender = Sender(tmp_path / "state.db")
    translate = Preparer.translate

    def breaks(self, masked, source, settings):
        if any(b"unforeseen" in one.received for one in masked):
            raise ZeroDivisionError
        return translate(self, masked, source, settings)

    monkeypatch.setattr(Preparer, "translate", breaks)

    async def burst():
        source = Source(SOME)
        names = ["a", "unforeseen", "b", "c"]
        bodies = [ndjson(record(name)) for name in names]
        asked = (sender.intake.accept(body, source) for body in bodies)
        return await asyncio.gather(*asked, return_exceptions=True)

    a, unforeseen, b, c = asyncio.run(burst())

    assert type(unforeseen) is ZeroDivisionError
    assert [short(answer) for (answer,) in (a, b, c)] == ["acme 0", "acme 1", "acme 2"]
    assert [event["event"]["id"] for event in sender.kept()] == ["a", "b", "c"]
    sender.close()


def test_a_client_that_goes_away_stops_nobody(tmp_path):
    real = Real(tmp_path / "data")

    async def main():
        source = Source(SOME)
        for n in range(20):
            gone = asyncio.ensure_future(
                real.sender.intake.accept(ndjson(record(f"gone-{n}")), source)
            )
            await asyncio.sleep(0)
            gone.cancel()
        return await real.sender.intake.accept(ndjson(record("a")), source)

    (answer,) = asyncio.run(main())

    assert answer.id == "a"
    assert real.sender.intake._preparing_bytes == 0
    real.close()


def test_filling_puts_each_answer_in_the_place_of_its_record():
    names = ["a", "b", "c"]
    batch = Batch(tenant(1, "acme"), [4, 1, 2], names, [], [], [b"\x01" + bytes(32)] * 3, [])
    answers = [None] * 5

    fill(answers, batch, Outcome([7, 3, 8], frozenset({1}), frozenset({2})))

    assert answers[4] == Receipt("a", "acme", 7, "00" * 32)
    assert answers[1] is None
    assert isinstance(answers[2], Conflict)
    assert answers[2].record == 2


def test_a_request_key_used_for_something_else_is_a_conflict(send):
    first = record(message="one")
    send(first, request_key="k")

    said = send.said(record(message="other"), request_key="k")

    assert said == ["id-taken at 0"]
    assert send.said(first, request_key="k") == ["again acme 0"]


def test_an_absent_tenant_far_down_a_large_request_is_refused_in_its_place(send):
    """Some records are prepared at a time; their places are those in the request."""
    grant = Grant("key", frozenset({"ingest"}), frozenset({"acme", "not-made"}))
    filler = "x" * 40_000
    sent = [record(message=filler, tenant=("acme", "not-made")[nth == 7]) for nth in range(9)]

    said = send.said(*sent, grant=grant)

    assert said == [f"acme {nth}" for nth in range(7)] + ["no-such-tenant at 7", "acme 7"]
