"""ES-28, ES-34: what is known before the head of an answer leaves, and whether it may leave."""

import msgspec
import pytest
from tests.archive.made import ALPHA

from sealog.archive.counting import Counts
from sealog.archive.packwise import Piece
from sealog.archive.snapshots import Stopped
from sealog.archive.tallies import Bucket
from sealog.compat import easysend_preparing
from sealog.compat.easysend_asking import Asked
from sealog.compat.easysend_preparing import NOTHING, Preparing, Ready, Term
from sealog.compat.easysend_splits import Split
from sealog.event.packs import Opened, Packer

S = 1_000_000
LIMIT_S = 40.0
ASKED = Asked(0, 100 * S)
_PACK = Packer().pack([Opened(b"\x01", ((0, bytes(16), b"{}"),))] * 100, range(100))


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self):
        self.s = 0.0

    def __call__(self):
        return self.s


class Snapshot:
    """So many logs, a hundred in a pack."""

    def __init__(self, count):
        self.count = count
        self.first, self.last, self.end = (0, count - 1, count + 7) if count else (None, None, 7)

    def pieces(self):
        for base in range(0, self.count, 100):
            yield Piece(_PACK, base)


class Archive:
    """Counting takes as long as it is told, or until it is stopped; a log comes every 10 ms."""

    def __init__(self, clock, count):
        self._clock = clock
        self._count = count
        self.counting_s = 0.0
        self.asked = []

    def snapshot(self, tenant, query, how):
        self.asked.append((tenant, query))
        begun_s = self._clock.s
        while self._clock.s < begun_s + self.counting_s:
            self._clock.s += 1.0
            if how.choose is not None:
                how.choose(Piece(_PACK, 0))
            if how.stop():
                raise Stopped
        return Snapshot(self._count)

    def histogram(self, tenants, query, interval):
        assert tenants == [ALPHA]
        counts = [
            Bucket(at_s * S, self._count * interval // 100)
            for at_s in range(0, 100, interval)
            if query.from_us <= at_s * S < query.to_us
        ]
        return Counts(self._count, buckets=counts)


class Lines:
    """Writing a log takes so long."""

    def __init__(self, clock):
        self._clock = clock
        self.log_s = 0.0
        self.text = b"{}\n"

    def lines(self, pack, _base, _unpacker, places=None):
        count = len(pack.masks) if places is None else len(places)
        self._clock.s += count * self.log_s
        return self.text * count


class Stage:
    def __init__(self, count):
        self.clock = Clock()
        self.archive = Archive(self.clock, count)
        self.lines = Lines(self.clock)
        self.preparing = Preparing(self.archive, self.lines, self.clock, LIMIT_S)

    def prepare(self, asked=ASKED):
        self.term = Term(self.clock, LIMIT_S)
        return self.preparing.prepare(ALPHA, asked, self.term)


def ranges(found):
    assert isinstance(found, Split)
    return [(one.from_us // S, one.to_us // S) for one in found.ranges]


def test_what_is_ready_says_how_much_there_is():
    """ES-32, ES-34: the head needs the count."""
    stage = Stage(25_000)

    found = stage.prepare()

    assert isinstance(found, Ready)
    assert (found.count, found.ends, found.end) == (25_000, (0, 24_999), 25_007)
    assert sum(one.logs for one in found.held) == 10_000
    pages = msgspec.json.decode(b"".join([one.text for one in [*found.held, *found.rest]]))
    assert [page["results"] for page in pages] == [10_000, 10_000, 5_000]
    assert stage.archive.asked == [(ALPHA, ASKED.query)]


def test_nothing_is_ready_at_once():
    found = Stage(0).prepare()

    assert (found.count, found.ends, found.end) == (0, (), 7)
    assert [one.text for one in [*found.held, *found.rest]] == [b"[]"]


def test_of_a_large_page_only_some_is_held():
    """ES-30: memory is flat."""
    stage = Stage(10_000)
    stage.lines.text = b'"%b"\n' % (b"x" * 2_000)

    found = stage.prepare()

    assert sum(one.logs for one in found.held) == 2_500
    assert sum(len(one.text) for one in found.held) < easysend_preparing.HELD_BYTES_MAX * 1.2


def test_a_range_whose_size_says_that_it_cannot_end_is_divided():
    """ES-28: 20,000 logs of 3 ms take a minute; half the time is aimed at."""
    stage = Stage(20_000)
    stage.lines.log_s = 0.003

    found = stage.prepare()

    assert ranges(found) == [(0, 33), (33, 66), (66, 99), (99, 100)]
    assert stage.clock.s == pytest.approx(30.0)


def test_a_range_that_just_ends_is_given():
    stage = Stage(20_000)
    stage.lines.log_s = 0.0019

    assert isinstance(stage.prepare(), Ready)
    assert stage.term.left_s() == pytest.approx(40.0 - 19.0)


def test_a_first_page_that_is_not_ready_in_time_is_divided():
    """ES-28: what is left of the time is not enough for anybody to take it."""
    stage = Stage(10_000)
    stage.lines.log_s = 0.0031

    assert isinstance(stage.prepare(), Split)
    assert stage.clock.s < 33.0


def test_a_count_that_is_not_ready_in_time_is_divided():
    """ES-28."""
    stage = Stage(1_000_000)
    stage.archive.counting_s = 1_000.0

    found = stage.prepare()

    assert stage.clock.s == 30.0
    assert len(ranges(found)) == 2


def test_what_choosing_took_counts_for_the_ranges_too():
    """It had looked at a hundred a second: two thousand are suggested at most."""
    stage = Stage(90_000)
    stage.archive.counting_s = 1_000.0

    found = stage.prepare(Asked(0, 100 * S, "player"))

    assert len(ranges(found)) == 50
    assert found.fits


def test_what_an_answer_took_is_remembered_for_what_cannot_be_measured():
    stage = Stage(10_000)
    stage.lines.log_s = 0.001
    assert isinstance(stage.prepare(), Ready)

    stage.archive.counting_s = 1_000.0
    stage.archive._count = 100_000

    assert ranges(stage.prepare())[0] == (0, 20)


def test_who_has_gone_is_not_counted_for():
    stage = Stage(10)
    stage.archive.counting_s = 1_000.0
    term = Term(stage.clock, LIMIT_S)
    term.is_gone = True

    found = stage.preparing.prepare(ALPHA, ASKED, term)

    assert found is NOTHING
    assert stage.clock.s == 1.0
