"""Laws of shapes: what is read by a pattern is sealed to the very bytes that reading it slowly gives."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.journal.made import NOW_US, tenant

from sealog.access.grants import Grant
from sealog.catalog.shelf import load
from sealog.dialects.dialect import Settings
from sealog.dialects.hits import FORMED_AFTER
from sealog.event import patterns
from sealog.event.shapes import LEARNT_AFTER
from sealog.intake.preparing import Job, Preparer
from sealog.intake.source import Source

ALL = Grant("k", frozenset({"ingest"}), None, may_create=True)
STRINGS = [
    '"a"',
    '""',
    '"acme"',
    '"event"',
    '"iam"',
    '"success"',
    '"sealog.key"',
    '"Zażółć 🦆"',
    '"50% of %b"',
    '"bob@example.org"',
    '"a\\"b\\\\/\\n"',
    '"caf\\u00e9"',
    '"\\ud800"',
    '":x"',
    '" :x"',
    '"a.b\\" : c"',
    '"a.\\\\"',
    '" "',
    '"x.y"',
    '"[masked]"',
    '"token=hunter2hunter2"',
    '"\ue0000\ue000"',
    '"\x7f"',
    '"' + "x" * 256 + '"',
    '"' + "ä" * 129 + '"',
    '"2026-11-20T12:00:00.123Z"',
    '"2026-02-30T12:00:00.123Z"',
    '"2026-11-20T12:00:00.12Z"',
    '"2999-11-20T12:00:00.123456Z"',
]
OTHERS = ["0", "-0", "-1.50", "1E2", "1e400", "9007199254740993", "null", "true", "false"]
ARRAYS = [
    "[]",
    '[1.5," :a"]',
    '["a"]',
    '["a","b@c"]',
    '[1,"x"]',
    "[[1]]",
    '[{"a":1}]',
    '[1.5,":a"]',
    '["iam"]',
]
OBJECTS = [
    "{}",
    '{"a":1}',
    '{"id":"x","a":{"b":"c"}}',
    '{"target":{"id":"t"},"id":"u"}',
    '{"a.b":1}',
]
VALUES = st.sampled_from([*STRINGS, *OTHERS, *ARRAYS, *OBJECTS])
# What careful senders send; now and then anything else stands there.
FIELDS = {
    "@timestamp": ['"2026-11-20T12:00:00.123Z"', '"2026-11-20T12:00:01.123456Z"'],
    "ecs": ['{"version":"8.11.0"}'],
    "organization": ['{"id":"acme"}', '{"id":"globex"}'],
    "user": ['{"id":"u-1","roles":["a"]}', '{"id":"u-1","target":{"id":"u-2"}}', '"bob@x.y"'],
    "source": ['{"ip":"192.0.2.1","geo":{"location":{"lat":1.50}}}'],
    "http": ['{"request":{"id":"r","method":"GET"},"response":{"status_code":200}}', "{}"],
    "service": ['{"name":"s","id":"i"}', '{"name":"s","type":["a","b"]}'],
    "labels": ['{"a":"50% of %b","b":null}', "[]"],
    "message": ['"a\\"b\\\\/\\n"', "1e400", "[1,true]"],
    "@x-1_y": ['"v"', '{"a-b":1,"@c":[]}'],
    "a%s": ['"50%"'],
    "x+(y": ["1"],
}
EVENT = {
    "id": ['"e-1"', '"e-2"'],
    "kind": ['"event"', '"alert"'],
    "category": ['["iam"]', '["file","iam"]'],
    "type": ['["change"]'],
    "action": ['"user.login"', '"a%s"'],
    "outcome": ['"success"', '"failure"'],
    "reason": ['"Za\u017c\u00f3\u0142\u0107 \U0001f986"', '{"x":{}}'],
    "sequence": ["-0", "12", "1.50"],
}
ODD = [
    '"a@b"',
    '""',
    '"[masked]"',
    '"sealog.x"',
    '"odd"',
    '"a\\tb"',
    '"a\tb"',
    '"a\x01b"',
    '{"id":""}',
    '{"version":"1.9"}',
    '{"id":"a@b"}',
    '"iam"',
]
ANY = st.one_of(VALUES, st.sampled_from(ODD))


def written(members):
    return "{" + ",".join(f'"{key}":{value}' for key, value in members) + "}"


@st.composite
def families(draw):
    """Documents with the same keys in the same order: a careful sender's, and odder ones."""
    others = st.lists(st.sampled_from(sorted(FIELDS)), unique=True)
    roots = draw(st.permutations([*dict.fromkeys(["event", "@timestamp", *draw(others)])]))
    others = st.lists(st.sampled_from(sorted(EVENT)), unique=True)
    inside = draw(st.permutations([*dict.fromkeys(["action", *draw(others)])]))
    usual = {**FIELDS, **{f"event.{key}": values for key, values in EVENT.items()}}
    values = {key: draw(st.sampled_from(choice)) for key, choice in usual.items()}
    family = []
    for _ in range(draw(st.integers(2, 5))):
        values["event"] = written((key, values[f"event.{key}"]) for key in inside)
        family.append(written((key, values[key]) for key in roots).encode())
        changed = draw(st.sampled_from([*roots, *(f"event.{key}" for key in inside)]))
        values[changed] = draw(st.one_of(st.sampled_from(usual.get(changed, ["1"])), ANY))
    return family


MESSAGE = {
    "event.kind": ['["event"]', '"event"'],
    "event.category": ['["iam"]', '["configuration"]'],
    "event.type": ['["change"]'],
    "event.outcome": ['"success"', '"failure"', '"FAILED"'],
    "event.created": ['"2026-11-20T12:00:00Z"', "[1]"],
    "http.request.method": ['"PUT"'],
    "http.request.body.content": [
        '"{\\"email\\":\\"ann@example.com\\",\\"password\\":\\"hunter2hunter2\\"}"',
        '"{\\"skills\\":[\\"a\\"]}"',
    ],
    "http.response.status_code": ["200", "400", '"403"'],
    "source.ip": ['"/198.51.100.1"', '"198.51.100.1"', '"/198.51.100.1:80"', '"host/::1"'],
    "user.id": ['"u-1"', '" "', '"ann@example.com"'],
    "user.roles": ['["AGENT"]'],
    "url.full": ['"https://x/?token=hunter2hunter2&b=1"', '"https://x/"'],
    "ecs.version": ['"1.9"'],
}
ODD_KEYS = [
    "organization.id",
    "sealog.x",
    "user",
    "http",
    "ecs",
    "client.ip",
    "event.id",
    "closer.timestamp",
    "_id",
    "_index",
    "a%s",
    "x+(y",
    "é",
]
HIT = {
    "_index": ['"closer-2026"'],
    "_id": ['"h-1"', '"h-2"'],
    "_score": ["0", "null", "1.0"],
    "sort": ["[1]"],
}


@st.composite
def hits(draw):
    """Hits of Closer with the same keys in the same order, and odder ones."""
    more = st.lists(st.sampled_from(sorted(MESSAGE)), unique=True)
    keys = draw(st.permutations(["event.action", *draw(more)]))
    keys += draw(st.lists(st.sampled_from([*ODD_KEYS, None, None]), max_size=1))
    keys = [key for key in keys if key is not None]
    usual = {**HIT, **MESSAGE, "event.action": ['"agent_login"', '"oauth_authorization"', '"new"']}
    usual["@timestamp"] = ['"2026-11-20T12:00:00.123+0000"', '"2026-11-20T12:00:01.123456+0000"']
    choices = {
        key: usual.get(key, ['"x"', '"198.51.100.2"']) for key in (*HIT, "@timestamp", *keys)
    }
    values = {key: draw(st.sampled_from(choice)) for key, choice in choices.items()}
    envelope = draw(st.permutations(sorted(HIT)))
    family = []
    for _ in range(draw(st.integers(2, 5))):
        message = written((key, values[key]) for key in keys)
        source = written([("@timestamp", values["@timestamp"]), ("message", message)])
        lines = [*((key, values[key]) for key in envelope), ("_source", source)]
        family.append(written(lines).encode())
        changed = draw(st.sampled_from(sorted(choices)))
        values[changed] = draw(st.one_of(st.sampled_from(choices[changed]), ANY))
    return family


def preparer():
    return Preparer(load(), lambda size: b"\x07" * size)


TENANTS = {name: tenant(number, name) for number, name in enumerate(("acme", "globex", "a@b"), 1)}


def prepared(by, body, **source):
    """Everything that comes of a request, as values that can be compared."""
    job = Job(body, Source(ALL, **source), Settings(), NOW_US)
    found = by.prepare(job, TENANTS.get)
    refusals = [
        one and (type(one), one.detail, one.code, one.record, one.pointer) for one in found.answers
    ]
    return refusals, found.batches, found.missing


SIGNS = re.compile(rb'("(?:[^"\\]|\\.)*")|([,:])')


def check(family, *, spaced=False, **source):
    """A preparer that has seen the family before seals it as one that sees it for the first time."""
    if spaced:
        family = [SIGNS.sub(lambda one: one[1] or one[2] + b" ", line) for line in family]
    warm = preparer()
    # Once to be learnt from, once to be read by what was learnt: a body is read before it is noticed.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patterns, "QUICK_AFTER", 1)
        for line in [*family, *family]:
            prepared(warm, b"\n".join([line] * (LEARNT_AFTER + FORMED_AFTER + 1)), **source)
    for line in family:
        assert prepared(warm, line, **source) == prepared(preparer(), line, **source)
    body = b"\n".join([*family, b"{}"])
    assert prepared(warm, body, **source) == prepared(preparer(), body, **source)


NAMED = st.sampled_from([None, "acme", "a@b"])
HOW = st.sampled_from([{}, {"imported": True}, {"request_key": "k-1"}])


@settings(max_examples=150, deadline=None)
@given(families(), NAMED, HOW, st.booleans())
def test_a_record_of_a_known_shape_is_sealed_as_one_that_is_decoded(family, named, how, spaced):
    check(family, tenant=named, spaced=spaced, **how)


@settings(max_examples=150, deadline=None)
@given(hits(), st.sampled_from(["acme", "a@b"]), HOW, st.booleans())
def test_a_hit_of_a_known_form_is_sealed_as_one_that_is_translated(family, named, how, spaced):
    check(family, tenant=named, spaced=spaced, dialect="closer", **how)


def test_a_time_that_is_no_time_is_no_fault_of_ours():
    """Of a time that ends otherwise than Closer's do, no half of a character may be read."""
    hit = '{"_id":"h-1","_source":{"@timestamp":"%s","message":{"event.action":"agent_login"}}}'
    times = ["2026-11-20T12:00:00.123+0000", "\U0001f986\U0001f986", "é+0000", ""]

    check([(hit % time).encode() for time in times], tenant="acme", dialect="closer")
