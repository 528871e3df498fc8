import hashlib

from sealog.event.packs import Opened
from sealog.server import showing


def test_an_event_is_its_parts_with_its_index_and_no_value_is_written_anew():
    facts = b'{"event":{"id":"a"},"sealog":{"action":"x","dialect":"ecs"}}'
    rest = b'{"big":12345678901234567890.10E2,"text":"\\u00e9","event":{"n":1.0},"sealog":{"sent":{"a":1}}}'
    opened = Opened(b"\x01", ((0, bytes(16), facts), (3, bytes(16), rest)))

    assert showing.event(opened, 42) == (
        b'{"event":{"id":"a","n":1.0},'
        b'"sealog":{"action":"x","dialect":"ecs","sent":{"a":1},"index":42},'
        b'"big":12345678901234567890.10E2,"text":"\\u00e9"}'
    )


def test_parts_that_were_erased_are_named():
    facts = (0, bytes(16), b'{"sealog":{"action":"x"}}')
    gone = hashlib.sha256().digest()
    opened = Opened(b"\x01", (facts,), ((1, gone), (3, gone)))

    shown = showing.event(opened, 0)

    assert shown == b'{"sealog":{"action":"x","index":0,"erased":["actor","rest"]}}'


def test_an_event_of_which_all_is_erased_still_has_its_place():
    shown = showing.event(Opened(b"\x01", (), ((0, bytes(32)),)), 9)

    assert shown == b'{"sealog":{"index":9,"erased":["facts"]}}'


def test_an_event_gets_the_shape_that_is_asked_for():
    facts = b'{"@timestamp":"2026-01-31T12:00:00.000Z","event":{"action":"x"}}'
    opened = Opened(b"\x01", ((0, bytes(16), facts),))

    assert showing.event(opened, 0, showing.Shape("supsis")) == (
        b'{"dateTime":"2026-01-31T12:00:00.000Z","activity":"x"}'
    )
    assert b'"version":"1.9.0"' in showing.event(opened, 0, showing.Shape("ecs", "1.9"))
    assert showing.page([(0, opened)], {}, showing.Shape("logichub")) == (
        b'{"events":[{"time":"2026-01-31T12:00:00.000Z","type":"x"}]}'
    )


def test_a_page_is_events_and_what_is_said_beside_them():
    opened = Opened(b"\x01", ((0, bytes(16), b'{"a":1}'),))

    assert showing.page([], {}) == b'{"events":[]}'
    assert showing.page([(0, opened), (1, opened)], {"next_cursor": None}) == (
        b'{"events":[{"a":1,"sealog":{"index":0}},{"a":1,"sealog":{"index":1}}],"next_cursor":null}'
    )
