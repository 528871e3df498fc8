from hypothesis import given
from hypothesis import strategies as st

from sealog.verify import indexes
from sealog.verify.indexes import IndexSet

SIZE = 1_000
RANGES = st.lists(
    st.tuples(st.integers(-5, SIZE + 5), st.integers(0, 300)).map(lambda r: (r[0], r[0] + r[1])),
    max_size=6,
)


def made(ranges):
    found, plain = IndexSet(SIZE), set()
    for first, last in ranges:
        found.add_range(first, last)
        plain.update(index for index in range(first, last + 1) if 0 <= index < SIZE)
    return found, plain


def spread(ranges):
    return [index for first, last in ranges for index in range(first, last + 1)]


@given(RANGES, RANGES)
def test_it_is_a_set(some, others):
    one, plain = made(some)
    other, more = made(others)

    assert len(one) == len(plain)
    assert [index for index in range(-3, SIZE + 3) if index in one] == sorted(plain)
    assert spread(one.absent()) == sorted(set(range(SIZE)) - plain)
    assert spread(one.absent(other)) == sorted(set(range(SIZE)) - plain - more)
    assert spread(one.beyond(other)) == sorted(plain - more)


@given(RANGES, st.lists(st.integers(0, SIZE + 9), min_size=1, unique=True).map(sorted))
def test_adding_says_what_was_there(ranges, wanted):
    found, plain = made(ranges)

    assert found.add_all(wanted) == [index for index in wanted if index in plain]
    assert all(index in found for index in wanted if index < SIZE)


def test_ranges_cross_the_chunks_in_which_bits_are_looked_at(monkeypatch):
    monkeypatch.setattr(indexes, "_CHUNK_BYTES", 4)
    found = IndexSet(100)

    found.add_range(5, 90)

    assert spread(found.beyond(IndexSet(100))) == list(range(5, 91))
    assert list(found.absent()) == [(0, 4), (91, 95), (96, 99)]


def test_none_of_no_indexes_is_missing():
    found = IndexSet(0)

    found.add_range(0, 10)

    assert len(found) == 0
    assert list(found.absent()) == []
