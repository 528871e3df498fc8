"""What is derived on the way out: added to what the sender said, never instead of it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealog.event import tokens
from sealog.event.packs import Opened
from sealog.event.tokens import opened
from sealog.server import deriving, showing

CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.6099.71 Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1"
)


def derived(event):
    """An event, given as values or as JSON, as it is shown."""
    text = event if isinstance(event, bytes) else msgspec.json.encode(event)
    tree = opened(tokens.Raw(text))
    deriving.add(tree)
    return msgspec.json.decode(tokens.encode(tree))


@pytest.mark.parametrize(
    ("original", "said"),
    [
        pytest.param(
            CHROME,
            {
                "name": "Chrome",
                "version": "120.0.6099.71",
                "os": {"name": "Windows", "version": "10", "full": "Windows 10"},
            },
            id="Chrome",
        ),
        pytest.param(
            IPHONE,
            {
                "name": "Mobile Safari",
                "version": "17.1",
                "os": {"name": "iOS", "version": "17.1", "full": "iOS 17.1"},
                "device": {"name": "iPhone"},
            },
            id="iPhone",
        ),
        pytest.param("curl/8.4.0", {"name": "curl", "version": "8.4.0"}, id="curl"),
        pytest.param("somebody", {}, id="nobody known"),
        pytest.param("", {}, id="empty"),
        pytest.param("curl/8.4.0 " + "x" * 2_000, {}, id="too long"),
        pytest.param(None, {}, id="null"),
        pytest.param(["curl/8.4.0"], {}, id="array"),
        pytest.param({"a": "curl/8.4.0"}, {}, id="object"),
    ],
)
def test_a_user_agent_says_what_it_is(original, said):
    event = {"user_agent": {"original": original}}

    assert derived(event) == {"user_agent": {"original": original, **said}}


def test_what_the_sender_said_of_the_user_agent_stands():
    agent = {
        "original": IPHONE,
        "name": "Our App",
        "os": {"name": "iPadOS"},
        "device": "none",
        "other": 1.0,
    }

    assert derived({"user_agent": agent})["user_agent"] == {
        **agent,
        "version": "17.1",
        "os": {"name": "iPadOS", "version": "17.1", "full": "iOS 17.1"},
    }


def test_what_was_read_once_is_not_changed_by_who_is_shown_it():
    first = derived({"user_agent": {"original": IPHONE, "os": {"family": "ios"}}})
    second = derived({"user_agent": {"original": IPHONE}})

    assert first["user_agent"]["os"]["family"] == "ios"
    assert "family" not in second["user_agent"]["os"]


@pytest.mark.parametrize(
    ("event", "related"),
    [
        pytest.param({"source": {"ip": "192.0.2.1"}}, {"ip": ["192.0.2.1"]}, id="address"),
        pytest.param(
            {"client": {"ip": "192.0.2.1"}, "source": {"ip": "192.0.2.1", "port": 1}},
            {"ip": ["192.0.2.1"]}, id="once",
        ),
        pytest.param(
            {"user": {"id": "u-1", "name": "Ada", "email": "ada@x.example", "roles": ["a"]}},
            {"user": ["Ada", "u-1", "ada@x.example"]}, id="user",
        ),
        pytest.param(
            {"user": {"name": "Ada", "target": {"name": "Bob"}, "effective": {"id": "root"},
                      "changes": {"name": "Bobby"}}},
            {"user": ["Ada", "Bob", "root", "Bobby"]}, id="others",
        ),
        pytest.param(
            {"user": {"name": "Ada"}, "related": {"user": ["Eve", "Ada"], "hash": ["x"]}},
            {"user": ["Eve", "Ada"], "hash": ["x"]}, id="the sender's first",
        ),
        pytest.param(
            {"user": {"name": "Ada"}, "related": {"user": "Eve"}}, {"user": ["Eve", "Ada"]},
            id="one of the sender's",
        ),
        pytest.param({"user": {"name": "Ada"}, "related": "odd"}, "odd", id="no object"),
        pytest.param({"user": {"id": 17, "name": ""}}, None, id="no text"),
        pytest.param({"user": "Ada", "source": ["192.0.2.1"]}, None, id="no objects"),
        pytest.param({"event": {"action": "x"}}, None, id="nobody"),
    ],
)  # fmt: skip
def test_who_and_where_stand_together(event, related):
    assert derived(event).get("related") == related


def test_tokens_are_kept_as_they_were_written():
    text = b'{"user":{"name":"\\u0041da","x":1.0},"related":{"user":[1E2]}}'
    tree = opened(tokens.Raw(text))

    deriving.add(tree)

    assert tokens.encode(tree) == (
        b'{"user":{"name":"\\u0041da","x":1.0},"related":{"user":[1E2,"\\u0041da"]}}'
    )


def test_text_that_only_the_slow_reader_takes_is_left_as_it_is():
    text = b'{"user_agent":{"original":"\\ud800 curl/8.4.0"},"user":{"name":"\\udfff"}}'
    tree = tokens.parse(text).tree

    deriving.add(tree)

    assert tokens.encode(tree).startswith(text[:-1])


def test_an_event_is_shown_with_it_and_its_parts_are_untouched():
    """What is proved is the parts; an event whose actor is erased says nothing of them."""
    facts = (0, bytes(16), b'{"event":{"id":"a"},"sealog":{"action":"x"}}')
    actor = (1, bytes(16), b'{"user":{"name":"Ada"},"user_agent":{"original":"curl/8.4.0"}}')
    whole, without = Opened(b"\x01", (facts, actor)), Opened(b"\x01", (facts,), ((1, bytes(32)),))
    entry = whole.entry()

    shown = msgspec.json.decode(showing.event(whole, 3))

    assert shown["user_agent"]["name"] == "curl"
    assert shown["related"] == {"user": ["Ada"]}
    assert whole.entry() == entry
    assert b"related" not in showing.event(without, 3)


keys = st.sampled_from(
    [
        "user",
        "source",
        "client",
        "related",
        "user_agent",
        "name",
        "id",
        "ip",
        "original",
        "os",
        "target",
        "email",
        "version",
        "x",
    ]
)
texts = st.sampled_from(["", "a", "Ada", "curl/8.4.0", "192.0.2.1", "\u00e9"])
leaves = st.none() | st.booleans() | st.integers(-9, 9) | texts
values = st.recursive(
    leaves | st.lists(leaves, max_size=3), lambda inner: st.dictionaries(keys, inner, max_size=4)
)


def holds(shown, sent):
    """Whether all that was sent is shown; lists, and one value in its place, may have grown."""
    if isinstance(sent, dict):
        return isinstance(shown, dict) and all(
            key in shown and holds(shown[key], value) for key, value in sent.items()
        )
    if isinstance(shown, list):
        said = sent if isinstance(sent, list) else [sent]
        return all(one in shown for one in said)
    return shown == sent


@given(st.dictionaries(keys, values, max_size=5))
def test_nothing_that_was_sent_is_lost_or_changed(event):
    assert holds(derived(event), event)
