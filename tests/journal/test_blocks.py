import msgspec
import pytest
from sqlalchemy import text
from tests.journal.made import batch, tenant

from sealog.errors import Altered
from sealog.event.packs import encode_packs
from sealog.journal import blocks
from sealog.journal.blocks import Block
from sealog.storage.store import driver

ACME = tenant(1)


def block_of(*names, seq=1, first=0):
    made = batch(ACME, *names)
    body = blocks.body_of(made.entries, made.packs)
    return Block(seq, 1, first, len(names), 1_700_000_000_000_000, body, b"")


def written(store, *wanted):
    store.write(lambda connection: blocks.write(driver(connection), wanted)).result()


def read(store, where="1 ORDER BY seq", values=(), **more):
    with store.reading() as connection:
        return blocks.read(driver(connection), where, values, **more)


def test_a_body_is_the_entries_and_then_the_packs():
    made = batch(ACME, "a", "b")

    body = blocks.body_of(made.entries, made.packs)

    assert body == made.entries[0] + made.entries[1] + encode_packs(made.packs)


def test_a_block_gives_back_what_was_written(store):
    block = block_of("a", "b", "c", first=7)
    written(store, block)

    (found,) = read(store)

    assert found.body == block.body
    assert (found.seq, found.tenant, found.first, found.count, found.end) == (1, 1, 7, 3, 10)
    assert found.entries == b"".join(batch_entries(found))
    assert [pack.indexes for pack in found.packs()] == [(0, 1, 2)]


def batch_entries(block):
    from tests.journal.made import entries_of

    return entries_of([block])


@pytest.mark.parametrize(
    "change",
    ["tenant = 2", "first = 9", "count = 1", "accepted_us = 5", "body = zeroblob(99)", "seq = 9"],
)
def test_a_block_altered_in_place_is_named(store, change):
    written(store, block_of("a", "b"))
    store.write(lambda c: c.execute(text(f"UPDATE blocks SET {change}")).rowcount).result()

    with pytest.raises(Altered, match=r"journal block \d is not what was written"):
        read(store)


def test_a_block_whose_packs_do_not_read_is_altered():
    block = msgspec.structs.replace(block_of("a"), body=b"\x01" + bytes(32) + b"\xff")

    with pytest.raises(Altered, match="does not read as packs"):
        block.packs()


def test_reading_stops_once_enough_bytes_are_read(store):
    written(store, *(block_of(f"{n}", seq=n, first=n) for n in range(1, 6)))
    size = len(block_of("1").body)

    assert [b.seq for b in read(store, bytes_max=2 * size - 20)] == [1, 2]
    assert [b.seq for b in read(store, bytes_max=1)] == [1]
    assert [b.seq for b in read(store)] == [1, 2, 3, 4, 5]
