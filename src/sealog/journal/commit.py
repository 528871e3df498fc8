"""One commit: ids remembered, indexes given, blocks written, heads advanced; all inside one transaction."""

import sqlite3
from collections.abc import Sequence

from sealog.event.batch import Batch, Outcome
from sealog.event.packs import Packer, Unpacker
from sealog.event.sealing import repack
from sealog.journal import blocks, heads
from sealog.journal.blocks import Block
from sealog.journal.heads import Head
from sealog.journal.memory import Hashes, Known, Memory, hashes_of

UNKNOWN_INDEX = -1
"""Stands for the index of an id that is only known to be taken."""


class Commit:
    """The work of one transaction and what came of it; `write` is called once."""

    def __init__(
        self, connection: sqlite3.Connection, memory: Memory, newest: int, now_us: int
    ) -> None:
        self._connection = connection
        self._memory = memory
        self._now_us = now_us
        self._heads: dict[int, Head] = {}
        self._blocks: list[Block] = []
        self.newest = newest
        """The highest block number given, this commit included."""
        self.outcomes: list[Outcome] = []
        self.sizes: dict[int, int] = {}
        self.hashes: Hashes | None = None
        """Of the ids that are new; None where there are none."""

    def write(self, batches: Sequence[Batch]) -> None:
        """Write all batches, in order."""
        if not self._write_all_new(batches):
            self._write_carefully(batches)
        blocks.write(self._connection, self._blocks)
        heads.write(self._connection, self._heads.values())
        self.sizes = {head.tenant: head.size for head in self._heads.values()}
        if self.hashes is not None:
            # A row of its own number even where no block was written in this commit.
            self._memory.note(self._connection, self.newest, self.hashes)

    def _write_all_new(self, batches: Sequence[Batch]) -> bool:
        """The common case: no id was ever seen. Writes nothing where that is not so."""
        keys = [key for batch in batches for key in batch.id_keys]
        if not keys:
            self.outcomes = [Outcome([]) for _ in batches]
            return True
        hashes = hashes_of(keys)
        if not self._memory.all_new(hashes):
            return False
        rows: list[tuple[bytes, int, bytes]] = []
        for batch in batches:
            first = self._head(batch).size
            indexes = list(range(first, first + len(batch.ids)))
            rows.extend(zip(batch.id_keys, indexes, batch.fingerprints, strict=True))
            self.outcomes.append(Outcome(indexes))
            self._grow(batch, len(indexes))
        self._connection.execute("SAVEPOINT ids")
        if self._memory.remember(self._connection, rows):
            self._connection.execute("RELEASE ids")
            for batch, outcome in zip(batches, self.outcomes, strict=True):
                self._add_block(batch, outcome.indexes[0])
            self.hashes = hashes
            return True
        self._connection.execute("ROLLBACK TO ids")
        self._connection.execute("RELEASE ids")
        self._heads.clear()
        self.outcomes = []
        return False

    def _write_carefully(self, batches: Sequence[Batch]) -> None:
        """Look every id up: the same thing again, something else under its id, or new."""
        fresh: list[bytes] = []
        here: set[int] = set()
        for batch in batches:
            outcome, kept = self._judge(batch, here)
            self.outcomes.append(outcome)
            if not kept:
                continue
            fresh.extend(batch.id_keys[place] for place in kept)
            self._add_block(_only(batch, kept), outcome.indexes[kept[0]])
        if fresh:
            self.hashes = hashes_of(fresh)

    def _judge(self, batch: Batch, here: set[int]) -> tuple[Outcome, list[int]]:
        indexes: list[int] = []
        repeated: set[int] = set()
        conflicts: set[int] = set()
        kept: list[int] = []
        for place, (key, print_) in enumerate(zip(batch.id_keys, batch.fingerprints, strict=True)):
            known = self._memory.find(self._connection, key)
            short = int(hashes_of([key])[0])
            if known is None and (short in here or self._memory.is_recent(key)):
                # The same id with another time, so with other content.
                known = Known(UNKNOWN_INDEX, b"")
            if known is None:
                index = self._head(batch).size
                self._memory.remember(self._connection, [(key, index, print_)])
                self._grow(batch, 1)
                here.add(short)
                kept.append(place)
                indexes.append(index)
                continue
            (repeated if known.fingerprint == print_ else conflicts).add(place)
            indexes.append(known.index)
        return Outcome(indexes, frozenset(repeated), frozenset(conflicts)), kept

    def _head(self, batch: Batch) -> Head:
        number = batch.tenant.number
        head = self._heads.get(number)
        if head is None:
            head = self._heads[number] = heads.read(self._connection, number)
        return head

    def _grow(self, batch: Batch, count: int) -> None:
        head = self._head(batch)
        self._heads[head.tenant] = Head(head.tenant, head.size + count, head.synced, head.archived)

    def _add_block(self, batch: Batch, first: int) -> None:
        self.newest += 1
        body = blocks.body_of(batch.entries, batch.packs)
        self._blocks.append(
            Block(self.newest, batch.tenant.number, first, len(batch.ids), self._now_us, body, b"")
        )


def _only(batch: Batch, places: list[int]) -> Batch:
    """The batch without the events that were not new, packed again."""
    if len(places) == len(batch.ids):
        return batch
    opened = [event for pack in batch.packs for event in Unpacker().events(pack)]
    return Batch(
        tenant=batch.tenant,
        places=[batch.places[place] for place in places],
        ids=[batch.ids[place] for place in places],
        id_keys=[batch.id_keys[place] for place in places],
        fingerprints=[batch.fingerprints[place] for place in places],
        entries=[batch.entries[place] for place in places],
        packs=repack(Packer(), [opened[place] for place in places]),
    )
