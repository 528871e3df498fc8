"""Whatever an event says: who asks for its words finds it, and the index never says no."""

import json
import re
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.archive.made import opened

from sealog.archive import word_blooms
from sealog.archive.wording import Wording
from sealog.event.packs import Opened, Packer, Unpacker
from sealog.query.words import words

PACKER, UNPACKER = Packer(), Unpacker()
FACTS = {"@timestamp": "2026", "event": {"id": "e", "action": "a", "ingested": "2026"}}

_HALF = re.compile("[\ud800-\udfff]")
# Few letters, so that words meet; and whatever folds, decomposes, joins, escapes or looks odd.
_CHARS = st.sampled_from(
    [*'abAB12 _.-@/\\"\n\t\x00\x7f{}[],:', *"éÉßſﬁİıΣςK½ａ東、\u0301\u0345\u200d"]
)
_ODD = st.characters()
TEXTS = st.text(st.one_of(_CHARS, _CHARS, _ODD), max_size=12) | st.just("x" * 70)
KEYS = TEXTS | st.sampled_from(["event", "original", "id", "ingested", "@timestamp"])
SCALARS = (
    TEXTS | TEXTS | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans() | st.none()
)  # fmt: skip
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
EVENTS = st.lists(
    st.tuples(st.dictionaries(KEYS, TREES, max_size=4), st.booleans(), st.booleans()),
    min_size=1,
    max_size=4,
)


def made(tree: dict[str, Any], escaped: bool, spaced: bool) -> Opened:  # noqa: FBT001
    separators = (" , ", " :\n") if spaced else (",", ":")
    text = json.dumps(tree, ensure_ascii=escaped, separators=separators)
    if _HALF.search(text):
        # Half a character can only stand as an escape.
        text = json.dumps(tree, separators=separators)
    return opened(FACTS, None, None, text.encode())


def spoken(node: Any) -> list[list[str]]:
    """The words of each value, read the plain way."""
    if isinstance(node, dict):
        return [each for value in node.values() for each in spoken(value)]
    if isinstance(node, list):
        return [each for value in node for each in spoken(value)]
    if node is None:
        return []
    return [words(node if isinstance(node, str) else json.dumps(node))]


def searched(tree: dict[str, Any]) -> list[list[str]]:
    tree = {key: node for key, node in tree.items() if key != "@timestamp"}
    if isinstance(tree.get("event"), dict):
        hidden = ("id", "ingested", "original")
        tree["event"] = {k: node for k, node in tree["event"].items() if k not in hidden}
    return [*spoken(tree), ["a"]]


def says(values: list[list[str]], asked: list[str], *, prefix: bool) -> bool:
    def fits(said: list[str]) -> bool:
        if prefix:
            return said[:-1] == asked[:-1] and said[-1].startswith(asked[-1])
        return said == asked

    size = len(asked)
    return any(fits(v[n : n + size]) for v in values for n in range(len(v) - size + 1))


@settings(max_examples=400, deadline=None)
@given(EVENTS, st.data(), st.booleans(), st.integers(0, 2**62))
def test_what_is_said_is_found_and_nothing_else(drawn, data, prefix, first):
    events = [made(*one) for one in drawn]
    said = [searched(one[0]) for one in drawn]
    value = data.draw(st.sampled_from([v for values in said for v in values if v]))
    begin = data.draw(st.integers(0, len(value) - 1))
    asked = value[begin : data.draw(st.integers(begin + 1, len(value)))]
    if prefix:
        asked[-1] = asked[-1][: data.draw(st.integers(1, len(asked[-1])))]
    pack = PACKER.pack(events, range(len(events)))
    parts = [b"".join(UNPACKER.parts(pack, number)) for number in range(4)]
    wording = Wording(asked, prefix=prefix)

    places = wording.places(pack.masks, pack.lengths, parts)

    assert places == [n for n, one in enumerate(said) if says(one, asked, prefix=prefix)]
    assert places == [n for n, one in enumerate(events) if wording.holds(one)]
    assert places
    column = pa.array([word_blooms.build(first, parts)], pa.large_binary())
    assert word_blooms.candidates(column, np.array([first]), wording.hashes).tolist() == [True]
