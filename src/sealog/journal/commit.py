"""One commit: ids remembered, indexes given, blocks written, heads advanced; all inside one transaction."""

import sqlite3
from collections.abc import Sequence

import msgspec
import numpy as np

from sealog.event.batch import Batch, Outcome
from sealog.event.packs import (
    EVENTS_PER_PACK_MAX,
    JOINED_BYTES_MAX,
    Pack,
    Packer,
    Unpacker,
    content_bytes,
    repack,
)
from sealog.journal import blocks, heads
from sealog.journal.blocks import Block
from sealog.journal.heads import Head
from sealog.journal.memory import Hashes, Memory, hashes_of
from sealog.journal.seen import Known, Seen

ALONE_EVENTS_MIN = 64
"""A pack of so many events is not opened again to be joined with its neighbours."""
UNKNOWN_INDEX = -1
"""Stands for the index of an id that is only known to be taken."""


class Commit:
    """The work of one transaction and what came of it; `write` is called once."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        memories: tuple[Memory, Seen],
        newest: int,
        moment: tuple[int, dict[int, Head]],
        packer: Packer,
    ) -> None:
        """`moment`: microseconds since 1970, and heads as they stand, those that are known."""
        self._connection = connection
        self._memory, self._seen = memories
        self._now_us, self._known = moment
        self._heads: dict[int, Head] = {}
        self._groups: dict[int, _Group] = {}
        self._packer = packer
        self._fresh: set[int] = set()
        self._added: list[Hashes] = []
        self.newest = newest
        """The highest block number given, this commit included."""
        self.outcomes: list[Outcome] = []
        self.heads: dict[int, Head] = {}
        """Of the tenants that have new events."""
        self.hashes: Hashes | None = None
        """Of the ids that are new; None where there are none."""

    def write(self, batches: Sequence[Batch]) -> None:
        """Write all batches, in order."""
        if not self._write_new(batches):
            # One event sent again must not cost its neighbours their way: batch by batch.
            for batch in batches:
                if not self._write_new([batch]):
                    self._write_carefully(batch)
        blocks.write(self._connection, self._blocks_of_groups())
        heads.write(self._connection, self._heads.values())
        self.heads = self._heads
        if self._added:
            self.hashes = np.concatenate(self._added)
            # New ids come in new blocks, so this number was not given to an earlier row.
            self._memory.note(self._connection, self.newest, self.hashes)
            self._seen.prune(self._connection, len(self.hashes))

    def _write_new(self, batches: Sequence[Batch]) -> bool:
        """The common case: no id was ever seen. Changes nothing where that is not so."""
        keys = [key for batch in batches for key in batch.id_keys]
        if not keys:
            self.outcomes.extend(Outcome([]) for _ in batches)
            return True
        hashes = hashes_of(keys)
        if not self._memory.all_new(hashes) or not self._fresh.isdisjoint(hashes.tolist()):
            return False
        rows: list[tuple[bytes, int, bytes]] = []
        firsts: list[int] = []
        sizes: dict[int, int] = {}
        for batch in batches:
            number = batch.tenant.number
            first = sizes.get(number)
            if first is None:
                first = self._head(number).size
            sizes[number] = end = first + len(batch.ids)
            firsts.append(first)
            rows.extend(zip(batch.id_keys, range(first, end), batch.fingerprints, strict=True))
        if not self._remember(rows):
            return False
        for batch, first in zip(batches, firsts, strict=True):
            self.outcomes.append(Outcome(list(range(first, first + len(batch.ids)))))
            self._add(batch, first)
        self._note(hashes)
        return True

    def _remember(self, rows: Sequence[tuple[bytes, int, bytes]]) -> bool:
        self._connection.execute("SAVEPOINT ids")
        all_new = self._seen.remember(self._connection, rows, self._now_us)
        if not all_new:
            self._connection.execute("ROLLBACK TO ids")
        self._connection.execute("RELEASE ids")
        return all_new

    def _write_carefully(self, batch: Batch) -> None:
        """Look every id up: the same thing again, something else under its id, or new."""
        first = size = self._head(batch.tenant.number).size
        hashes = hashes_of(batch.id_keys)
        recent = self._memory.recent(hashes)
        indexes: list[int] = []
        repeated: set[int] = set()
        conflicts: set[int] = set()
        kept: list[int] = []
        for place, (key, short) in enumerate(zip(batch.id_keys, hashes.tolist(), strict=True)):
            print_ = batch.fingerprints[place]
            known = self._seen.find(self._connection, key, self._now_us)
            if known is None and (recent[place] or short in self._fresh):
                # The same id with another time, so with other content.
                known = Known(UNKNOWN_INDEX, b"")
            if known is None:
                self._seen.remember(self._connection, [(key, size, print_)], self._now_us)
                self._fresh.add(short)
                kept.append(place)
                indexes.append(size)
                size += 1
                continue
            (repeated if known.fingerprint == print_ else conflicts).add(place)
            indexes.append(known.index)
        self.outcomes.append(Outcome(indexes, frozenset(repeated), frozenset(conflicts)))
        if kept:
            self._add(_only(batch, kept, self._packer), first)
            self._note(hashes[kept])

    def _note(self, hashes: Hashes) -> None:
        self._added.append(hashes)
        self._fresh.update(hashes.tolist())

    def _head(self, number: int) -> Head:
        head = self._heads.get(number)
        if head is None:
            head = self._known.get(number)
        if head is None:
            head = self._known[number] = heads.read(self._connection, number)
        return head

    def _add(self, batch: Batch, first: int) -> None:
        """Give a batch of new events its place in the order; heads change here only."""
        if not batch.ids:
            return
        number, count = batch.tenant.number, len(batch.ids)
        head = self._head(number)
        assert head.size == first
        self._heads[number] = Head(number, first + count, head.synced, head.archived)
        group = self._groups.get(number)
        if group is None:
            # Nobody else gives indexes meanwhile: what a commit gives a tenant is one run.
            group = self._groups[number] = _Group(first)
            self.newest += 1
        group.entries.extend(batch.entries)
        group.packs.extend(batch.packs)

    def _blocks_of_groups(self) -> list[Block]:
        """One block per tenant, in the order in which their first events came."""
        seq = self.newest - len(self._groups)
        found = []
        for number, group in self._groups.items():
            seq += 1
            body = blocks.body_of(group.entries, _gathered(group.packs, self._packer))
            count = len(group.entries)
            found.append(Block(seq, number, group.first, count, self._now_us, body, b""))
        return found


class _Group(msgspec.Struct):
    """What one commit gives one tenant: consecutive indexes from `first` on."""

    first: int
    entries: list[bytes] = []
    packs: list[Pack] = []


def _gathered(packs: Sequence[Pack], packer: Packer) -> list[Pack]:
    """The packs of one block, counted from 0 through; small neighbours become one."""
    runs: list[list[Pack]] = []
    events, size = EVENTS_PER_PACK_MAX, 0
    for pack in packs:
        alone = len(pack.kinds) >= ALONE_EVENTS_MIN
        events += len(pack.kinds)
        size += content_bytes(pack.lengths)
        if events > EVENTS_PER_PACK_MAX or size > JOINED_BYTES_MAX or alone:
            runs.append([])
            events, size = len(pack.kinds), content_bytes(pack.lengths)
        runs[-1].append(pack)
        if alone:
            events = EVENTS_PER_PACK_MAX
    found = [run[0] if len(run) == 1 else packer.merge(run) for run in runs]
    at = 0
    for place, pack in enumerate(found):
        if pack.indexes[0] != at:
            indexes = tuple(range(at, at + len(pack.kinds)))
            found[place] = msgspec.structs.replace(pack, indexes=indexes)
        at += len(pack.kinds)
    return found


def _only(batch: Batch, places: list[int], packer: Packer) -> Batch:
    """The batch without the events that were not new, packed again."""
    if len(places) == len(batch.ids):
        return batch
    unpacker = Unpacker()
    opened = [event for pack in batch.packs for event in unpacker.events(pack)]
    return Batch(
        tenant=batch.tenant,
        places=[batch.places[place] for place in places],
        ids=[batch.ids[place] for place in places],
        id_keys=[batch.id_keys[place] for place in places],
        fingerprints=[batch.fingerprints[place] for place in places],
        entries=[batch.entries[place] for place in places],
        packs=repack(packer, [opened[place] for place in places]),
    )
