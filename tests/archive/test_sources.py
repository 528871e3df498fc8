"""A segment and waiting events answer alike."""

from pathlib import Path

import numpy as np
import pytest
from tests.archive.made import ALPHA, BEGIN_US, batch, event

from sealog.archive import leaves
from sealog.archive.columns import row_of
from sealog.archive.columnwise import Columns
from sealog.archive.segments import write
from sealog.archive.shelf import Shelf
from sealog.archive.sources import (
    WAITING_AT_ONCE,
    Resting,
    Rows,
    Source,
    Values,
    Waiting,
    anything,
    both,
    either,
    others,
    places,
    source_of,
    waiting,
)
from sealog.archive.waiting import Chunk, chunks_of
from sealog.event.packs import Packer, Unpacker
from sealog.journal.blocks import Block, body_of
from sealog.query.tree import Is, Like

EVENTS = [
    event(n, f"act-{n % 3}", actor=f"user-{n % 7}", event_id=f"e-{n}", category=["iam"])
    for n in range(50)
]


def _chunks(first: int) -> list[Chunk]:
    one = batch(ALPHA, EVENTS)
    block = Block(1, 1, first, len(EVENTS), 0, body_of(one.entries, one.packs), b"")
    return chunks_of(block, 0, Unpacker())


@pytest.fixture(params=["waiting", "resting"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    """Events 100–149."""
    if request.param == "waiting":
        return source_of(_chunks(100)[0], Shelf())
    rows = [row_of(100 + n, one) for n, one in enumerate(EVENTS)]
    pack = Packer().pack(EVENTS, range(100, 150))
    return source_of(
        write(tmp_path, tenant=1, kept="default", columns=Columns.of(rows), packs=[pack]), Shelf()
    )


def test_a_source_knows_its_bounds(source: Source):
    assert (source.count, source.first, source.last) == (50, 100, 149)
    assert (source.first_us, source.last_us) == (BEGIN_US, BEGIN_US + 49_000_000)


def test_rows_pass_any_of_several_texts(source: Source):
    rows = source.passed(Values(("alias", "action"), exact=("act-1", "act-2", "x")))
    actors = leaves.ready(Is("actor", "user-3"))
    assert isinstance(actors, Values)
    hashes = (*actors.hashed, *leaves.ready(Is("actor", "nobody")).hashed)

    some = source.passed(Values(actors.columns, exact=("user-3", "nobody"), hashed=hashes))

    assert places(rows, 50).tolist() == [n for n in range(50) if n % 3]
    assert places(some, 50).tolist() == list(range(3, 50, 7))


@pytest.mark.parametrize("leaf", [Is("action", "act-1"), Like("action", "*t-1")], ids=str)
def test_rows_pass_a_condition_on_text(source: Source, leaf: leaves.Leaf):
    values = leaves.ready(leaf)
    assert isinstance(values, Values)

    rows = source.passed(values)

    assert places(rows, 50).tolist() == list(range(1, 50, 3))


def test_columns_of_numbers_come_whole(source: Source):
    assert source.numbers("index").tolist() == list(range(100, 150))
    assert source.numbers("at_us")[1] == BEGIN_US + 1_000_000
    assert source.numbers("status").tolist() == [-1] * 50
    key, hashed = leaves.id_key("e-5")
    assert source.may_hold_id(hashed)
    assert np.flatnonzero(source.numbers("id") == key).tolist() == [5]


def test_texts_are_counted(source: Source):
    some = np.zeros(50, np.bool_)
    some[[0, 1, 3]] = True

    assert _counted(source, True) == {"act-0": 17, "act-1": 17, "act-2": 16}
    assert _counted(source, some) == {"act-0": 2, "act-1": 1}
    assert _counted(source, False) == {}


def _counted(source: Source, rows: Rows) -> dict[str, int]:
    values, counts = source.counted("action", rows)
    return dict(zip(values.to_pylist(), counts.tolist(), strict=True))


def test_an_event_is_opened_by_its_index(source: Source):
    assert source.content_of(117).event(117) == EVENTS[17]


def test_waiting_chunks_come_some_thousand_rows_at_a_time():
    """Many small ones would cost more than their rows."""
    chunks = [chunk for n in range(200) for chunk in _chunks(n * 50)]

    found = list(waiting(chunks))

    assert sum(one.count for one in found) == 10_000
    assert len(found) == 3
    assert found[0].count >= WAITING_AT_ONCE
    assert found[1].first == found[0].last + 1
    assert list(waiting([])) == []
    assert isinstance(found[0], Waiting)
    assert not isinstance(found[0], Resting)


def test_rows_are_put_together_with_all_and_none():
    some, more = np.array([True, False, True]), np.array([False, False, True])

    assert both(True, some) is some
    assert both(some, False) is False
    assert either(False, some) is some
    assert either(some, True) is True
    assert np.asarray(both(some, more)).tolist() == [False, False, True]
    assert np.asarray(either(some, more)).tolist() == [True, False, True]
    assert others(True) is False
    assert np.asarray(others(some)).tolist() == [False, True, False]
    assert (anything(True), anything(False), anything(more)) == (True, False, True)
    assert places(True, 3).tolist() == [0, 1, 2]
    assert places(False, 3).tolist() == []
