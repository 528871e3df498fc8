"""One tenant's journal blocks: what was accepted and is not yet in both log and archive."""

from collections.abc import Iterator

import msgspec

from sealog.errors import Altered
from sealog.event.packs import Unpacker
from sealog.event.parts import ENTRY_BYTES
from sealog.journal.blocks import Block, digest_of
from sealog.verify.moment import BlockRow, HeadRow, Moment
from sealog.verify.opening import Unsealed, reading, unseal
from sealog.verify.report import Findings

BLOCKS = "state.db blocks"


class Journalled(msgspec.Struct):
    """The entries that a tenant's blocks hold, without a gap from `first` on."""

    first: int
    entries: bytearray

    @property
    def end(self) -> int:
        """The index after the last."""
        return self.first + len(self.entries) // ENTRY_BYTES


def check(moment: Moment, head: HeadRow, findings: Findings) -> Journalled:
    """Check every block's row and the order of all, and gather their entries."""
    begin = min(head.synced, head.archived)
    held = Journalled(begin, bytearray())
    at, seq, gap = begin, -1, False
    for row in moment.blocks(head.tenant):
        if isinstance(row, str):
            findings.fault(BLOCKS, row)
            gap = True
            continue
        where = f"{BLOCKS} {row.seq}"
        block = Block(*row)
        if digest_of(block) != row.digest:
            findings.fault(where, "it is not what was written", row.first)
            gap = True
            continue
        if row.first + row.events <= begin:
            findings.fault(where, "log and archive have it, so it should be gone", row.first)
            continue
        if (row.first > at and not gap) or (row.first < at and at != begin) or row.seq < seq:
            findings.fault(
                where, f"it does not follow the block before it at index {at}", row.first
            )
            gap = True
        gap = gap or row.first > at
        if not gap:
            skipped = max(at - row.first, 0) * ENTRY_BYTES
            held.entries += block.entries[skipped:]
        at, seq = row.first + row.events, row.seq
    if at != head.size or gap:
        what = (
            f"the blocks do not hold every entry from {begin} to {head.size},"
            " where log and archive do not reach"
        )
        findings.fault(BLOCKS, what, held.end)
    return held


def events(
    moment: Moment, head: HeadRow, unpacker: Unpacker, findings: Findings
) -> Iterator[Unsealed]:
    """The events of every block, pack by pack; those that do not hash into their entries are named."""
    for row in moment.blocks(head.tenant):
        if isinstance(row, str) or digest_of(Block(*row)) != row.digest:
            continue
        try:
            yield from _open(row, unpacker)
        except Altered as error:
            findings.fault(f"{BLOCKS} {row.seq}", str(error), row.first)


def _open(row: BlockRow, unpacker: Unpacker) -> Iterator[Unsealed]:
    block = Block(*row)
    at = row.first
    with reading("its events"):
        packs = block.packs()
    for pack in packs:
        unsealed = unseal(pack, row.first, unpacker)
        if unsealed.indexes != tuple(range(at, at + len(unsealed.indexes))):
            raise Altered(f"its packs do not hold index {at}")
        begin = (at - row.first) * ENTRY_BYTES
        if (
            b"".join(unsealed.entries)
            != block.entries[begin : begin + ENTRY_BYTES * len(unsealed.entries)]
        ):
            raise Altered("its events do not hash into its entries")
        at += len(unsealed.indexes)
        yield unsealed
    if at != row.first + row.events:
        raise Altered(f"it holds {at - row.first} events instead of {row.events}")
