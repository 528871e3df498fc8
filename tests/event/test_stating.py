"""Statements: facts alone, in the shorter of two forms, the same bytes whoever says them again."""

import base64

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.journal.made import Counted, tenant

from sealog.event import ids, stating
from sealog.event.packs import Unpacker
from sealog.event.parts import FACTS, STATEMENT_ENTRY
from sealog.event.sealing import Moment, Sealer
from sealog.event.stating import BITS_MAX, RANGES_CHARS_MAX, Statement
from sealog.verify import statements

ACME = tenant(1, "acme")
AT_US = 1_795_176_000_000_000
NOW = Moment.of(AT_US + 250_000)
EVENT = {
    "kind": "state",
    "category": ["configuration"],
    "type": ["deletion"],
    "outcome": "success",
    "provider": "sealog",
}
SAYS = b'{"v":1,"ranges":[[3,3],[7,9]],"reason":"expired","policy":"version 1"}'


def retention(says=SAYS, name="retention/1"):
    return Statement("sealog.retention", name, AT_US, says)


def sealed(*several, to=ACME):
    return stating.sealed(Sealer(Counted()), to, several, NOW, EVENT)


def opened(batch):
    return [event for pack in batch.packs for event in Unpacker().events(pack)]


def said(spans, **more):
    return list(stating.sayings(spans, reason="expired", policy="version 1", **more))


def spans_of(says):
    """What verification, which shares no code with it, reads of what was said."""
    (event,) = opened(sealed(retention(says)))
    return statements.read(event).ranges


def test_a_statement_is_an_entry_of_its_own_type_with_facts_alone(golden):
    batch = sealed(retention())

    (event,) = opened(batch)
    [(number, salt, part)] = event.parts
    line = b"%d %b %b" % (number, salt.hex().encode(), part)
    assert (event.kind, number) == (STATEMENT_ENTRY, FACTS)
    assert batch.entries == [event.entry()]
    golden("entry/statement.txt", b"\n".join([line, event.entry().hex().encode(), b""]))


def test_the_same_statement_is_known_again_whenever_it_is_sealed():
    later = Moment.of(AT_US + 86_400_000_000)

    first = sealed(retention())
    again = stating.sealed(Sealer(Counted()), ACME, [retention()], later, EVENT)
    other = sealed(retention(b'{"v":1,"ranges":[[3,3]],"reason":"expired","policy":"version 1"}'))

    assert first.ids == [ids.id_from_request(ACME.key, "sealog", "retention/1", 0)]
    assert (again.ids, again.id_keys) == (first.ids, first.id_keys)
    assert again.fingerprints == first.fingerprints
    assert other.id_keys == first.id_keys
    assert other.fingerprints != first.fingerprints


def test_a_tenant_named_like_an_address_is_not_named_in_what_can_never_be_erased():
    (event,) = opened(sealed(retention(), to=tenant(2, "ann@example.com")))

    [(_, _, part)] = event.parts
    assert b"ann" not in part
    assert "organization" not in msgspec.json.decode(part)


def test_few_indexes_are_said_as_ranges_and_many_scattered_ones_as_bits():
    scattered = [(index, index) for index in range(100, 300, 2)]

    [ranges] = said([(0, 10_000_000)])
    [bits] = said(scattered)

    assert msgspec.json.decode(ranges) == {
        "v": 1,
        "ranges": [[0, 10_000_000]],
        "reason": "expired",
        "policy": "version 1",
    }
    assert msgspec.json.decode(bits) == {
        "v": 1,
        "first": 100,
        "bits": base64.b64encode(b"\x55" * 24 + b"\x55").decode(),
        "reason": "expired",
        "policy": "version 1",
    }


@pytest.mark.parametrize(
    ("last", "count"),
    [(BITS_MAX - 2, 1), (BITS_MAX, 2)],
    ids=["as-many-bits-as-there-may-be", "one-more"],
)
def test_what_spans_more_than_a_statement_holds_is_said_in_several(last, count):
    scattered = [(index, index) for index in range(0, last + 1, 2)]

    told = said(scattered)

    assert len(told) == count
    assert max(map(len, told)) < RANGES_CHARS_MAX + 100
    assert [span for says in told for span in spans_of(says)] == scattered


SPANS = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 60)), min_size=1, max_size=60)


@given(SPANS, st.integers(0, 10**12))
def test_whatever_is_said_reads_as_what_was_meant(gaps, first):
    spans, at = [], first
    for gap, length in gaps:
        spans.append((at + gap, at + gap + length))
        at += gap + length + 1

    told = said(spans, bits_max=256)

    meant = {index for begin, end in spans for index in range(begin, end + 1)}
    read = [span for says in told for span in spans_of(says)]
    assert {index for begin, end in read for index in range(begin, end + 1)} == meant
    assert sum(end - begin + 1 for begin, end in read) == len(meant)
    assert all(b - a < 256 for says in told if b'"bits"' in says for a, b in [ends(says)])


def ends(says):
    spans = spans_of(says)
    return spans[0][0], spans[-1][1]
