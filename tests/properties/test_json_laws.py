"""Laws of reading: whatever is framed comes back byte for byte, and nothing else ever escapes."""

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from sealog.errors import Refused
from sealog.event import tokens
from sealog.event.record import Record
from sealog.wire import keys
from sealog.wire.framing import FRAMINGS, split

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(['":', "{", "}", "[", "]", "\\", '\\":', "//", ",", "\ud800", "\x00", ":"])
)
NAMES = st.text(max_size=6) | st.sampled_from(["a", "b", "a:", 'a"', "{", "a\\", "hit"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=5)
LAYOUTS = st.sampled_from([(",", ":"), (", ", ": "), (" , ", " :")])


def written(value: object, layout: tuple[str, str], *, ascii_only: bool) -> bytes:
    text = json.dumps(value, separators=layout, ensure_ascii=ascii_only)
    if not ascii_only:
        # Half a character cannot be written in UTF-8.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.encode()


RECORDS = st.lists(
    st.builds(written, OBJECTS, LAYOUTS, ascii_only=st.booleans()), min_size=1, max_size=6
)
FRAMES = {
    "ndjson": b"\n".join,
    "ndjson-crlf": lambda records: b"\xef\xbb\xbf\r\n" + b"\r\n\r\n".join(records) + b"\r\n",
    "array": lambda records: b"[" + b",".join(records) + b"]",
    "array-spaced": lambda records: b" [\n" + b" ,\r\n".join(records) + b"\n]\n",
    "hits": lambda records: b'{"took":1,"hits":{"hits":[' + b",".join(records) + b']},"x":{}}',
    "concatenated": lambda records: (
        b"Here:\n\nis\n" + b"\nand\nso on\n".join(records) + b"\nend\n."
    ),
}


@settings(deadline=None)
@given(RECORDS, st.sampled_from(sorted(FRAMES)))
def test_records_come_back_byte_for_byte_in_every_framing(records, frame):
    answers = split(FRAMES[frame](records))

    assert [one.received for one in answers if isinstance(one, Record)] == records
    assert [one.place for one in answers if isinstance(one, Record)] == list(range(len(records)))


@settings(deadline=None)
@given(RECORDS)
def test_a_strict_records_text_and_fields_are_what_was_sent(records):
    for one in split(b"\n".join(records)):
        assert isinstance(one, Record)
        assert b"\n" not in one.text
        if one.strict:
            assert one.text == one.received
        assert tokens.plain(one.text) == tokens.plain(tokens.encode(one.fields))


@settings(deadline=None)
@given(OBJECTS, st.sampled_from([None, 1, "\t"]))
def test_a_pretty_printed_record_keeps_its_tokens(value, indent):
    body = json.dumps(value, indent=indent).encode()

    (one,) = split(body)

    assert isinstance(one, Record)
    assert one.received == body
    assert b"\n" not in one.text
    assert json.loads(one.text) == json.loads(body)


MEMBERS = st.deferred(
    lambda: st.lists(st.tuples(st.sampled_from(["a", "b", "c", ":", '"']), NESTED), max_size=4)
)
NESTED = st.one_of(
    st.sampled_from(["1", '"x"', '":"', '"{"', '"\\\\"', "null"]),
    st.builds(
        lambda members: "{" + ",".join(f"{json.dumps(k)}:{v}" for k, v in members) + "}", MEMBERS
    ),
    st.builds(lambda a, b: f"[{a},{b}]", st.just("1"), st.deferred(lambda: NESTED)),
)


def has_equal_keys(text: str) -> bool:
    found = False

    def look(pairs: list[tuple[str, object]]) -> None:
        nonlocal found
        found = found or len({key for key, _ in pairs}) < len(pairs)

    json.loads(text, object_pairs_hook=look)
    return found


@settings(deadline=None)
@given(MEMBERS)
def test_equal_keys_are_found_at_every_level_and_only_there(members):
    text = "{" + ",".join(f"{json.dumps(key)}:{value}" for key, value in members) + "}"

    (one,) = split(text.encode())

    assert isinstance(one, Record)
    assert bool(one.equal) is has_equal_keys(text)
    assert one.strict is not has_equal_keys(text)
    assert keys.all_differ(text.encode()) is not has_equal_keys(text)


@settings(deadline=None)
@given(OBJECTS)
def test_the_slow_reader_agrees_with_the_quick_one(value):
    text = written(value, (",", ":"), ascii_only=False)

    assert tokens.encode(tokens.parse(text).tree) == text
    assert tokens._Reader(text).value_plain() == json.loads(text)


SHARDS = (
    b'{ } [ ] " "a" : , \\ // 1 {"a":1} {"hits":{"hits":[ a,b,c null \' [email\xc2\xa0protected] "\\ud800"'
    b' {"a":1,"a":2} x{y} \xff \xef\xbb\xbf \x00'
).split()
PIECES = st.lists(st.sampled_from([*SHARDS, b" ", b"\n", b"\r\n"]), max_size=30).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | PIECES, st.sampled_from([None, *FRAMINGS]))
@example(b'{"a":1}{"b', None)
@example(b'[{"a":', "json")
def test_arbitrary_bytes_give_answers_or_a_refusal(body, framing):
    """Only documented errors escape; every answer knows its place; text is strict JSON."""
    try:
        answers = split(body, framing)
    except Refused:
        return

    for place, one in enumerate(answers):
        if isinstance(one, Refused):
            assert one.record == place
        else:
            assert one.place == place
            assert one.received in body
            assert b"\n" not in one.text
            assert isinstance(tokens.plain(one.text), dict)
            assert tokens.plain(tokens.encode(one.fields)) == tokens.plain(one.text)
