import msgspec
import pytest

from sealog.compat.naming import findings, members, named
from sealog.event.packs import Opened


def opened(**parts):
    numbers = {"facts": 0, "rest": 3}
    return Opened(
        b"\x01",
        tuple([(numbers[name], bytes(16), text.encode()) for name, text in parts.items()]),
    )


def test_an_event_is_named_by_its_id_and_its_dialect():
    facts = '{"event":{"id":"one"},"sealog":{"dialect":"closer"}}'

    assert named(opened(facts=facts)) == ("one", "closer")


def test_an_id_that_may_be_personal_stands_in_the_rest():
    rest = '{"event":{"id":"ada@acme.example"}}'

    assert named(opened(facts='{"sealog":{"dialect":"ecs"}}', rest=rest)) == (
        "ada@acme.example",
        "ecs",
    )


def test_findings_are_given_as_they_stand():
    rest = '{"sealog":{"findings":[{"code":"bad-time"}]}}'

    assert msgspec.json.decode(findings(opened(facts="{}", rest=rest))) == [{"code": "bad-time"}]
    assert bytes(findings(opened(facts="{}"))) == b"[]"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"event":7}'])
def test_what_does_not_read_has_no_name(text):
    assert named(opened(facts=text)) == ("", "")


def test_half_a_character_elsewhere_hides_neither_the_id_nor_the_findings():
    rest = '{"n":1e400,"x":"\\ud800","event":{"id":"a@b"},"sealog":{"findings":[{"code":"c"}]}}'
    event = opened(facts='{"sealog":{"dialect":"supsis"},"x":"\\ud800"}', rest=rest)

    assert named(event) == ("a@b", "supsis")
    assert bytes(findings(event)) == b'[{"code":"c"}]'


def test_members_are_the_tokens_they_are():
    found = members(b'{"a":1e400,"b":{"c":"\\ud800"},"d":1.0}')

    assert {name: bytes(token) for name, token in found.items()} == {
        "a": b"1e400",
        "b": b'{"c":"\\ud800"}',
        "d": b"1.0",
    }
    assert members(b"[]") == {}
