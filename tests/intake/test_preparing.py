import gzip

import pytest
from tests.intake.sent import ALL, CATALOG, ONE, SOME, ndjson, record
from tests.journal.made import NOW_US, Counted, tenant

from sealog.dialects.dialect import Settings
from sealog.errors import Refused
from sealog.event.sealing import Moment, Naming
from sealog.intake.preparing import Preparer, Understood, naming_of
from sealog.intake.source import Source


@pytest.fixture
def preparer():
    return Preparer(CATALOG, Counted())


def understood(preparer, *records, grant=SOME, **source):
    return preparer.understand(ndjson(*records), Source(grant, **source), Settings())


def test_every_record_is_a_draft_or_a_refusal_in_its_place(preparer):
    found = understood(
        preparer, record("a"), b"{oops", record("c", tenant="globex"), record("d", tenant="other")
    )

    assert [each and (each.code, each.record) for each in found.answers] == [
        None,
        ("not-json", 1),
        None,
        ("no-such-tenant", 3),
    ]
    assert [(r.place, d.id, name) for r, d, name in found.drafts] == [
        (0, "a", "acme"),
        (2, "c", "globex"),
    ]
    assert list(found.tenants()) == ["acme", "globex"]


def test_a_compressed_body_is_the_same_body(preparer):
    body = gzip.compress(ndjson(record("a")))

    found = preparer.understand(body, Source(SOME, encoding="gzip"), Settings())

    assert [draft.id for _, draft, _ in found.drafts] == ["a"]


def test_a_refusal_is_a_value_of_its_own_for_each_record(preparer):
    found = understood(preparer, record(tenant=None), record(tenant=None))

    assert found.answers[0] is not found.answers[1]
    assert [answer.record for answer in found.answers] == [0, 1]


def test_secrets_are_gone_before_anything_is_understood(preparer):
    found = understood(preparer, record("a", acme={"password": "hunter2"}))

    ((kept, draft, _),) = found.drafts
    assert b"hunter2" not in kept.received
    assert b'"password":"[masked]"' in kept.received
    assert not draft.clean


def test_the_requests_tenant_keeps_the_records_token_as_it_was_sent(preparer):
    sent = b'{"@timestamp":"2026-11-20T12:00:00.000Z","organization":{"id":"glob\\u0065x"}}'

    found = understood(preparer, sent, tenant="acme")

    ((_, draft, name),) = found.drafts
    assert name == "acme"
    assert bytes(draft.sent["organization.id"]) == b'"glob\\u0065x"'
    assert not draft.clean


def test_an_unknown_dialect_is_a_fault_of_the_request(preparer):
    with pytest.raises(Refused) as refused:
        understood(preparer, record("a"), dialect="nobodys")
    assert refused.value.code == "unknown-dialect"


def test_sealing_gives_one_batch_a_tenant_in_the_order_sent(preparer):
    found = understood(preparer, record("a"), record("b", tenant="globex"), record("c"), grant=ALL)
    tenants = {"acme": tenant(1, "acme"), "globex": tenant(2, "globex")}

    batches = preparer.seal(found, tenants, Moment.of(NOW_US), Naming())

    assert [(b.tenant.name, b.ids, b.places) for b in batches] == [
        ("acme", ["a", "c"], [0, 2]),
        ("globex", ["b"], [1]),
    ]


def test_events_are_named_after_the_request_or_their_place_in_a_file(preparer):
    found = understood(preparer, record(message="x"), record(message="y"), record(message="x"))

    assert naming_of(Source(SOME), found) == Naming()
    assert naming_of(Source(SOME, request_key="k"), found) == Naming(request_key="k")
    assert naming_of(Source(SOME, imported=True), found) == Naming(repeats={0: 0, 1: 0, 2: 1})
    assert naming_of(Source(SOME, imported=True, repeats={0: 5, 2: 6}), found) == Naming(
        repeats={0: 5, 1: 0, 2: 6}
    )


def test_nothing_understood_belongs_to_nobody():
    assert Understood([], []).tenants() == {}
    assert ONE.only == "acme"
