"""Laws of events that hold for every JSON object a sender could send.

The documents are as odd as those measured in real audit data: objects where scalars are expected
and the reverse, numbers past every float, mixed arrays, dotted beside nested keys, equal keys.
"""

import re
from collections import Counter

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import Raw

from sealog.dialects import trees
from sealog.dialects.dialect import Settings
from sealog.dialects.ecs import Ecs
from sealog.errors import Refused
from sealog.event import parts, tokens
from sealog.event.record import Record

LAW = settings(max_examples=200, deadline=None)

STRINGS = st.sampled_from(
    [
        '"a"',
        '""',
        '"event"',
        '"8.11.0"',
        '"1.9"',
        '"bob@example.org"',
        '"bob\\u0040example.org"',
        '"caf\\u00e9"',
        '"Zażółć 🦆"',
        '"\\ud800"',
        '"\\u0000"',
        '"a\\"b\\\\"',
        '"{[\\":"',
        '"x.y: z"',
        '"' + "x" * 256 + '"',
        '"' + "x" * 257 + '"',
        '"' + "ä" * 128 + '"',
        '"2026-11-20T12:00:00.123Z"',
        '"2026-11-20T12:00:00.1234567Z"',
        '"2026-11-20T12:00:00.123456789+05:30"',
    ]
)
NUMBERS = st.sampled_from(
    ["0", "-0.0", "1.0", "1E2", "1e400", "9007199254740993", "12345678901234567890123", "204"]
)
SCALARS = st.one_of(STRINGS, NUMBERS, st.sampled_from(["null", "true", "false"]))
KEYS = st.sampled_from(
    [
        "@timestamp",
        "event",
        "user",
        "http",
        "service",
        "ecs",
        "organization",
        "sealog",
        "source",
        "labels",
        "message",
        "x",
        "logichub",
        "id",
        "kind",
        "category",
        "type",
        "outcome",
        "action",
        "ingested",
        "original",
        "reason",
        "code",
        "version",
        "name",
        "environment",
        "request",
        "response",
        "method",
        "status_code",
        "body",
        "content",
        "target",
        "changes",
        "effective",
        "ip",
        "details",
        "actorRole",
        "event.action",
        "event.id",
        "event.kind",
        "user.name",
        "user.target",
        "user.target.id",
        "target.id",
        "a.b",
        "request.method",
        "http.request.method",
        "http.request.body",
        "labels.a.b",
        "organization.id",
        "ecs.version",
        "x.y",
        "..",
        "a.",
        "é",
    ]
)


def array(items):
    return "[" + ",".join(items) + "]"


def written(members):
    return "{" + ",".join(f"{tokens.encode(key).decode()}:{value}" for key, value in members) + "}"


def objects(values, keys=KEYS):
    members = st.tuples(keys, values)
    return st.lists(members, max_size=6, unique_by=lambda member: member[0]).map(written)


def repeating(values):
    """Objects whose keys need not differ."""
    return st.lists(st.tuples(KEYS, values), max_size=6).map(written)


VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(objects(inner), st.lists(inner, max_size=4).map(array)),
    max_leaves=14,
)


@st.composite
def documents(draw):
    return draw(st.one_of(objects(VALUES), repeating(st.one_of(VALUES, repeating(SCALARS)))))


DOCUMENTS = documents()
# What a careful sender sends: a time, an action, no dotted keys.
PLAIN_KEYS = KEYS.filter(lambda key: "." not in key)
CAREFUL_VALUES = st.one_of(SCALARS, objects(SCALARS, PLAIN_KEYS))


@st.composite
def careful_documents(draw):
    event, others = (
        draw(st.dictionaries(PLAIN_KEYS, CAREFUL_VALUES, max_size=5)) for _ in range(2)
    )
    time = draw(st.sampled_from(['"2026-11-20T12:00:00.123Z"', '"2026-11-20T12:00:00.123456Z"']))
    event = written((event | {"action": '"a"'}).items())
    return written((others | {"@timestamp": time, "event": event}).items())


CAREFUL = careful_documents()
DEEP = '{"event":' * 127 + "{}" + "}" * 127
DECLARED = {
    "logichub.details.actorRole": parts.FACTS,
    "logichub.details.name": parts.TARGET,
    "logichub.user": parts.ACTOR,
    "x": parts.ACTOR,
    "x.code": parts.FACTS,
}
ROOTS = st.sampled_from([parts.places(), parts.places(DECLARED)])


def record_of(text):
    """A record as the wire makes it: quickly where that loses nothing."""
    text = text.encode()
    parsed = tokens.parse(text)
    if parsed.equal:
        return Record(0, text, text, parsed.tree, equal=parsed.equal, strict=False)
    try:
        return Record(0, text, text, msgspec.json.decode(text, type=dict[str, Raw]))
    except msgspec.DecodeError:
        return Record(0, text, text, parsed.tree, strict=False)


SCALAR = re.compile(rb'("(?:[^"\\]|\\.)*+"|[-0-9.eE+]+|true|false|null)(\s*:)?')


def scalars(text):
    """How often each scalar stands in a text, as the token it is; keys are none."""
    return Counter(match[1] for match in SCALAR.finditer(text) if match[2] is None)


def opened(tree):
    """A tree with every object opened and every leaf as its bytes."""
    return {
        key: bytes(node) if (inner := trees.opened(node)) is None else opened(inner)
        for key, node in tree.items()
    }


def leaves(tree, path=()):
    """The path of every leaf; an empty object is one."""
    for key, node in tree.items():
        if isinstance(node, dict) and node:
            yield from leaves(node, (*path, key))
        else:
            yield (*path, key), node


@LAW
@given(st.one_of(DOCUMENTS, CAREFUL))
@example(DEEP)
@example('{"user.a":1,"user":{"a":2,"a.b":3},"user.a.b":4}')
def test_no_value_is_lost_on_the_way_into_a_draft(text):
    record = record_of(text)
    before = opened(record.fields)
    try:
        draft = Ecs().translate(record, Settings())
    except Refused:
        return

    sealed = [draft.at_text, draft.id, draft.tenant, "8.11.0"]
    stands = scalars(tokens.encode([draft.tree, draft.sent]))
    stands += Counter(tokens.encode(value) for value in sealed if value)

    assert scalars(record.received) - stands == Counter()
    assert opened(record.fields) == before


@LAW
@given(CAREFUL)
@example(
    '{"@timestamp":"2026-11-20T12:00:00.123Z","event":{"action":"a","id":"i"},"user":{"x":1.0}}'
)
def test_a_clean_document_is_there_whole_without_its_original(text):
    """X-08: every path of it holds the same token, whatever Sealog adds."""
    record = record_of(text)
    draft = Ecs().translate(record, Settings())
    if not draft.clean:
        return

    got = opened(draft.tree)
    got["@timestamp"] = tokens.encode(draft.at_text)
    for root, key, value in (
        ("ecs", "version", "8.11.0"),
        ("event", "id", draft.id),
        ("organization", "id", draft.tenant),
    ):
        if value is not None:
            got.setdefault(root, {})[key] = tokens.encode(value)

    there = dict(leaves(got))
    assert {
        path: leaf
        for path, leaf in leaves(opened(record.fields))
        if leaf != {} and there.get(path) != leaf
    } == {}


@LAW
@given(DOCUMENTS)
def test_expanding_keeps_every_value_and_leaves_no_dotted_key_that_is_read(text):
    fields = record_of(text).fields

    made = trees.expand(fields)

    kept = scalars(tokens.encode([made.tree, made.losers]))
    assert kept == scalars(tokens.encode(fields))
    for path in [(), *(tuple(path.split(".")) for path in trees.READ_OBJECTS)]:
        inner = trees.opened(trees.get_at(made.tree, path) or Raw(b"0"))
        assert not [key for key in inner or () if "." in key and all(key.split("."))]


@LAW
@given(DOCUMENTS, ROOTS, st.booleans())
@example(DEEP, parts.places(), False)
def test_the_parts_of_an_event_join_into_the_event(text, root, action_known):
    tree = record_of(text).fields
    before = opened(tree)

    cut = parts.split(tree, root, action_known=action_known)

    assert opened(parts.joined([part for _, part in cut])) == before
    assert opened(parts.joined([part for _, part in reversed(cut)])) == before
    assert opened(tree) == before
    assert [number for number, _ in cut] == sorted({number for number, _ in cut})
    assert all(part != b"{}" for _, part in cut)


@LAW
@given(DOCUMENTS, ROOTS)
def test_no_path_of_one_part_equals_or_begins_a_path_of_another(text, root):
    cut = parts.split(record_of(text).fields, root)

    begun = [
        {
            path[:size]
            for path, _ in leaves(opened(parts.joined([part])))
            for size in range(1, len(path) + 1)
        }
        for _, part in cut
    ]
    whole = [{path for path, _ in leaves(opened(parts.joined([part])))} for _, part in cut]
    for nth, ends in enumerate(whole):
        for other, starts in enumerate(begun):
            assert nth == other or not ends & starts


@LAW
@given(DOCUMENTS, st.booleans())
def test_facts_hold_nothing_but_the_closed_list_short_and_without_an_at(text, declares):
    allowed = parts.FACT_PATHS | ({"logichub.details.actorRole", "x.code"} if declares else set())
    cut = dict(parts.split(record_of(text).fields, parts.places(DECLARED if declares else None)))

    for path, leaf in leaves(opened(parts.joined([cut.get(parts.FACTS, b"{}")]))):
        assert ".".join(path) in allowed
        value = tokens.plain(leaf)
        for item in value if isinstance(value, list) else [value]:
            assert not isinstance(item, list | dict)
            assert not isinstance(item, str) or ("@" not in item and len(item.encode()) <= 256)


@LAW
@given(DOCUMENTS, ROOTS)
def test_facts_judged_together_are_those_judged_one_by_one(text, root):
    tree = record_of(text).fields
    singly = parts._judge(tree, root, None)

    cut = dict(parts.split(tree, root))

    assert [opened(parts.joined([cut.get(number, b"{}")])) for number in range(4)] == [
        opened(share) for share in singly
    ]
