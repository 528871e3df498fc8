"""ES-28: a range that is too long is divided into ranges that are not."""

import pytest

from sealog.compat.easysend_splits import PIECES, RANGES_MAX, Range, split

S = 1_000_000
BEGIN = 1_772_445_600  # 2026-03-02T10:00:00Z


class Counted:
    """Events by second; counts them as the archive does, in pieces that begin at multiples."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.asked = []

    def __call__(self, from_us, to_us, width_s):
        self.asked.append(width_s)
        assert (to_us - from_us) / width_s / S <= PIECES
        found = {}
        for second, count in self.seconds.items():
            if from_us <= second * S < to_us:
                begin = second - second % width_s
                found[begin] = found.get(begin, 0) + count
        if not found:
            return []
        begins = range(min(found), max(found) + 1, width_s)
        return [(begin * S, found.get(begin, 0)) for begin in begins]

    def within(self, one):
        return sum(n for second, n in self.seconds.items() if one.from_us <= second * S < one.to_us)


def seconds(*counts, step=1):
    return Counted({BEGIN + step * nth: count for nth, count in enumerate(counts)})


def shown(found):
    """In seconds from the beginning."""
    return [(one.from_us // S - BEGIN, one.to_us // S - BEGIN) for one in found.ranges]


def whole(length, begin=0):
    return Range((BEGIN + begin) * S, (BEGIN + begin + length) * S)


def test_each_range_holds_as_much_as_fits():
    found = split(whole(6), seconds(4, 4, 4, 4, 4, 4), 9)

    assert shown(found) == [(0, 2), (2, 4), (4, 6)]
    assert found.is_whole
    assert found.fits


def test_where_it_would_fit_half_of_it_is_suggested():
    """It was too much all the same: whoever asked was slower than was measured."""
    found = split(whole(4), seconds(5, 5, 5, 5), 1_000)

    assert shown(found) == [(0, 2), (2, 4)]


@pytest.mark.parametrize("length", [10, PIECES + 1, 86_400 * 2, 86_400 * 4_000])
def test_ranges_meet_and_hold_everything_once(length):
    """Of a range of ten years too, most of it empty, all of it in a few seconds."""
    counted = Counted({BEGIN + length // 2 + nth: 7 for nth in range(5)})
    counted.seconds[BEGIN] = 3
    counted.seconds[BEGIN + length - 1] = 3

    found = split(whole(length), counted, 10)

    assert found.ranges[0].from_us == BEGIN * S
    assert found.ranges[-1].to_us == (BEGIN + length) * S
    assert all(a.to_us == b.from_us for a, b in zip(found.ranges, found.ranges[1:], strict=False))
    assert sum(map(counted.within, found.ranges)) == sum(counted.seconds.values())
    assert max(map(counted.within, found.ranges)) <= 10
    assert found.fits


def test_a_range_is_of_whole_seconds():
    """It may end now, in the middle of one; times cannot be written any closer."""
    found = split(Range(BEGIN * S, (BEGIN + 3) * S + 345_678), seconds(5, 5, 5, 5), 10)

    assert shown(found) == [(0, 2), (2, 4)]


def test_a_second_that_is_too_full_cannot_be_divided():
    alone = split(whole(1), seconds(50), 9)
    among = split(whole(3), seconds(1, 50, 1), 9)

    assert shown(alone) == [(0, 1)]
    assert not alone.fits
    assert shown(among) == [(0, 1), (1, 2), (2, 3)]
    assert not among.fits


def test_nothing_found_is_nothing_to_divide():
    found = split(whole(60), seconds(), 9)

    assert shown(found) == [(0, 60)]


def test_no_more_ranges_are_told_than_anybody_reads():
    counted = seconds(*[1] * (RANGES_MAX + 5))

    found = split(whole(RANGES_MAX + 5), counted, 1)

    assert len(found.ranges) == RANGES_MAX
    assert not found.is_whole


def test_only_what_is_too_full_is_looked_at_more_closely():
    counted = Counted({BEGIN + nth: 1 for nth in range(100)})

    split(whole(PIECES * 100), counted, 60)

    assert counted.asked == [100, 100, 1]
