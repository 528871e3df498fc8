"""Search columns come from the parts alone, for documents of every shape."""

import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.archive.made import event, opened

from sealog.archive import columns
from sealog.archive.columns import Row, row_of
from sealog.archive.forms import clip, fold

FACTS = {
    "@timestamp": "2026-11-20T12:00:00.123Z",
    "ecs": {"version": "8.11.0"},
    "event": {
        "id": "e-1",
        "kind": "event",
        "category": ["iam", "session"],
        "type": ["change"],
        "action": "USER_LOGIN",
        "outcome": "success",
        "ingested": "2026-11-20T12:00:01.000250Z",
    },
    "organization": {"id": "alpha"},
    "http": {"response": {"status_code": 201}},
    "sealog": {"action": "user.login", "dialect": "logichub"},
}
ACTOR = {
    "user": {"id": "U-7", "name": "Ada Lovelace", "email": "Ada@Example.COM"},
    "source": {"ip": "2001:DB8::1"},
    "client": {"ip": "10.0.0.1"},
    "session": {"id": "s-1"},
}
TARGET = {"user": {"target": {"id": "U-8", "name": "Grace", "email": "grace@example.com"}}}
REST = {"message": "hello", "sealog": {"findings": [{"code": "no-zone"}]}}


def _with(**event_fields: Any) -> dict[str, Any]:
    return {**FACTS, "event": {**FACTS["event"], **event_fields}}


def test_a_row_holds_what_a_search_needs():
    row = row_of(17, opened(FACTS, ACTOR, TARGET, REST))

    assert row == Row(
        index=17,
        at_us=1_795_176_000_123_000,
        ingested_us=1_795_176_001_000_250,
        action="USER_LOGIN",
        alias="user.login",
        category="iam\nsession",
        type="change",
        outcome="success",
        actor_id="u-7",
        actor_name="ada lovelace",
        actor_email="ada@example.com",
        actor_kind="user",
        address="2001:db8::1",
        target="grace\nu-8\ngrace@example.com",
        session="s-1",
        dialect="logichub",
        status=201,
        finding=True,
        id=hashlib.sha256(b"e-1").digest()[:8],
    )


def test_an_event_of_facts_alone_has_nobody_in_its_row():
    row = row_of(0, opened(FACTS))

    assert (row.actor_id, row.actor_name, row.actor_email, row.actor_kind) == ("", "", "", "")
    assert (row.address, row.target, row.session, row.finding) == ("", "", "", False)


@pytest.mark.parametrize(
    ("actor", "field", "expected"),
    [
        ({"user": "bob"}, "actor_name", "bob"),
        ({"user": 7}, "actor_name", "7"),
        ({"user": None}, "actor_name", ""),
        ({"user": [{"id": "first"}, {"id": "second"}]}, "actor_id", "first"),
        ({"user": {"id": 12345678901234567890123}}, "actor_id", "12345678901234567890123"),
        ({"user": {"id": 1.5}}, "actor_id", "1.5"),
        ({"user": {"id": True}}, "actor_id", "true"),
        ({"user": {"name": {"first": "Ada"}}}, "actor_name", ""),
        ({"user": {"name": 4}}, "actor_name", "4"),
        ({"user": {"email": ["A@b.c", "d@e.f"]}}, "actor_email", "a@b.c"),
        ({"user": {"name": "Straße"}}, "actor_name", "strasse"),
        ({"client": {"ip": "10.0.0.9"}}, "address", "10.0.0.9"),
        ({"source": "10.0.0.9"}, "address", ""),
        ({"source": {"ip": ["10.0.0.1"]}}, "address", "10.0.0.1"),
        ({"source": {"ip": ""}, "client": {"ip": "10.0.0.2"}}, "address", "10.0.0.2"),
        ({"source": {"ip": "2001:DB8:0:0::1"}}, "address", "2001:db8::1"),
        ({"source": {"ip": "::FFFF:10.0.0.3"}}, "address", "10.0.0.3"),
        ({"source": {"ip": "FE80::1%ETH0"}}, "address", "fe80::1%eth0"),
        ({"source": {"ip": "010.0.0.1"}}, "address", "010.0.0.1"),
        ({"source": {"ip": "Gate, 10.0.0.1"}}, "address", "gate, 10.0.0.1"),
        ({"session": {"id": 99}}, "session", "99"),
        ({"session": "open"}, "session", ""),
        ({"sealog": {"actor": {"kind": "agent"}}}, "actor_kind", "agent"),
        ({"sealog": {"actor": {"kind": ["agent"]}}, "user": {"id": "x"}}, "actor_kind", "agent"),
        ({"source": {"ip": "10.0.0.1"}}, "actor_kind", ""),
        (b'{"user":{"id":"\\ud800"}}', "actor_id", "\N{REPLACEMENT CHARACTER}"),
        (b'{"user":{"id":1e999}}', "actor_id", "1e999"),
        (b"not JSON", "actor_id", ""),
        (b"\xff\xfe", "actor_id", ""),
        (b"[1]", "actor_id", ""),
    ],
    ids=str,
)
def test_an_actor_of_any_shape_becomes_text_or_nothing(actor: Any, field: str, expected: str):
    row = row_of(0, opened(FACTS, actor))

    assert getattr(row, field) == expected


@pytest.mark.parametrize(
    ("facts", "field", "expected"),
    [
        (_with(category="iam"), "category", "iam"),
        (_with(category=[]), "category", ""),
        (_with(category=None), "category", ""),
        (_with(category=["iam", 3, None, {"a": 1}]), "category", "iam\n3"),
        (_with(kind=["event", "alert"]), "action", "USER_LOGIN"),
        (_with(action=5), "action", "5"),
        (_with(outcome=None), "outcome", ""),
        (_with(outcome=["failure"]), "outcome", "failure"),
        ({**FACTS, "http": {"response": {"status_code": "404"}}}, "status", 404),
        ({**FACTS, "http": {"response": {"status_code": "4o4"}}}, "status", None),
        ({**FACTS, "http": {"response": {"status_code": 2**31}}}, "status", None),
        ({**FACTS, "http": {"response": {"status_code": -1}}}, "status", None),
        ({**FACTS, "http": {"response": {"status_code": 200.5}}}, "status", None),
        ({**FACTS, "http": None}, "status", None),
        ({**FACTS, "http": "GET"}, "status", None),
        ({**FACTS, "@timestamp": "whenever"}, "at_us", 1_795_176_001_000_250),
        ({**FACTS, "@timestamp": 5}, "at_us", 1_795_176_001_000_250),
        ({**FACTS, "@timestamp": "2026-11-20T12:00:00.1234Z"}, "at_us", 1_795_176_000_123_400),
        ({**FACTS, "@timestamp": "2026-11-20T12:00:00.1234567Z"}, "at_us", 1_795_176_000_123_456),
        ({**FACTS, "@timestamp": "0001-01-01T00:00:00.000Z"}, "at_us", -62_135_596_800_000_000),
        (_with(ingested="never"), "ingested_us", 0),
        (b"{}", "action", ""),
        (b"null", "alias", ""),
        (b"", "dialect", ""),
    ],
    ids=str,
)
def test_facts_of_any_shape_become_values_or_nothing(facts: Any, field: str, expected: Any):
    row = row_of(0, opened(facts))

    assert getattr(row, field) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"user": {"target": {"id": "U-8", "email": "g@example.com"}}}, "u-8\ng@example.com"),
        ({"user": {"target": {"email": "g@example.com"}}}, "g@example.com"),
        ({"user": {"target": {"id": 8}}}, "8"),
        ({"user": {"target": {"id": "G@b.c", "email": "g@b.c", "name": "G"}}}, "g\ng@b.c"),
        ({"user": {"target": {"name": "two\nlines"}}}, "two lines"),
        ({"user": {"target": "Grace"}}, "grace"),
        ({"user": {"target": [{"name": "Grace"}]}}, "grace"),
        ({"user": {"changes": {"name": "x"}}}, ""),
        ({"user": {}}, ""),
        (b"broken", ""),
    ],
    ids=str,
)
def test_a_target_is_the_distinct_ones_of_name_id_and_email(target: Any, expected: str):
    assert row_of(0, opened(FACTS, None, target)).target == expected


def test_an_action_that_may_not_stand_in_facts_is_found_in_the_rest():
    facts = msgspec.json.decode(msgspec.json.encode(FACTS))
    del facts["event"]["action"], facts["event"]["id"]

    row = row_of(0, opened(facts, None, None, {"event": {"action": "mail a@b.c", "id": "x"}}))

    assert row.action == "mail a@b.c"
    assert row.id == hashlib.sha256(b"x").digest()[:8]


@pytest.mark.parametrize(
    ("rest", "flagged"),
    [
        ({"sealog": {"findings": []}}, False),
        ({"sealog": {"findings": [{"code": "x"}]}}, True),
        ({"event": {"original": '{"findings":["not ours"]}'}}, False),
        ({"other": {"findings": [1]}}, False),
    ],
    ids=str,
)
def test_only_our_own_findings_raise_the_flag(rest: Any, flagged: bool):  # noqa: FBT001
    assert row_of(0, opened(FACTS, None, None, rest)).finding is flagged


def test_long_values_stay_apart_though_they_are_cut():
    one, other = "x" * 600 + "1", "x" * 600 + "2"

    assert clip("x" * 512) == "x" * 512
    assert len(clip(one)) == 512 + 1 + 64
    assert clip(one) != clip(other)
    assert row_of(0, opened(FACTS, {"user": {"name": one.upper()}})).actor_name == fold(one)


def test_the_id_of_an_event_is_read_from_its_parts():
    assert columns.id_of(event(event_id="it-is-me")) == "it-is-me"
    assert columns.id_of(opened(b"?")) == ""


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "user",
                    "event",
                    "id",
                    "name",
                    "email",
                    "ip",
                    "source",
                    "action",
                    "category",
                    "target",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(_json, min_size=4, max_size=4), st.binary(max_size=20))
def test_no_document_makes_a_row_fail(parts: list[Any], noise: bytes):
    rows = [row_of(1, opened(*parts)), row_of(1, opened(noise, noise, noise, noise))]

    for row in rows:
        msgspec.json.encode(row)  # every text is one that Arrow takes, too
