"""Laws of moulds: what comes of a pattern is what the general way makes, with all that is derived."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sealog.event import joining
from sealog.event.moulds import MADE_AFTER, Moulds
from sealog.event.packs import Opened, Packer, Unpacker
from sealog.server import deriving

TEXTS = [
    '"a"',
    '""',
    '"198.51.100.7"',
    '"curl/8.4.0"',
    '"Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"',
    '"50% of %b %d"',
    '"caf\\u00e9"',
    '"\\ud800"',
    '"\\ud83e\\udd86"',
    '"{\\"a\\":[1]}"',
    '"},{]"',
    '"],"',
    '"Zażółć 🦆"',
    '"-83209174610001"',
]
OTHERS = ["0", "-1.50", "1E2", "1e400", "12345678901234567890123", "true", "null"]
LISTS = [
    "[]",
    '["a"]',
    '["a]", "b"]',
    "[1,2]",
    '[\n"a"]',
    '[{"a": 1}]',
    '["\\""]',
    "[[1]]",
    "[1,null]",
]
VALUES = st.sampled_from([*TEXTS, *OTHERS, *LISTS, "{}", '{ "a":1}', '{"ip":"a","ip":"b"}'])
NAMES = ["id", "name", "email", "ip", "original", "target", "x", "é", "x.y"]
ROOTS = [
    "event", "user", "source", "client", "user_agent", "related", "sealog", "http", "message", "q",
]  # fmt: skip
SEPARATORS = st.sampled_from([",", ", "])


@st.composite
def shapes(draw):
    """Two levels of keys below a root, and how an object is written."""
    inner = st.dictionaries(st.sampled_from(NAMES), st.none(), max_size=3)
    node = st.one_of(
        st.none(),
        st.dictionaries(st.sampled_from(NAMES), st.one_of(st.none(), inner), max_size=4),
    )
    part = st.dictionaries(st.sampled_from(ROOTS), node, max_size=5)
    return draw(st.lists(st.none() | part, min_size=4, max_size=4)), draw(SEPARATORS)


def written(draw, node, comma, kept):
    """JSON of this shape; most values are as they were in the event before."""
    if node is None:
        at = len(kept[1])
        old = kept[0][at] if at < len(kept[0]) else None
        kept[1].append(draw(VALUES) if old is None or draw(st.integers(0, 5)) == 0 else old)
        return kept[1][-1]
    members = [f'"{key}":{written(draw, child, comma, kept)}' for key, child in node.items()]
    return "{" + comma.join(members) + "}"


@st.composite
def families(draw):
    """Events of one shape: some to make a mould of, then others that fit it, or nearly."""
    parts, comma = draw(shapes())
    family, values = [], []
    for number in range(MADE_AFTER + 4):
        if number == 0 or number >= MADE_AFTER:
            kept = (values, [])
            texts = [part and written(draw, part, comma, kept) for part in parts]
            values = kept[1]
        erased = draw(st.sampled_from([(), (), (), (2,)]))
        found = [(n, bytes(16), text.encode()) for n, text in enumerate(texts) if text]
        gone = [(n, bytes(32)) for n in erased if parts[n] is None]
        family.append(Opened(b"\x01", tuple(found), tuple(gone)))
    return family


@settings(max_examples=100, deadline=None)
@given(st.lists(families(), min_size=1, max_size=2))
def test_what_fits_a_mould_is_byte_for_byte_what_the_general_way_makes(found):
    events = [event for family in found for event in family]
    pack = Packer().pack(events, range(len(events)))
    some = range(0, len(events), 3)
    moulds = Moulds(deriving.DERIVE)
    plainly = Moulds()

    for places in (None, some):
        general = joining.lines(pack, 5, Unpacker(), places, deriving.add)
        assert moulds.lines(pack, 5, Unpacker(), places) == general
        assert plainly.lines(pack, 5, Unpacker(), places) == joining.lines(
            pack, 5, Unpacker(), places
        )
    for index, event in enumerate(events):
        tree = joining.document(event, index)
        deriving.add(tree)
        assert moulds.shown(event, index) == joining.tokens.encode(tree)
