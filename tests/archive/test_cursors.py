"""What a cursor holds, and what it may be used for."""

import base64

import pytest
from tests.archive.made import BEGIN_US

from sealog.archive.cursors import Cursors, Place
from sealog.errors import Refused

PLACE = Place((BEGIN_US, 17, 2), None, BEGIN_US + 1)
ASKED = b"tenant acme, actor ada"


def _code(cursors: Cursors, cursor: str, asked: bytes = ASKED) -> str:
    with pytest.raises(Refused) as caught:
        cursors.read(cursor, asked)
    return caught.value.code


def test_a_cursor_leads_back_to_its_place():
    cursor = Cursors(b"k" * 32).write(PLACE, ASKED)

    assert Cursors(b"k" * 32).read(cursor, ASKED) == PLACE
    assert cursor.isascii()
    assert "=" not in cursor
    assert len(cursor) < 100


def test_another_searchs_or_another_installations_cursor_is_refused():
    cursor = Cursors(b"k" * 32).write(PLACE, ASKED)

    assert _code(Cursors(b"k" * 32), cursor, b"tenant acme, actor bob") == "bad-cursor"
    assert _code(Cursors(b"x" * 32), cursor) == "bad-cursor"


def test_a_cursor_altered_anywhere_is_refused():
    cursors = Cursors(b"k" * 32)
    cursor = cursors.write(PLACE, ASKED)
    for place in range(len(cursor) - 1):
        other = "A" if cursor[place] != "A" else "B"
        altered = cursor[:place] + other + cursor[place + 1 :]
        assert _code(cursors, altered) in ("bad-cursor", "old-cursor")


@pytest.mark.parametrize("cursor", ["", "x", "====", "é", "a b", "\ud800"], ids=ascii)
def test_what_never_was_a_cursor_is_refused(cursor: str):
    assert _code(Cursors(b"k" * 32), cursor) == "bad-cursor"


def test_a_cursor_of_another_version_is_told_apart():
    """Whoever kept one over an update should begin anew, not look for a mistake."""
    first = base64.urlsafe_b64encode(bytes(40)).rstrip(b"=").decode()
    later = base64.urlsafe_b64encode(b"\x09" + bytes(60)).decode()

    assert _code(Cursors(b"k" * 32), first) == "old-cursor"
    assert _code(Cursors(b"k" * 32), later) == "old-cursor"
