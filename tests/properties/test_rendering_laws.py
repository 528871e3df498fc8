"""Laws of rendering: what came in comes out of its own dialect token by token, and nothing raises."""

import re

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tests.rendering.made import Counted, packed, stored, without

from sealog.catalog.shelf import load
from sealog.event import tokens
from sealog.event.packs import Unpacker
from sealog.event.parts import PART_NAMES
from sealog.intake.preparing import Preparer
from sealog.rendering.rendering import DIALECTS, Renderer

PRODUCTS = DIALECTS[1:]
PREPARER = Preparer(load(), Counted())
SHAPES = [Renderer(dialect) for dialect in DIALECTS] + [Renderer("ecs", ecs_version="1.9")]

SCALARS = [
    "0", "-0", "-1.50", "1E2", "1e400", "12345678901234567890123", "0.1000000000000000055511151231",
    "true", "false", "null", '""', '" "', '"a"', '"caf\\u00e9"', '"\\ud800"', '"\\ud83e\\udd86"',
    '"Zażółć 🦆"', '"\\u0000"', '"a\\nb"', '"{\\"a\\":[1]}"', '"},{"', '"/203.0.113.7:99"',
    '"unknown"', '"system"', '"2026-01-31T12:00:00.000+0000"', '"31/01/2026 12:00:00 +05.5:30"',
    '"LOGGED_IN"', '"login"', '"Opened"', '"agent_login"', '"UserLoginSuccess"', '"SUCCESS"', "204",
    '"\\u002e"', '"@"', '"closer"',
]  # fmt: skip
KEYS = [
    "_id", "_index", "_source", "@timestamp", "message", "event", "event.action", "event.kind",
    "kind", "category", "type", "outcome", "action", "id", "user", "user.id", "user.name", "name",
    "source", "source.ip", "client", "client.ip", "ip", "http", "request", "response", "body",
    "content", "status_code", "ecs", "ecs.version", "version", "organization", "label", "labels",
    "os", "geo", "user_agent", "browser_language", "service", "environment", "url", "full",
    "timestamp", "tenantUserId", "sessionId", "agent", "data", "dateTime", "activity", "time",
    "actor", "details", "status", "newUsername", "customerId", "sealog", "closer", "envelope",
    "easysend", "flat", "chatvisor", "supsis", "logichub", "description", "hits", "a.b", ".",
    "\\u00e9", "\\ud800", "", "x", "resetUsername", "executionTime", "related", "session",
]  # fmt: skip
SPACES = st.sampled_from(["", "", "", " ", "\n", "\r\n\t"])


@st.composite
def texts(draw, depth=4):
    """JSON as nobody would write it, but may."""
    kind = draw(st.integers(0, 9)) if depth else 0
    if kind < 5:
        return draw(st.sampled_from(SCALARS))
    space = draw(SPACES)
    below = st.lists(texts(depth=depth - 1), max_size=3)
    if kind == 5:
        return "[" + space + f",{space}".join(draw(below)) + "]"
    return written(draw, draw(below), space)


def written(draw, values, space):
    keys = [draw(st.sampled_from(KEYS)) for _ in values]
    members = [f'"{key}"{space}:{value}' for key, value in zip(keys, values, strict=True)]
    return "{" + space + f"{space},".join(members) + space + "}"


@st.composite
def records(draw):
    """An object as a sender may send it; it names no action of Sealog's own."""
    values = draw(st.lists(texts(), max_size=8))
    return written(draw, values, draw(SPACES))


TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[-+0-9.eE]+|true|false|null|[{}\[\],:]')


def tokens_of(text):
    return TOKEN.findall(text)


@given(st.sampled_from(PRODUCTS), st.lists(records(), min_size=1, max_size=4))
@settings(max_examples=300)
def test_what_came_in_comes_out_token_by_token(dialect, sent):
    body = f"[{','.join(sent)}]".encode()

    events = stored(dialect, body, preparer=PREPARER)

    renderer = Renderer(dialect)
    shown = renderer.listed(packed(events), 0, Unpacker())
    assert [tokens_of(line.decode()) for line in shown] == [tokens_of(text) for text in sent]
    assert shown == [renderer.event(event, n) for n, event in enumerate(events)]
    assert not any(b"\n" in line for line in shown)


@example("supsis", ['{"_source":1}'], {"actor"})
@given(
    st.sampled_from(DIALECTS),
    st.lists(records(), min_size=1, max_size=3),
    st.sets(st.sampled_from(PART_NAMES)),
)
@settings(max_examples=300)
def test_no_rendering_of_any_stored_event_raises(dialect, sent, erased):
    """Whatever it is, in every shape, and whatever was erased of it: an object on one line."""
    body = f"[{','.join(sent)}]".encode()
    events = [without(event, *erased) for event in stored(dialect, body, preparer=PREPARER)]

    for renderer in SHAPES:
        alone = [renderer.event(event, n) for n, event in enumerate(events)]
        assert renderer.listed(packed(events), 0, Unpacker()) == alone
        for event, line in zip(events, alone, strict=True):
            assert b"\n" not in line
            assert b"\r" not in line
            tree = tokens.parse(line, own=True).tree
            if event.erased:
                home = tree["_source"] if renderer.dialect == "closer" else tree
                assert tokens.plain(tokens.encode(home))["sealog"]["erased"] == [
                    PART_NAMES[number] for number, _ in event.erased
                ]


@given(st.sampled_from(PRODUCTS), records(), st.sampled_from([",}", " // so\n}", ", // so\n }"]))
@settings(max_examples=150)
def test_what_came_in_broken_comes_out_mended_token_by_token(dialect, sent, ending):
    """A comma too many, a comment: nothing but the fault is gone."""
    assume(not sent[1:-1].isspace() and len(sent) > len("{}"))
    # Lines that are objects of their own would be taken for records.
    broken = " ".join(sent[:-1].split()) + ending

    (event,) = stored(dialect, broken.encode(), preparer=PREPARER)

    shown = Renderer(dialect).event(event, 0)
    assert tokens_of(shown.decode()) == tokens_of(sent)
    assert tokens.parse(shown).tree is not None
