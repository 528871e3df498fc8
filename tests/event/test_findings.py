import msgspec
import pytest

from sealog.event.findings import Finding, pointer


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ((), ""),
        (("a",), "/a"),
        (("a", 0, "b"), "/a/0/b"),
        (("a/b", "c~d", "~1"), "/a~1b/c~0d/~01"),
        (("",), "/"),
        (("event.kind",), "/event.kind"),
    ],
)
def test_a_pointer_is_escaped_as_rfc_6901_says(steps, text):
    assert pointer(*steps) == text


def test_a_finding_is_written_without_what_it_does_not_say():
    assert msgspec.json.encode(Finding("no-time")) == b'{"code":"no-time"}'
    assert msgspec.json.encode(Finding("clash", "/a", "two")) == (
        b'{"code":"clash","pointer":"/a","detail":"two"}'
    )
