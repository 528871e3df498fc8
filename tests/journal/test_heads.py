import hashlib

import msgspec
import pytest
from sqlalchemy import text

from sealog.errors import Altered
from sealog.journal import blocks, heads
from sealog.journal.blocks import Block
from sealog.journal.heads import Head
from sealog.storage.store import driver


def within(store, work):
    return store.write(lambda connection: work(driver(connection))).result()


def with_blocks(store, *spans):
    """A tenant 1 with blocks of these (first, count), and its head."""

    def work(connection):
        found = [
            Block(seq, 1, first, count, 0, b"x", b"") for seq, (first, count) in enumerate(spans, 1)
        ]
        blocks.write(connection, found)
        heads.write(connection, [Head(1, sum(count for _, count in spans))])

    within(store, work)


def firsts(store):
    with store.reading() as connection:
        rows = connection.execute(text("SELECT first FROM blocks ORDER BY first"))
        return [row.first for row in rows]


def test_a_tenant_without_events_has_a_head_of_zeros(store):
    assert within(store, lambda c: heads.read(c, 1)) == Head(1, 0, 0, 0)


def test_a_head_is_what_was_written_last(store):
    within(store, lambda c: heads.write(c, [Head(1, 5, 3, 2), Head(2, 1)]))
    within(store, lambda c: heads.write(c, [Head(1, 9, 3, 2)]))

    assert within(store, heads.read_all) == [Head(1, 9, 3, 2), Head(2, 1, 0, 0)]


def test_the_digest_is_over_every_number():
    packed = msgspec.msgpack.encode(("heads", 1, 9, 3, 2))

    assert Head(1, 9, 3, 2).digest() == hashlib.sha256(b"sealog/row/v1\x00" + packed).digest()


@pytest.mark.parametrize("column", ["size", "synced", "archived"])
def test_a_head_altered_in_place_is_named(store, column):
    within(store, lambda c: heads.write(c, [Head(1, 9, 3, 2)]))
    within(store, lambda c: c.execute(f"UPDATE heads SET {column} = 1").rowcount)

    with pytest.raises(Altered, match="the head of tenant 1 is not what was written"):
        within(store, lambda c: heads.read(c, 1))
    with pytest.raises(Altered, match="the head of tenant 1"):
        within(store, heads.read_all)


@pytest.mark.parametrize(
    ("synced", "archived", "left"),
    [
        ({}, {}, [0, 3, 5]),
        ({1: 10}, {}, [0, 3, 5]),
        ({}, {1: 10}, [0, 3, 5]),
        ({1: 5}, {1: 3}, [3, 5]),
        ({1: 4}, {1: 5}, [3, 5]),
        ({1: 5}, {1: 9}, [5]),
        ({1: 9}, {1: 10}, [5]),
        ({1: 10}, {1: 10}, []),
    ],
)
def test_a_block_goes_only_when_log_and_archive_have_all_of_it(store, synced, archived, left):
    with_blocks(store, (0, 3), (3, 2), (5, 5))

    within(store, lambda c: heads.advance(c, synced=synced, archived={}))
    within(store, lambda c: heads.advance(c, synced={}, archived=archived))

    assert firsts(store) == left


def test_progress_never_goes_back(store):
    with_blocks(store, (0, 3))
    within(store, lambda c: heads.advance(c, synced={1: 3}, archived={1: 2}))
    within(store, lambda c: heads.advance(c, synced={1: 1}, archived={1: 1}))

    assert within(store, lambda c: heads.read(c, 1)) == Head(1, 3, 3, 2)


def test_nobody_is_further_than_the_journal(store):
    with_blocks(store, (0, 3))

    with pytest.raises(AssertionError):
        within(store, lambda c: heads.advance(c, synced={1: 4}, archived={}))


def test_another_tenants_blocks_stay(store):
    with_blocks(store, (0, 3))
    within(store, lambda c: heads.write(c, [Head(2, 3)]))
    within(store, lambda c: heads.advance(c, synced={2: 3}, archived={2: 3}))

    assert firsts(store) == [0]
