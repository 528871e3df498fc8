import msgspec
from tests.intake.sent import ALL, CATALOG, ONE, SOME, ndjson, record
from tests.journal.made import NOW_US, Counted, tenant

from sealog.dialects.dialect import Settings
from sealog.errors import Conflict, Refused
from sealog.event.batch import Outcome, Receipt
from sealog.intake import together
from sealog.intake.preparing import Job, Preparer
from sealog.intake.source import Source

TENANTS = {"acme": tenant(1, "acme"), "globex": tenant(2, "globex")}


def job(*records, grant=SOME, **source):
    return Job(ndjson(*records), Source(grant, **source), Settings(), NOW_US)


def prepared(*jobs):
    return together.prepare(Preparer(CATALOG, Counted()), jobs, TENANTS.get)


def test_one_load_holds_all_events_of_a_tenant_with_who_sent_them():
    made = prepared(
        job(record("a")), job(record("b", tenant="globex")), job(record("c"), record("d"))
    )

    (acme, globex) = made.loads
    assert [batch.ids for batch in acme.batches] == [["a", "c", "d"]]
    assert acme.owners == [[0, 2, 2]]
    assert [batch.ids for batch in globex.batches] == [["b"]]
    assert globex.owners == [[1]]


def test_a_request_of_two_tenants_is_a_load_of_its_own():
    """It is kept whole or not at all, whatever becomes of its neighbours."""
    made = prepared(
        job(record("a")), job(record("b"), record("c", tenant="globex")), job(record("d"))
    )

    assert [[batch.ids for batch in load.batches] for load in made.loads] == [
        [["a"]],
        [["b"], ["c"]],
        [["d"]],
    ]
    assert [load.everyone() for load in made.loads] == [{0}, {1}, {2}]


def test_a_bad_record_is_refused_at_its_place_in_its_own_request():
    made = prepared(job(record("a")), job(record("b"), b"[1]", record("c")))

    assert made.answers[0] == [None]
    first, refused, last = made.answers[1]
    assert (first, last) == (None, None)
    assert (refused.code, refused.record) == ("not-an-object", 1)


def test_a_request_that_is_wrong_as_a_whole_takes_nobody_with_it():
    made = prepared(job(), job(record("a")))

    assert isinstance(made.answers[0], Refused)
    assert made.answers[0].code == "empty"
    assert made.answers[1] == [None]


def test_a_request_of_a_tenant_that_is_to_be_made_goes_alone():
    made = prepared(job(record("a", tenant="initech"), record("b"), grant=ALL), job(record("c")))

    assert made.answers[0] is None
    assert [load.batches[0].ids for load in made.loads] == [["c"]]


def test_a_key_of_one_tenant_opens_no_other_because_a_neighbours_does():
    made = prepared(
        job(record("a", tenant="globex"), grant=SOME), job(record("b", tenant="globex"), grant=ONE)
    )

    assert made.answers[0] == [None]
    assert made.answers[1][0].code == "no-such-tenant"


def test_each_request_is_named_by_its_own_key_and_its_own_places():
    nameless = record()
    alone = prepared(job(nameless, nameless, request_key="k1"))

    made = prepared(job(nameless, request_key="k0"), job(nameless, nameless, request_key="k1"))

    (load,) = made.loads
    assert load.batches[0].ids[1:] == alone.loads[0].batches[0].ids
    assert len(set(load.batches[0].ids)) == 3


def test_requests_in_several_dialects_are_prepared_side_by_side():
    made = prepared(job(record("a")), job({"nothing": 1}, dialect="closer", tenant="acme"))

    assert [type(answers) for answers in made.answers] == [list, list]


def test_a_secret_is_masked_in_the_request_that_holds_it():
    made = prepared(job(record("a", password="s3cret-and-long")), job(record("b")))

    (load,) = made.loads
    packed = msgspec.msgpack.encode(load.batches[0].packs)
    assert b"s3cret-and-long" not in packed
    assert b"[masked]" in packed


def test_outcomes_are_told_to_whoever_sent_the_event():
    made = prepared(job(record("a")), job(record("b"), record("c")))
    (load,) = made.loads
    batch = load.batches[0]

    made.fill(load, [Outcome([7, 3, 8], frozenset({1}), frozenset({2}))])
    made.fill_repeated(
        load,
        [Outcome([7, 3, 8], frozenset({1}), frozenset({2}))],
        lambda _t, _i: b"\x01" + b"\xab" * 32,
    )

    assert made.answers[0] == [Receipt("a", "acme", 7, batch.entries[0][1:].hex())]
    repeated, conflict = made.answers[1]
    assert repeated == Receipt("b", "acme", 3, "ab" * 32, repeated=True)
    assert isinstance(conflict, Conflict)
    assert (conflict.code, conflict.record) == ("id-taken", 1)
