"""Small packs, asked with words."""

import msgspec
import pytest
from tests.archive.made import event, opened

from sealog.archive.wording import Wording
from sealog.event.packs import Packer, Unpacker
from sealog.query.words import words

PACKER, UNPACKER = Packer(), Unpacker()


def joined(pack):
    return [b"".join(UNPACKER.parts(pack, number)) for number in range(4)]


def said(events, asked, *, prefix=False):
    """Where it is said, as the whole pack and as each event have it: they MUST agree."""
    pack = PACKER.pack(events, range(len(events)))
    wording = Wording(words(asked), prefix=prefix)
    places = wording.places(pack.masks, pack.lengths, joined(pack))
    assert places == [n for n, one in enumerate(events) if wording.holds(one)]
    return places


def rest(text):
    """An event whose rest is this JSON text."""
    return opened({"event": {"id": "e", "action": "a"}}, None, None, text.encode())


EVENTS = [
    event(rest={"message": "The Quick brown fox"}, actor="bob@acme.example"),
    event(action="user_role_change", actor="carol"),
    event(
        rest={
            "list": ["quick", {"deep": {"quick": "slow"}}],
            "n": 41.5,
            "ok": True,
            "of": [None, 5, 7],
        }
    ),
    event(rest={"message": "brown quick"}),
]


@pytest.mark.parametrize(
    ("asked", "places"),
    [
        pytest.param("quick", [0, 2, 3], id="a-word-in-any-case"),
        pytest.param("QUICK BROWN", [0], id="words-in-a-row"),
        pytest.param("bob@acme.example", [0], id="an-address-is-a-phrase"),
        pytest.param("acme", [0], id="a-part-of-an-address"),
        pytest.param("role", [1], id="a-part-of-a-name"),
        pytest.param("fox bob", [], id="not-across-values"),
        pytest.param("rol", [], id="not-a-part-of-a-word"),
        pytest.param("41.5", [2], id="a-number"),
        pytest.param("true", [2], id="a-truth"),
        pytest.param("deep", [], id="not-a-key"),
        pytest.param("null", [], id="not-what-is-null"),
        pytest.param("5 7", [], id="not-across-numbers"),
        pytest.param("slow", [2], id="below-a-key-that-is-asked-for"),
        pytest.param("ecs", [0, 1, 2, 3], id="in-every-event"),
    ],
)
def test_words_are_found_in_values(asked, places):
    assert said(EVENTS, asked) == places


@pytest.mark.parametrize(
    ("asked", "places"),
    [
        ("qui", [0, 2, 3]),
        ("quick bro", [0]),
        ("uick", []),
        ("nul", []),
        ("fox", [0]),
        ("acme.exa", [0]),
    ],
)
def test_the_last_word_may_go_on(asked, places):
    assert said(EVENTS, asked, prefix=True) == places


@pytest.mark.parametrize(
    "asked",
    ["2023-11-14", "event-id-here", "raw-words-only"],
    ids=["the-time", "the-id", "the-original"],
)
def test_times_ids_and_the_original_are_not_searched(asked):
    one = event(event_id="event-id-here", rest={"event": {"original": "raw-words-only", "x": 1}})
    other = event(rest={"http": {"event": {"original": asked}}, "@time": asked})

    assert said([one, other], asked) == [1]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        pytest.param(r'{"a":"caf\u00e9"}', "CAFÉ", id="an-escaped-letter"),
        pytest.param('{"a":"CAFÉ"}', "café", id="a-letter-in-another-case"),
        pytest.param(r'{"a":"\u0061dmin"}', "admin", id="escaped-ascii"),
        pytest.param(r'{"a":"x\nadmin\ty"}', "admin", id="between-escapes"),
        pytest.param(r'{"a":"say \"admin\""}', "say admin", id="quotes"),
        pytest.param(r'{"a":"C:\\users\\new"}', "users new", id="backslashes"),
        pytest.param(r'{"a":"\\u0041bc"}', "u0041bc", id="no-escape-at-all"),
        pytest.param(r'{"a":"\\\u0041bc"}', "abc", id="an-escape-behind-a-backslash"),
        pytest.param(r'{"a":"\ud835\udc00x"}', "ax", id="a-pair"),
        pytest.param(r'{"a":"x\ud835 y"}', "y", id="half-a-pair"),
        pytest.param('{"a":"ﬁle"}', "file", id="a-ligature"),
        pytest.param('{"a":"STRASSE"}', "straße", id="sharp-s-asked"),
        pytest.param('{"a":"straße"}', "strasse", id="sharp-s-said"),
        pytest.param('{"a":"İstanbul"}', "İSTANBUL", id="a-dotted-i"),
        pytest.param(r'{"a":"x\u0000y"}', "y", id="a-nul"),
        pytest.param('{"a":{"b":1,"b":2},"c":12345678901234567890123}', "1", id="equal-keys"),
        pytest.param(
            '{"c":12345678901234567890123}', "12345678901234567890123", id="a-long-number"
        ),
        pytest.param('{"c":1E400}', "1e400", id="a-number-as-written"),
        pytest.param(r'{"a\"event":{"original":"here"}}', "here", id="a-key-with-a-quote"),
        pytest.param('{"a":"東京都"}', "京都", id="characters"),
        pytest.param('{"a":"null"}', "null", id="null-as-text"),
        pytest.param('{"a":"' + "x" * 99 + '"}', "x" * 70, id="a-long-word"),
        pytest.param('{"a":"on ' + "x" * 99 + ' y"}', f"on {'x' * 64} y", id="within-a-phrase"),
        pytest.param('{"a":["x", "here"] }', "here", id="white-space"),
        pytest.param('{"a": {"here" : "there"}}', "there", id="spaced-keys"),
    ],
)
def test_values_are_compared_as_what_they_mean(text, asked):
    others = [rest('{"a":"nothing"}'), rest('{"a":"Ничего"}')]

    assert said([others[0], rest(text), others[1]], asked) == [1]


def test_events_without_a_part_keep_their_places():
    events = [event(), event(actor="x"), event(rest={"a": "x"}), event(), event(actor="y")]

    assert said(events, "x") == [1, 2]
    assert said(events, "y") == [4]


def test_what_was_erased_says_nothing():
    bob = event(actor="bob")
    facts, actor = bob.parts
    gone = msgspec.structs.replace(bob, parts=(facts,), erased=((1, b"d" * 32),))

    assert said([gone, bob], "bob") == [1]
    assert actor[2] == b'{"user":{"id":"bob"}}'


@pytest.mark.parametrize(
    "value",
    ["ad\u00admin", "ａdmin", "\\u0061dmin", "“admin”", "x—admin", "admin\u00a0"],
    ids=ascii,
)
def test_a_word_in_ascii_may_stand_beside_or_in_other_characters(value):
    values = ["administrator", "badmin", "admiń", "admin\u0301", "éadmin", value]

    assert said([rest(f'{{"a":"{each}"}}') for each in values], "admin") == [5]
