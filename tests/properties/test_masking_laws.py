"""Whatever surrounds a secret: it goes, and nothing else does."""

import re
import string
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from msgspec import Raw

from sealog.event import tokens
from sealog.event.record import Record
from sealog.refine import judge
from sealog.refine.judge import cut, judged
from sealog.refine.masking import mask
from sealog.refine.rules import NOUNS, QUALIFIERS, is_header, is_number_name
from sealog.refine.scan import suspects

MASKED = "[masked]"
Plant = Callable[[str], Any]

_OPEN = msgspec.json.Decoder(dict[str, Raw]).decode


def written(value: Any) -> bytes:
    return msgspec.json.encode(value)


def masked(text: bytes, *, received: bytes | None = None, dialect: str = "ecs") -> Record:
    record = Record(0, text if received is None else received, text, _OPEN(text))
    assert mask([record], dialect=dialect) == [record]
    return record


ALNUM = string.ascii_letters + string.digits
words = st.text(st.sampled_from(ALNUM), min_size=10, max_size=24).map(lambda word: "Zq7" + word)
awkward = st.builds(
    lambda word, odd: word + odd + word,
    words,
    st.text(st.sampled_from("\"\\/{}[]:,&= \t\n'é€😀%<>#?@"), max_size=6),
)


@st.composite
def names(draw: st.DrawFn) -> str:
    parts = draw(st.sampled_from(NOUNS)).split()
    parts = draw(st.lists(st.sampled_from(QUALIFIERS), max_size=2)) + parts
    joint = draw(st.sampled_from(["_", "-", ".", " ", ""]))
    style = draw(st.sampled_from([str.lower, str.upper, str.title, str.lower]))
    return joint.join(style(part) for part in parts) + draw(st.sampled_from(["", "", "s"]))


def luhn(head: str, size: int) -> str:
    digits = head.ljust(size - 1, "7")
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return digits + str(-total % 10)


shapes = st.one_of(
    words.map(lambda word: "ghp_" + (word * 4)[:36]),
    words.map(lambda word: "slk_" + word),
    words.map(lambda word: "xoxb-" + word),
    words.map(lambda word: "sk_live_" + word),
    words.map(lambda word: "glpat-" + (word * 3)[:20]),
    words.map(lambda word: "AKIA" + (word.upper() * 2)[:16]),
    words.map(lambda word: "AIza" + (word * 4)[:35]),
    words.map(lambda word: "npm_" + (word * 4)[:36]),
    words.map(lambda word: f"eyJhbGciOiJIUzI1NiJ9.{word}.{word}"),
    words.map(lambda word: f"-----BEGIN EC PRIVATE KEY-----\n{word}\n-----END EC PRIVATE KEY-----"),
    st.sampled_from([luhn("4111", 16), luhn("4222", 13), luhn("5454", 16), luhn("378282", 15)]),
    st.sampled_from([luhn("41112222", 16), luhn("2223", 16), luhn("6011", 16)]).map(
        lambda card: " ".join(card[at : at + 4] for at in range(0, 16, 4))
    ),
)


@st.composite
def planted(draw: st.DrawFn) -> tuple[Plant, Any]:  # noqa: PLR0911 - one return a kind
    """Something that holds a secret, and the secret."""
    name = draw(names())
    kind = draw(
        st.sampled_from(["member", "inside", "pair", "number", "query", "header", "shape", "url"])
    )
    if kind == "member":
        return (lambda value: {"a": 1, name: value, "b": "c"}), draw(awkward)
    if kind == "inside":
        return (lambda value: {name: [{"x": value, "flag": True, "none": None}]}), draw(awkward)
    if kind == "pair":
        before, after = draw(
            st.sampled_from([("name", "value"), ("key", "value"), ("header", "values")])
        )
        if draw(st.booleans()):
            return (lambda value: [{before: name, after: value}]), draw(awkward)
        return (lambda value: [{after: value, "z": 1, before: name}]), draw(awkward)
    if kind == "number":
        assume(is_number_name(name.lower()))
        return (lambda value: {name: value}), draw(st.integers(10**11, 10**12))
    if kind == "query":
        key = name.replace(" ", "+")
        return (lambda value: f"https://h.example/p?x=1&{key}={value}&y=2"), draw(words)
    if kind == "header":
        assume(is_header(name.lower()))
        return (lambda value: f"Host: x\r\n{name}: {value}\r\nAccept: y"), draw(words)
    if kind == "url":
        return (lambda value: f"see https://joe:{value}@h.example/p ok"), draw(words)
    return (lambda value: f"see {value} now"), draw(shapes)


innocent = st.sampled_from(
    ["a", "spin", "userId", "authenticationType", "needsPasswordReset", "token_type", "é", "x.y"]
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**6), 10**6),
    st.text(max_size=12),
    st.sampled_from(["password", "0.3705123456789012", 'say "hi"', "C:\\new", "50%"]),
)
around = st.dictionaries(
    innocent,
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(innocent, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)


def placed(plant: Plant, value: Any, how: tuple[dict[str, Any], int, str, bool]) -> bytes:
    """The record's bytes with the secret `value` somewhere in it."""
    others, depth, prefix, in_list = how
    node = plant(value)
    for _ in range(depth):
        node = prefix + written({"first": 1, "inner": node, "last": "z"}).decode()
    return written({**others, "deep": {"list": [1, node, "t"]} if in_list else node, "end": 1})


hows = st.tuples(around, st.integers(0, 2), st.sampled_from(["", "", "", "body: "]), st.booleans())


def readings(text: bytes) -> list[bytes]:
    """The text, and the text with its escapes undone again and again."""
    result = [text]
    for _ in range(4):
        text = re.sub(
            rb"\\u00([0-9a-f]{2})|%([0-9A-Fa-f]{2})",
            lambda match: bytes([int(match[1] or match[2], 16)]),
            text,
        )
        text = re.sub(rb"\\(.)", rb"\1", text, flags=re.DOTALL)
        result.append(text)
    return result


@settings(max_examples=400, deadline=None)
@given(planted(), hows)
def test_a_secret_goes_and_every_other_byte_stays(
    planting: tuple[Plant, Any], how: tuple[dict[str, Any], int, str, bool]
) -> None:
    plant, secret = planting
    assume(masked(placed(plant, "", how)).strict)

    record = masked(placed(plant, secret, how))

    assert record.text == placed(plant, MASKED, how)
    assert record.received == record.text
    assert msgspec.json.encode(record.fields) == record.text
    assert not record.strict
    assert {finding.code for finding in record.findings} == {"masked"}
    for reading in readings(record.text):
        assert str(secret).encode() not in reading
    assert not any(str(secret) in finding.detail for finding in record.findings)


@settings(max_examples=150, deadline=None)
@given(planted(), hows)
def test_masking_twice_is_masking_once(
    planting: tuple[Plant, Any], how: tuple[dict[str, Any], int, str, bool]
) -> None:
    plant, secret = planting
    once = masked(placed(plant, secret, how)).text

    again = masked(once)

    assert again.text is once
    assert again.findings == []


def lines(text: bytes) -> bytes:
    return msgspec.json.format(text, indent=2)


def no_commas(text: bytes) -> bytes:
    return lines(text).replace(b",\n", b"\n")


def bare_keys(text: bytes) -> bytes:
    return re.sub(rb'^( *)"([A-Za-z]+)":', rb"\1\2:", lines(text), flags=re.MULTILINE)


def one_closer_less(text: bytes) -> bytes:
    return text[:-1]


def a_tail(text: bytes) -> bytes:
    return text + b",\n// " + text


@settings(max_examples=300, deadline=None)
@given(planted(), hows, st.sampled_from([lines, no_commas, bare_keys, one_closer_less, a_tail]))
def test_the_original_of_a_mended_record_keeps_no_secret_either(
    planting: tuple[Plant, Any],
    how: tuple[dict[str, Any], int, str, bool],
    dirty: Callable[[bytes], bytes],
) -> None:
    plant, secret = planting
    text = placed(plant, secret, how)

    record = masked(text, received=dirty(text))

    assert record.text == placed(plant, MASKED, how)
    for reading in readings(record.received):
        assert str(secret).encode() not in reading
    if dirty is lines:
        assert record.received == dirty(placed(plant, MASKED, how))


@settings(max_examples=150, deadline=None)
@given(around)
def test_a_record_without_secrets_keeps_the_same_bytes(others: dict[str, Any]) -> None:
    text = written(others)
    record = Record(0, text, text, _OPEN(text))
    fields = record.fields

    mask([record], dialect="ecs")

    assert record.text is text
    assert record.received is text
    assert record.fields is fields
    assert record.strict
    assert record.findings == []


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(NOUNS), words, st.integers(0, 30), st.integers(1, 4))
def test_letters_escaped_for_no_reason_hide_no_name(
    noun: str, secret: str, place: int, depth: int
) -> None:
    letters = list(noun.replace(" ", "_"))
    letters[place % len(letters)] = f"\\u{ord(letters[place % len(letters)]):04x}"
    text = f'{{"{"".join(letters)}":"{secret}"}}'
    for _ in range(depth - 1):
        text = written({"body": text}).decode()

    record = masked(text.encode())

    assert record.text == text.replace(secret, MASKED).encode()


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(NOUNS), words, st.integers(1, 3))
@example("token", "a1b2c3d4e5", 1)
def test_a_percent_encoded_query_hides_nothing(noun: str, secret: str, times: int) -> None:
    inner = f"https://h/?a=1&{noun.replace(' ', '_')}={secret}&b=2"
    for _ in range(times):
        inner = quote(inner, safe="")

    record = masked(written({"next": f"https://x/?r={inner}&z=1"}))

    assert record.text == written({"next": f"https://x/?r={inner.replace(secret, MASKED)}&z=1"})


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("{}[]:,\"\\' \n=&%?apswordtken:/@0145-.u"), max_size=80))
def test_no_text_breaks_a_record(text: str) -> None:
    body = written({"a": text, "password": "Zq7secret", "b": {"x": [text]}})

    record = masked(body)

    decoded = msgspec.json.decode(record.text)
    assert decoded["password"] == MASKED
    assert set(decoded) == {"a", "password", "b"}
    assert tokens.parse(record.received).tree.keys() == decoded.keys()


fragments = st.lists(
    st.sampled_from(
        [
            *"=:&?;,'\"\\/ \n{}[]<>@%+.-_#",
            "password",
            "Token",
            "pin",
            "api_key",
            "api key",
            "Cookie",
            "secret",
            "authorization",
            "name",
            "value",
            "key",
            "Bearer ",
            "Basic ",
            "https://",
            "u:p@h",
            "4111111111111111",
            "4111 1111 1111 1111",
            "4222222222222",
            "4446826600747683135",
            "3705",
            "0.",
            "12",
            "1",
            "x",
            "Zq",
            "hunter2hunter2h9",
            "%3D",
            "%26",
            "%2526",
            "%22",
            "%20",
            "%2B",
            "%31",
            "%70",
            "\\u003d",
            "\\u0026",
            "\\u0070",
            "\\n",
            '\\"',
            '{"',
            '":"',
            '","',
            '"}',
            '":',
            "=>",
            "%25",
            "\\\\",
            "dXNlcjpwYXNz",
            "db_",
            "my",
            "s",
            "es",
            "eyJhbGciOiJIUzI1NiJ9.e30.x",
            "ghp_0123456789abcdefghij0123",
            "true",
            "null",
            "[masked]",
        ]
    ),
    max_size=14,
).map("".join)


@settings(max_examples=1500, deadline=None)
@given(fragments, st.sampled_from(["a", "value", "name", "note", "cardRef"]), st.integers(0, 1))
def test_the_scan_never_reports_too_little(text: str, key: str, depth: int) -> None:
    """Whatever the exact rules cut when they look everywhere, they cut when the scan leads them."""
    body = {key: text, "name": text, "b": [text]}
    if depth:
        body = {"body": written(body).decode()}
    record = written(body)

    led = judged(record, list(suspects(record)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "is_suspect", lambda _: True)
        patch.setattr(judge, "suspects", lambda text: [(0, len(text))])
        everywhere = judged(record, [(0, len(record))])
    assert cut(record, led) == cut(record, everywhere)
