"""Only documented faults are mended, each with a finding; garbage is never made an event."""

import msgspec
import pytest

from sealog.errors import Refused, TooLarge
from sealog.wire.mending import FINDINGS_MAX, LENIENT_BYTES_MAX, mend


def mended(text: bytes) -> tuple[bytes, list[tuple[str, str]]]:
    result = mend(text)
    return result.text, [(finding.code, finding.pointer) for finding in result.findings]


@pytest.mark.parametrize(
    ("text", "strict", "findings"),
    [
        pytest.param(
            b'{"details": {"resetUsername": [email protected],\n"resetRole": "user"}}',
            b'{"details":{"resetUsername":"[email protected]","resetRole":"user"}}',
            [("repaired-unquoted-value", "/details/resetUsername")],
            id="LH-Q7-address",
        ),
        pytest.param(
            b'{"newUsername": hlee,\n"message": "user"}',
            b'{"newUsername":"hlee","message":"user"}',
            [("repaired-unquoted-value", "/newUsername")],
            id="LH-Q7-name",
        ),
        pytest.param(
            b'{"timeTaken": "17588929"\n "status": "SUCCESS"}',
            b'{"timeTaken":"17588929","status":"SUCCESS"}',
            [("repaired-missing-comma", "/timeTaken")],
            id="LH-Q7-comma",
        ),
        pytest.param(
            b'{"label": {"auth_page": "x",\n}\n}',
            b'{"label":{"auth_page":"x"}}',
            [("repaired-trailing-comma", "/label/auth_page")],
            id="ES-Q5",
        ),
        pytest.param(
            b'{\n// who {"\n"a": 1, // one\n"b": [1,2,] // two\n}',
            b'{"a":1,"b":[1,2]}',
            [
                ("repaired-comment", ""),
                ("repaired-comment", "/a"),
                ("repaired-trailing-comma", "/b/1"),
                ("repaired-comment", "/b"),
            ],
            id="comments",
        ),
        pytest.param(
            b'{"version": string\n"flag": bool,\n}',
            b'{"version":"string","flag":"bool"}',
            [
                ("repaired-unquoted-value", "/version"),
                ("repaired-missing-comma", "/version"),
                ("repaired-unquoted-value", "/flag"),
                ("repaired-trailing-comma", "/flag"),
            ],
            id="several",
        ),
        pytest.param(
            b'{"a": 2019-01-02, "u": http://x.example/y?z=1, "n": NaN, "m": 01}',
            b'{"a":"2019-01-02","u":"http://x.example/y?z=1","n":"NaN","m":"01"}',
            [
                ("repaired-unquoted-value", "/a"),
                ("repaired-unquoted-value", "/u"),
                ("repaired-unquoted-value", "/n"),
                ("repaired-unquoted-value", "/m"),
            ],
            id="verbatim",
        ),
        pytest.param(
            b'{"l": [{"x": 1}\n{"x": [email protected]}]}',
            b'{"l":[{"x":1},{"x":"[email protected]"}]}',
            [("repaired-missing-comma", "/l/0"), ("repaired-unquoted-value", "/l/1/x")],
            id="in-arrays",
        ),
        pytest.param(
            b'{"l": [\n<one>,\n...\n], "m": [ritesh, admin]}',
            b'{"l":["<one>","..."],"m":["ritesh","admin"]}',
            [
                ("repaired-unquoted-value", "/l/0"),
                ("repaired-unquoted-value", "/l/1"),
                ("repaired-unquoted-value", "/m/0"),
                ("repaired-unquoted-value", "/m/1"),
            ],
            id="arrays-of-them",
        ),
    ],
)
def test_documented_faults_are_mended_and_found(text, strict, findings):
    assert mended(text) == (strict, findings)


def test_all_other_tokens_stay_the_bytes_they_were():
    text = b'{"n": 1.0, "e": 1E+2, "u": "\\u00e9\\ud800", "big": 12345678901234567890123, "t": x}'

    assert mended(text)[0] == (
        b'{"n":1.0,"e":1E+2,"u":"\\u00e9\\ud800","big":12345678901234567890123,"t":"x"}'
    )


def test_equal_keys_are_left_for_the_reader():
    """LH-Q8: mending one fault does not hide the other."""
    assert mended(b'{"a": 1, "a": 2,}')[0] == b'{"a":1,"a":2}'


@pytest.mark.parametrize(
    ("text", "strict"),
    [
        (b'{"a":1 "b":2}', b'{"a":1,"b":2}'),
        (b"{'a': 'b'}", b'{"a":"b"}'),
        (b'{"a": "x "quoted" y"}', b'{"a":"x \\"quoted\\" y"}'),
    ],
)
def test_other_faults_go_to_the_lenient_parser_with_a_finding_of_their_own(text, strict):
    assert mended(text) == (strict, [("repaired", "")])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b'{"a": {"b": 1}', id="truncated"),
        pytest.param(b'{"a": "b', id="truncated-string"),
        pytest.param(b'{"a": 1}}', id="a brace too many"),
        pytest.param(b'{"a": 1} and so on', id="prose behind"),
        pytest.param(b'Example: {"a": 1}', id="prose before"),
        pytest.param(b"{see above}", id="prose in braces"),
        pytest.param(b"a { color: red }", id="a style sheet"),
        pytest.param(b"{ color: red }", id="no key in quotes"),
        pytest.param(b'{"a" 1}', id="no colon"),
        pytest.param(b'{"a":}', id="no value"),
        pytest.param(b'{"a":1,,"b":2}', id="two commas"),
        pytest.param(b'{"a":{"x" "lost"},"b":[1 2 "y" z "gone" {]}', id="soup"),
        pytest.param(b"{'a': <b> 'c': 1}", id="a value cut short"),
        pytest.param(b"{'a': 1, 'b' 'c', 'd' 'e', 'f' 'g'}", id="members in a string"),
        pytest.param(b"{}{}", id="two objects"),
        pytest.param(b"[1,2,]", id="no object"),
    ],
)
def test_what_would_be_guesswork_is_refused(text):
    with pytest.raises(Refused) as refusal:
        mend(text)

    assert refusal.value.code == "not-json"


def test_the_lenient_parser_is_given_64_kib_and_no_more():
    fault = b'"a":1 "b":2}'
    at_limit = b"{" + b" " * (LENIENT_BYTES_MAX - len(fault) - 1) + fault

    assert mend(at_limit).findings[0].code == "repaired"
    with pytest.raises(Refused, match="too long"):
        mend(at_limit.replace(b"{", b"{ "))


def test_the_lenient_parser_is_given_what_the_request_can_still_afford():
    with pytest.raises(Refused, match="too long"):
        mend(b'{"a":1 "b":2}', lenient_bytes_max=12)


def test_deep_objects_are_not_mended():
    with pytest.raises(TooLarge, match="128 levels"):
        mend(b'{"a":' * 129 + b"x" + b"}" * 129)

    assert mend(b'{"a":' * 128 + b"x" + b"}" * 128).findings[0].code == "repaired-unquoted-value"


def test_findings_are_bounded():
    text = b"{" + b", ".join(b'"k%d": x' % n for n in range(500)) + b"}"

    result = mend(text)

    assert len(result.findings) == FINDINGS_MAX
    assert len(msgspec.json.decode(result.text)) == 500
