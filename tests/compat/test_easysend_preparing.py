"""ES-28, ES-34: what is known before the head of an answer leaves, and whether it may leave."""

from collections import deque

import msgspec
import pytest
from tests.archive.made import ALPHA

from sealog.archive.counting import Counts
from sealog.archive.packwise import Piece
from sealog.archive.snapshots import Stopped
from sealog.archive.tallies import Bucket
from sealog.compat import easysend_preparing
from sealog.compat.easysend_asking import Asked
from sealog.compat.easysend_pages import Written
from sealog.compat.easysend_preparing import Preparing, Ready, Term
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
        self.logs = 0
        self.text = b"{}\n"

    def lines(self, pack, _base, _unpacker, places=None):
        count = len(pack.masks) if places is None else len(places)
        self._clock.s += count * self.log_s
        self.logs += count
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


def texts(found):
    return [one.text for one in found.body]


def ranges(found):
    assert isinstance(found, Split)
    return [(one.from_us // S, one.to_us // S) for one in found.ranges]


def test_what_is_ready_says_how_much_there_is():
    """ES-32, ES-34: the head needs the count."""
    stage = Stage(25_000)

    found = stage.prepare()

    assert isinstance(found, Ready)
    assert (found.count, found.ends, found.end) == (25_000, (0, 24_999), 25_007)
    assert stage.lines.logs == 10_000
    pages = msgspec.json.decode(b"".join(texts(found)))
    assert [page["results"] for page in pages] == [10_000, 10_000, 5_000]
    assert stage.archive.asked == [(ALPHA, ASKED.query)]


def test_nothing_is_ready_at_once():
    found = Stage(0).prepare()

    assert (found.count, found.ends, found.end) == (0, (), 7)
    assert texts(found) == [b"[]"]


def test_of_a_large_page_only_some_is_held():
    """ES-30: memory is flat."""
    stage = Stage(10_000)
    stage.lines.text = b'"%b"\n' % (b"x" * 2_000)

    found = stage.prepare()

    assert stage.lines.logs == 2_500
    assert sum(map(len, texts(found)[:5])) < easysend_preparing.HELD_BYTES_MAX * 1.3
    assert stage.lines.logs == 10_000


def test_what_is_held_is_let_go_as_it_is_given():
    """ES-30: whoever is slow to take the rest holds none of it."""
    held = deque([Written(1, b"a"), Written(1, b"b")])

    given = easysend_preparing._given(held, iter([Written(1, b"c")]))

    assert next(given).text == b"a"
    assert len(held) == 1
    assert [one.text for one in given] == [b"b", b"c"]


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

    assert (found.count, texts(found)) == (0, [b"[]"])
    assert stage.clock.s == 1.0
