"""A block: consecutive events of one tenant as they wait in `state.db`."""

import sqlite3
from collections.abc import Sequence

import msgspec

from sealog.errors import Altered
from sealog.event.packs import Pack, decode_packs, encode_packs
from sealog.event.parts import ENTRY_BYTES
from sealog.storage.tables import row_digest

COLUMNS = "seq, tenant, first, count, accepted_us, body, digest"


class Block(msgspec.Struct, frozen=True):
    """One row of `blocks`. `body`: 33 bytes an entry, then the packs, whose indexes count from 0."""

    seq: int
    tenant: int
    first: int
    count: int
    accepted_us: int
    body: bytes
    digest: bytes

    @property
    def end(self) -> int:
        """The index after the block's last."""
        return self.first + self.count

    @property
    def entries(self) -> bytes:
        """What the sealed log gets: 33 bytes an event."""
        return self.body[: ENTRY_BYTES * self.count]

    def packs(self) -> list[Pack]:
        """The events, packed. Raises `Altered` where the bytes are no packs."""
        return decode_packs(self.body[ENTRY_BYTES * self.count :])

    def check(self) -> None:
        """Raise `Altered` unless every value of the row is the one that was written."""
        if self.digest != digest_of(self):
            raise Altered(f"journal block {self.seq} is not what was written")


def body_of(entries: Sequence[bytes], packs: Sequence[Pack]) -> bytes:
    """The bytes of a block's `body`."""
    return b"".join(entries) + encode_packs(packs)


def digest_of(block: Block) -> bytes:
    """What stands in the row's `digest`."""
    return row_digest(
        "blocks",
        block.seq,
        block.tenant,
        block.first,
        block.count,
        block.accepted_us,
        block.body,
    )


def write(connection: sqlite3.Connection, blocks: Sequence[Block]) -> None:
    """Add blocks; runs inside the writing thread's transaction."""
    connection.executemany(
        f"INSERT INTO blocks ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(b.seq, b.tenant, b.first, b.count, b.accepted_us, b.body, digest_of(b)) for b in blocks],
    )


def read(
    connection: sqlite3.Connection,
    where: str,
    values: Sequence[int],
    *,
    bytes_max: int = 0,
    checked: bool = True,
) -> list[Block]:
    """Blocks that meet a condition; with `bytes_max` no more once so many bytes are read.

    Raises `Altered` for a damaged one; whoever does not want that MUST check each before using it.
    """
    found: list[Block] = []
    size = 0
    for row in connection.execute(f"SELECT {COLUMNS} FROM blocks WHERE {where}", values):
        block = Block(*row)
        if checked:
            block.check()
        found.append(block)
        size += len(block.body)
        if bytes_max and size >= bytes_max:
            break
    return found
