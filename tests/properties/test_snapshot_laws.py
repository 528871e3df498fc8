"""What a snapshot counted is what it gives, whatever becomes of the archive meanwhile."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.archive.made import ALPHA, BEGIN_US, Home, asking, event, statement

from sealog.archive.snapshots import How

STEPS = st.lists(st.sampled_from(["few", "many", "said", "cut", "merge"]), max_size=8)
SECONDS = st.integers(-5, 300)


def go(home, steps):
    for step in steps:
        at = home.archive.visible(ALPHA)
        if step == "cut":
            home.archive.cut()
        elif step == "merge":
            home.archive.merge()
        elif step == "said":
            home.add(ALPHA, statement(at))
        else:
            count = 3 if step == "few" else 130
            home.add(ALPHA, *[event(at + n, "a.b" if n % 3 else "c.d") for n in range(count)])


def indexes(piece):
    places = range(len(piece.pack.indexes)) if piece.places is None else piece.places
    return [piece.base + piece.pack.indexes[place] for place in places]


def every_second(piece):
    places = range(len(piece.pack.indexes)) if piece.places is None else piece.places
    return [place for place in places if (piece.base + piece.pack.indexes[place]) % 2]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    before=STEPS,
    meanwhile=st.lists(STEPS, max_size=3),
    begin=SECONDS,
    length=st.integers(0, 400),
    action=st.sampled_from([None, "a.b", "c.d"]),
    is_chosen=st.booleans(),
)
def test_what_was_counted_is_given_once_and_in_order(
    before, meanwhile, begin, length, action, is_chosen
):
    fields = {} if action is None else {"action": action}
    end = begin + length
    query = asking(BEGIN_US + begin * 1_000_000, BEGIN_US + end * 1_000_000, **fields)
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "data")
        try:
            go(home, before)
            expected = [index for index, _ in home.archive.scan(ALPHA, query)]
            if is_chosen:
                expected = [index for index in expected if index % 2]

            snapshot = home.archive.snapshot(
                ALPHA, query, How(choose=every_second if is_chosen else None)
            )
            found = []
            pieces = snapshot.pieces()
            for steps in meanwhile:
                go(home, steps)
                found += [
                    index for piece in [next(pieces, None)] if piece for index in indexes(piece)
                ]
            found += [index for piece in pieces for index in indexes(piece)]

            assert snapshot.count == len(expected)
            assert (snapshot.first, snapshot.last) == (
                (expected[0], expected[-1]) if expected else (None, None)
            )
            assert found == expected
        finally:
            home.close()
