import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealog.delivery import reconciling
from sealog.delivery.reconciling import Found, Reconciliation, expired_by, text_of
from sealog.errors import Altered
from sealog.verify.indexes import IndexSet


def found(size, held, there=None, expected=None):
    """A comparison: `held` and `there` are (index, digest) pairs; without `there` all with 1."""
    made = Reconciliation(size, np.zeros(size, np.uint64), expected)
    for index, digest in held:
        made.take(index, digest)
    for index, digest in there if there is not None else [(n, 1) for n in range(size)]:
        made.compare(index, digest)
    return made


def retention(*ranges, **more):
    return {
        "event": {"action": "sealog.retention"},
        "sealog": {"dialect": "sealog", "v": 1, "ranges": list(map(list, ranges))} | more,
    }


NONE = Found(0, [])


def test_who_holds_everything_once_holds_it():
    report = found(5, [(n, 1) for n in range(5)]).report()

    assert report.holds
    assert (report.held, report.first, report.last, report.behind) == (5, 0, 4, 0)


def test_missing_doubled_and_altered_are_named_by_index():
    report = found(10, [(0, 1), (1, 1), (1, 1), (2, 7), (7, 1), (9, 1)]).report()

    assert not report.holds
    assert report.missing == Found(5, [(3, 6), (8, 8)])
    assert report.doubled == Found(1, [(1, 1)])
    assert report.altered == Found(1, [(2, 2)])


def test_what_comes_after_the_last_held_is_behind_and_not_missing():
    """A stream is always a little behind."""
    made = found(10, [(0, 1), (1, 1)])

    assert made.report().missing == NONE
    assert (made.report().last, made.report().behind) == (1, 8)
    assert made.report(last=4).missing == Found(3, [(2, 4)])
    assert made.report(last=4).behind == 5


def test_a_stream_may_have_begun_late():
    made = found(10, [(n, 1) for n in range(6, 10)])

    assert made.report().missing == Found(6, [(0, 5)])
    assert made.report(first=6).holds
    assert made.report(first=5).missing == Found(1, [(5, 5)])


def test_two_copies_that_differ_are_altered_whichever_came_first():
    for copies in ([(0, 1), (0, 7)], [(0, 7), (0, 1)]):
        report = found(1, copies).report()

        assert report.doubled == report.altered == Found(1, [(0, 0)])


def test_an_index_that_the_log_does_not_reach_is_unknown():
    report = found(2, [(0, 1), (1, 1), (2, 1), (2**60, 1)]).report()

    assert report.unknown == (2, 2**60)
    assert not report.holds


def test_what_a_statement_explains_is_expired_and_not_missing():
    """And what is held of it cannot be compared any more."""
    made = found(10, [(0, 1), (3, 1), (9, 1)], [(n, 1) for n in (0, 6, 7, 8, 9)])
    made.explain(9, retention((1, 5)))

    report = made.report()

    assert report.expired == Found(4, [(1, 2), (4, 5)])
    assert report.unchecked == Found(1, [(3, 3)])
    assert report.missing == Found(3, [(6, 8)])


def test_a_statement_speaks_only_of_what_came_before_it():
    made = found(4, [(3, 1)], [(3, 1)])
    made.explain(2, retention((0, 3)))

    assert made.report().missing == Found(1, [(2, 2)])
    assert made.report().expired == Found(2, [(0, 1)])


def test_a_statement_hides_nothing_that_is_still_there():
    made = found(4, [(3, 1)])
    made.explain(3, retention((0, 2)))

    assert made.report().missing == Found(3, [(0, 2)])


def test_an_event_that_was_erased_in_part_is_not_called_altered():
    report = found(2, [(0, 7), (1, 1)], [(0, None), (1, 1)]).report()

    assert report.altered == NONE
    assert report.unchecked == Found(1, [(0, 0)])
    assert report.holds


def test_with_a_filter_only_what_passes_it_is_expected():
    expected = IndexSet(10)
    for index in (1, 4, 8):
        expected.add(index)

    made = found(10, [(1, 1), (8, 1)], expected=expected)

    assert made.report().missing == Found(1, [(4, 4)])
    assert made.indexes(2, 99) == [4, 8]


def test_without_one_all_are():
    assert found(5, []).indexes(3, 99) == [3, 4]


def test_many_ranges_are_counted_and_the_first_listed(monkeypatch):
    monkeypatch.setattr(reconciling, "RANGES_MAX", 2)

    report = found(9, [(n, 1) for n in range(0, 9, 2)]).report()

    assert report.missing == Found(4, [(1, 1), (3, 3)], 2)


def test_ranges_that_cross_a_chunk_are_one():
    size = 3 * 8 * 65_536

    report = found(size, [(0, 1), (size - 1, 1)], []).report()

    assert report.missing == Found(size - 2, [(1, size - 2)])


@given(
    st.integers(1, 40).flatmap(
        lambda size: st.tuples(
            st.just(size),
            st.lists(st.tuples(st.integers(0, size - 1), st.integers(1, 2)), max_size=60),
        )
    )
)
def test_every_index_is_sorted_as_a_simple_count_would(case):
    size, held = case
    indexes = [index for index, _ in held]

    report = found(size, held).report(last=size - 1)

    def listed(kind):
        return [n for first, last in kind.ranges for n in range(first, last + 1)]

    assert listed(report.missing) == [n for n in range(size) if n not in indexes]
    assert listed(report.doubled) == [n for n in range(size) if indexes.count(n) > 1]
    assert listed(report.altered) == sorted({n for n, digest in held if digest != 1})
    assert report.held == len(set(indexes))


def test_bits_say_the_same_as_ranges():
    """The example of the format's page."""
    statement = retention()
    del statement["sealog"]["ranges"]
    statement["sealog"] |= {"first": 3, "bits": "cQ=="}

    assert expired_by(statement) == [(3, 3), (7, 9)]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"event": {"action": "sealog.hold"}, "sealog": {"dialect": "sealog", "ranges": [[0, 9]]}},
        {"event": {"action": "sealog.erasure"}, "sealog": {"dialect": "sealog", "ranges": [[0, 9]]}},
        {"event": {"action": "sealog.retention"}, "sealog": {"dialect": "closer", "ranges": [[0, 9]]}},
        {"event": "sealog.retention", "sealog": []},
    ],
)  # fmt: skip
def test_nothing_else_says_that_something_expired(event):
    """Not an event of somebody's that looks like a statement."""
    assert expired_by(event) == []


def test_a_statement_that_does_not_read_explains_nothing_silently():
    with pytest.raises(Altered):
        expired_by(retention((5, 3)))


def test_a_report_is_json():
    shown = msgspec.json.decode(msgspec.json.encode(found(3, [(0, 1), (2, 1)]).report()))

    assert shown["missing"] == {"count": 1, "ranges": [[1, 1]], "more": 0}


def test_ranges_for_people():
    assert text_of([(3, 3), (7, 9)], 5) == "3, 7-9"
    assert text_of([(3, 3), (7, 9), (11, 11)], 1) == "3 and 2 more ranges"
