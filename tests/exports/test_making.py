import hashlib

import pytest
from tests.archive.made import ALPHA
from tests.exports.made import EVERYTHING, fill, shown

from sealog.errors import Altered
from sealog.exports.forms import Form
from sealog.exports.making import Halted, Ways, make
from sealog.exports.part import Unwritten


class Told:
    """Who is told; may end it."""

    def __init__(self, halt_at=None):
        self.heard = []
        self._halt_at = halt_at

    def __call__(self, events, size):
        self.heard.append((events, size))
        if self._halt_at is not None and events >= self._halt_at:
            raise Halted


def ways(told=None, take=lambda _: True):
    return Ways(0, take, None, told or Told())


@pytest.fixture
def place(tmp_path):
    return tmp_path / "exp_1.ndjson"


def test_a_file_is_written_whole_and_described(home, place):
    fill(home, 3_000)
    told = Told()

    made = make(place, Form("ndjson"), home.archive.pieces(ALPHA, EVERYTHING, 3_000), ways(told))

    content = place.read_bytes()
    assert content.splitlines() == shown(home, ALPHA, range(3_000))
    assert (made.events, made.first, made.last) == (3_000, 0, 2_999)
    assert (made.bytes, made.sha256) == (len(content), hashlib.sha256(content).digest())
    assert told.heard[-1] == (3_000, len(content))
    assert [events for events, _ in told.heard] == sorted(events for events, _ in told.heard)
    assert len(told.heard) > 3


def test_nothing_at_all_is_an_empty_file(place):
    made = make(place, Form("ndjson"), [], ways())

    assert (made.events, made.first, made.last, made.bytes) == (0, None, None, 0)
    assert place.read_bytes() == b""


@pytest.mark.parametrize("form", ["ndjson", "csv", "parquet"])
def test_one_that_is_halted_leaves_nothing(home, place, form):
    fill(home, 3_000)
    pieces = home.archive.pieces(ALPHA, EVERYTHING, 3_000)

    with pytest.raises(Halted):
        make(place, Form(form), pieces, ways(Told(halt_at=1_000)))

    assert [path.name for path in place.parent.glob("exp*")] == []


def test_one_for_which_there_is_no_room_leaves_nothing(home, place):
    fill(home, 3_000)
    pieces = home.archive.pieces(ALPHA, EVERYTHING, 3_000)
    left = iter([True, False])

    with pytest.raises(Unwritten, match="bytes_max"):
        make(place, Form("ndjson"), pieces, ways(take=lambda _: next(left)))

    assert list(place.parent.glob("exp*")) == []


def test_damage_ends_it(home, place):
    fill(home, 3_000)

    def damaged():
        yield from list(home.archive.pieces(ALPHA, EVERYTHING, 1_000))
        raise Altered("a segment is not what was written")

    with pytest.raises(Altered):
        make(place, Form("ndjson"), damaged(), ways())

    assert list(place.parent.glob("exp*")) == []
