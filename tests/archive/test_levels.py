"""Which segments are merged next: bounded in number whatever is cut, and little is written twice."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sealog.archive.levels import Limits, Size, is_full, level, next_merge

SMALL = Limits(events_max=512, bytes_max=1 << 20)
"""The same rules with a full segment of 256 to 512 events, so that a test reaches them."""


def _sizes(*events: int) -> list[Size]:
    return [Size(one, one * 200) for one in events]


@pytest.mark.parametrize(
    ("events", "expected"),
    [(1, 0), (15, 0), (16, 1), (255, 1), (256, 2), (512, 2), (4_095, 2), (4_096, 3), (8_192, 3),
     (65_535, 3), (65_536, 4), (131_072, 4)],
)  # fmt: skip
def test_a_level_is_the_logarithm_to_base_16(events: int, expected: int):
    assert level(events) == expected


def test_sixteen_become_one_and_fifteen_wait():
    assert next_merge(_sizes(*[512] * 15), Limits()) is None
    assert next_merge(_sizes(*[512] * 16), Limits()) == (0, 16)
    assert next_merge(_sizes(*[8_192] * 2, *[512] * 15), Limits()) is None
    assert next_merge(_sizes(*[8_192] * 2, *[512] * 16), Limits()) == (2, 18)
    assert next_merge(_sizes(*[8_192] * 16), Limits()) == (0, 16)


def test_a_full_segment_is_merged_no_more():
    assert next_merge(_sizes(*[131_072] * 40), Limits()) is None
    assert next_merge(_sizes(131_072, *[8_192] * 16), Limits()) == (1, 17)


def test_enough_events_become_one_whatever_their_number():
    """Segments of a backlog are larger, and fewer than sixteen fill one."""
    assert next_merge(_sizes(*[30_000] * 4), Limits()) is None
    assert next_merge(_sizes(*[30_000] * 5), Limits()) == (0, 4)


def test_what_a_parts_file_may_hold_ends_a_merge_early():
    sizes = [Size(600, 60 << 20) for _ in range(16)]

    assert next_merge(sizes, Limits()) == (0, 4)


def test_small_ones_between_large_ones_do_not_write_those_again():
    assert next_merge(_sizes(8_192, *[3] * 14, 8_192), Limits()) == (1, 15)
    assert next_merge(_sizes(8_192, *[3] * 14), Limits()) is None


def test_a_damaged_segment_is_left_alone_and_stands_between_the_others():
    sizes = _sizes(*[512] * 20)
    sizes[3] = Size(512, 1, is_fixed=True)

    assert next_merge(sizes, Limits()) == (0, 3)
    assert next_merge(sizes[3:], Limits()) == (1, 17)


def test_a_window_of_arrival_is_not_left():
    """So that what expires together lies together."""
    hour = 3_600_000_000
    sizes = [Size(512, 1, (n * hour, (n + 1) * hour)) for n in range(20)]

    assert next_merge(sizes, Limits(window_us=24 * hour)) == (0, 16)
    assert next_merge(sizes, Limits(window_us=6 * hour)) == (0, 6)
    assert next_merge(sizes[:7], Limits(window_us=6 * hour)) == (0, 6)
    assert next_merge(sizes[:6], Limits(window_us=6 * hour)) is None


def _arrive(cuts: list[int], limits: Limits) -> tuple[list[list[int]], int, int]:
    """Segments as lists of the cuts they hold, the most there ever were, and events written again."""
    held: list[list[int]] = []
    most = written = 0
    for number, _ in enumerate(cuts):
        held.append([number])
        while True:
            sizes = [Size(sum(cuts[n] for n in one), 1) for one in held]
            chosen = next_merge(sizes, limits)
            if chosen is None:
                break
            first, end = chosen
            assert end - first >= 2
            together = [n for one in held[first:end] for n in one]
            events = sum(cuts[n] for n in together)
            assert events <= limits.events_max
            assert not any(is_full(size, limits) for size in sizes[first:end])
            written += events
            held[first:end] = [together]
        full = sum(is_full(size, limits) for size in sizes)
        # 15 of each level behind the last full one, and one before each that arrived full.
        assert len(held) <= 15 * 4 + 2 * full
        most = max(most, len(held))
    return held, most, written


@given(st.lists(st.integers(1, 255) | st.integers(1, 3), max_size=300))
@settings(max_examples=60, deadline=None)
def test_segments_stay_few_and_in_order_whatever_is_cut(cuts: list[int]):
    held, _, written = _arrive(cuts, SMALL)

    assert [n for one in held for n in one] == list(range(len(cuts)))
    assert written <= 9 * sum(cuts)


@given(st.lists(st.sampled_from([1, 20, 300, 5_000]) | st.integers(1, 400_000), max_size=150))
@settings(max_examples=40, deadline=None)
def test_what_arrives_full_stands_in_nobodys_way(cuts: list[int]):
    """A pack alone may be as large as a full segment."""
    _arrive([min(one, 131_072) for one in cuts], Limits())


@pytest.mark.parametrize(
    ("cuts", "held_max", "rewritten_max"),
    [
        ([512] * 1_280, 49, 2.1),
        ([20] * 4_096, 64, 3.1),
        ([1] * 4_000, 60, 3.1),
        ([8_192, *[1] * 15] * 40, 40, 1.6),
        ([700, 3, 20, 9_000, 1, 1] * 100, 64, 5.0),
    ],
    ids=["steady", "quiet", "single", "uneven", "mixed"],
)
def test_little_is_written_again(cuts: list[int], held_max: int, rewritten_max: float):
    """How often an event is written again, beyond its cut: about once a level."""
    _, most, written = _arrive(cuts, Limits())

    assert most <= held_max
    assert written <= rewritten_max * sum(cuts)
