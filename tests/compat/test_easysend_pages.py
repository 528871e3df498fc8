"""ES-30, ES-31, ES-33: an array of pages, written as it is read."""

import msgspec
import pytest

from sealog.archive.packwise import Piece
from sealog.compat import easysend_pages
from sealog.compat.easysend_pages import BATCH_LOGS, PAGE_LOGS, pages_of, written
from sealog.errors import Truncated
from sealog.event.packs import Opened, Packer

_packer = Packer()


class Numbers:
    """Writes of every event where it stands."""

    def lines(self, pack, base, _unpacker, places=None):
        places = range(len(pack.masks)) if places is None else places
        return b"".join([b'{"at":%d}\n' % (base + pack.indexes[place]) for place in places])


def pieces(count, *, size=128, filling=b"{}"):
    """That many events in packs of a size."""
    event = Opened(b"\x01", ((0, bytes(16), filling),))
    for base in range(0, count, size):
        some = min(size, count - base)
        yield Piece(_packer.pack([event] * some, range(some)), base)


def body(found, count):
    pieces = list(written(found, count, Numbers()))
    return pieces, msgspec.json.decode(b"".join([one.text for one in pieces]))


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (1, [1]),
        (PAGE_LOGS - 1, [9_999]),
        (PAGE_LOGS, [10_000]),
        (PAGE_LOGS + 1, [10_000, 1]),
        (3 * PAGE_LOGS + 500, [10_000, 10_000, 10_000, 500]),
    ],
)
def test_a_page_holds_up_to_ten_thousand_logs_and_says_which_it_is(count, sizes):
    """ES-31, ES-33."""
    _, pages = body(pieces(count), count)

    assert [page["results"] for page in pages] == sizes
    assert [page["pageNumber"] for page in pages] == list(range(1, len(sizes) + 1))
    assert [list(page) for page in pages] == [["pageNumber", "results", "securityLogs"]] * len(
        sizes
    )
    assert [len(page["securityLogs"]) for page in pages] == sizes
    assert [one["at"] for page in pages for one in page["securityLogs"]] == list(range(count))
    assert pages_of(count) == len(sizes)


def test_nothing_is_an_empty_array_without_pages():
    """ES-31, ES-32."""
    found, pages = body([], 0)

    assert [one.text for one in found] == [b"[]"]
    assert pages == []
    assert pages_of(0) == 0


@pytest.mark.parametrize("size", [1, 7, 100, 128])
def test_it_is_written_in_batches_whatever_the_packs_are(size):
    """ES-30: a batch is what is held of an answer."""
    found, pages = body(pieces(2 * BATCH_LOGS + 1, size=size), 2 * BATCH_LOGS + 1)

    assert [one.logs for one in found] == [BATCH_LOGS, BATCH_LOGS, 1]
    assert [one["at"] for one in pages[0]["securityLogs"]] == list(range(2 * BATCH_LOGS + 1))


def test_of_large_events_fewer_are_written_at_once(monkeypatch):
    monkeypatch.setattr(easysend_pages, "BATCH_BYTES", 1_000)
    monkeypatch.setattr(easysend_pages, "PAGE_LOGS", 25)
    filling = b'{"a":"%b"}' % (b"x" * 91)

    found, pages = body(pieces(60, filling=filling), 60)

    assert [one.logs for one in found] == [10, 10, 5, 10, 10, 5, 10]
    assert [page["results"] for page in pages] == [25, 25, 10]
    assert [one["at"] for page in pages for one in page["securityLogs"]] == list(range(60))


def test_an_event_larger_than_a_batch_is_a_batch(monkeypatch):
    monkeypatch.setattr(easysend_pages, "BATCH_BYTES", 10)

    found, pages = body(pieces(3, filling=b'{"a":"xxxxxxxxxxx"}'), 3)

    assert [one.logs for one in found] == [1, 1, 1]
    assert [one["at"] for one in pages[0]["securityLogs"]] == [0, 1, 2]


def test_of_a_pack_only_what_is_wanted_is_written():
    (whole,) = pieces(10)

    _, pages = body([Piece(whole.pack, 100, [2, 5]), Piece(whole.pack, 200)], 12)

    assert [one["at"] for one in pages[0]["securityLogs"]] == [102, 105, *range(200, 210)]


def test_fewer_than_were_counted_is_never_a_whole_answer():
    found = written(pieces(5), 6, Numbers())

    begun = next(found)
    with pytest.raises(Truncated, match="of 6 events that were counted 1 are nowhere"):
        next(found)
    assert begun.text.endswith(b'{"at":4}')
