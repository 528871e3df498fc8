import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealog.errors import Refused
from sealog.event import joining, parts, tokens
from sealog.event.packs import Opened, Packer, Unpacker
from sealog.event.parts import PART_NAMES

CLEAN = Opened(
    b"\x01",
    (
        (
            0,
            bytes(16),
            b'{"event":{"id":"1"},"http":{"request":{"method":"PUT"}},"sealog":{"action":"a"}}',
        ),
        (1, bytes(16), b'{"user":{"id":"u"},"sealog":{"actor":{"kind":"agent"}}}'),
        (2, bytes(16), b'{"user":{"target":{"id":"v"}}}'),
        (3, bytes(16), b'{"event":{"original":"{\\"a\\":1}"},"http":{"request":{"id":1E2}}}'),
    ),
)
WHOLE = (
    b'{"event":{"id":"1","original":"{\\"a\\":1}"},'
    b'"http":{"request":{"method":"PUT","id":1E2}},'
    b'"sealog":{"action":"a","actor":{"kind":"agent"},"index":7},'
    b'"user":{"id":"u","target":{"id":"v"}}}'
)


def of(*texts, erased=()):
    """An event of these parts, None where there is none."""
    return Opened(
        b"\x01",
        tuple((n, bytes(16), text) for n, text in enumerate(texts) if text is not None),
        tuple((n, bytes(32)) for n in erased),
    )


def lines_of(*events, places=None, base=0):
    pack = Packer().pack(events, range(len(events)))
    return joining.lines(pack, base, Unpacker(), places).splitlines()


def slowly(event, index):
    """One part after another, as they are joined to be looked at anywhere else."""
    tree = parts.joined([part for _, _, part in event.parts])
    own = tree.get("sealog")
    own = own if type(own) is dict else {} if own is None else parts.joined([bytes(own)])
    tree["sealog"] = own
    own["index"] = index
    if event.erased:
        own["erased"] = [PART_NAMES[number] for number, _ in event.erased]
    return tokens.encode(tree)


def test_what_parts_share_becomes_one_object_at_every_level():
    assert joining.shown(CLEAN, 7) == WHOLE
    assert lines_of(CLEAN, base=7) == [WHOLE]


def test_a_pack_gives_a_line_for_each_of_its_events():
    other = of(b'{"event":{"id":"2"},"sealog":{"action":"b"}}')

    assert lines_of(other, CLEAN, base=6) == [
        b'{"event":{"id":"2"},"sealog":{"action":"b","index":6}}',
        WHOLE,
    ]


def test_some_of_a_pack_are_the_same_lines():
    events = [of(b'{"event":{"id":"%d"},"sealog":{}}' % n, b'{"n":%d}' % n) for n in range(9)]

    every = lines_of(*events)

    assert lines_of(*events, places=[0, 3, 8]) == [every[0], every[3], every[8]]
    assert lines_of(*events, places=[]) == []


def test_erased_parts_are_named_and_what_is_left_is_shown():
    event = of(b'{"event":{"id":"1"},"sealog":{"action":"a"}}', erased=(1, 3))

    assert joining.shown(event, 0) == (
        b'{"event":{"id":"1"},"sealog":{"action":"a","index":0,"erased":["actor","rest"]}}'
    )
    assert lines_of(event) == [joining.shown(event, 0)]


def test_an_event_without_any_part_left_is_its_index():
    event = of(erased=(0, 1))

    assert lines_of(event) == [b'{"sealog":{"index":0,"erased":["facts","actor"]}}']


@pytest.mark.parametrize(
    "rest",
    [
        b'{"event":{"x":"\\ud800"}}',
        b'{"\\ud800":1}',
        b'{"event":{"\\ud800":{"a":1}}}',
        b'{"sealog":{"sent":{"\\ud800":1}}}',
        b'{"http":{"a":1e400}}',
        b'{"event":{},"http":{}}',
        b"{}",
    ],
)
def test_text_that_only_the_slow_reader_takes_does_not_stop_its_neighbours(rest):
    odd = of(b'{"event":{"id":"2"},"http":{"b":1},"sealog":{"action":"b"}}', None, None, rest)

    assert lines_of(CLEAN, odd, base=7) == [WHOLE, slowly(odd, 8)]
    assert joining.shown(odd, 8) == slowly(odd, 8)


@pytest.mark.parametrize("space", [b"\n", b"\r", b"\r\n\t"])
def test_an_event_is_one_line_whatever_white_space_was_sent(space):
    """A value that nobody had to open rests as it was written, over several lines perhaps."""
    odd = of(b'{"sealog":{},"x":[%b1,%b{"a":%b2}]}' % (space, space, space), erased=(1,))

    lines = lines_of(CLEAN, odd)

    assert len(lines) == 2
    assert msgspec.json.decode(lines[1])["x"] == [1, {"a": 2}]


def test_where_values_clash_the_first_stands():
    """No part is ever written so; reading it must not depend on that."""
    event = of(b'{"event":"x","http":{"a":1},"sealog":{}}', None, None, b'{"event":{},"http":2}')

    assert lines_of(event) == [b'{"event":"x","http":{"a":1},"sealog":{"index":0}}']


@pytest.mark.parametrize("text", [b"[]", b'{"a":1},{"b":2}', b"{", b"\xff"])
def test_a_part_that_is_no_object_is_refused(text):
    with pytest.raises(Refused):
        lines_of(of(b"{}", None, None, text))
    with pytest.raises(Refused):
        joining.shown(of(b"{}", None, None, text), 0)


KEYS = st.sampled_from(["event", "sealog", "user", "http", "x.y", "x", 'q"', "", "é", "index"])
LEAVES = st.sampled_from([b"1", b"1.0", b"1E2", b'"a"', b'"\\u00e9"', b"[]", b"{}", b"null"])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.dictionaries(KEYS, inner, max_size=4).map(
        lambda tree: {
            key: value if type(value) is dict else msgspec.Raw(value) for key, value in tree.items()
        }
    ),
    max_leaves=12,
)
PARTS = TREES.map(lambda tree: msgspec.json.encode(tree) if type(tree) is dict else b"{}")
EVENTS = st.builds(
    lambda texts, erased: of(*texts, erased=[n for n in erased if texts[n] is None]),
    st.lists(st.none() | PARTS, min_size=4, max_size=4),
    st.sets(st.integers(0, 3)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=5))
def test_many_at_a_time_are_byte_for_byte_what_one_after_another_is(events):
    """Whatever stands in the parts: shared objects at any level, empty ones, clashes, dotted keys."""
    one_by_one = [slowly_or_empty(event, index) for index, event in enumerate(events)]

    assert lines_of(*events) == one_by_one
    assert [joining.shown(event, index) for index, event in enumerate(events)] == one_by_one


def slowly_or_empty(event, index):
    """What stands under `sealog` and is no object gives way to ours."""
    try:
        return slowly(event, index)
    except Refused:
        tree = parts.joined([part for _, _, part in event.parts])
        tree["sealog"] = {"index": index}
        if event.erased:
            tree["sealog"]["erased"] = [PART_NAMES[number] for number, _ in event.erased]
        return tokens.encode(tree)


def test_what_follows_from_an_event_may_be_added_to_its_document():
    def add(tree):
        tree["more"] = len(tree)

    pack = Packer().pack([CLEAN], [0])

    assert joining.lines(pack, 7, Unpacker(), add=add) == WHOLE[:-1] + b',"more":4}\n'
    assert tokens.encode(joining.document(CLEAN, 7)) == WHOLE
