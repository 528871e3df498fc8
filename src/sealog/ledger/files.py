"""One log's flat files: what tiles of every past size are cut from (docs/formats/log.md).

`entries` holds 33 bytes an entry; `hashes-1`, `hashes-2` … 32 bytes for each complete subtree of
256, 65,536 … entries; level 0 is computed from `entries`. Files only grow, except when they are cut
back after a crash: they are an image of the journal, and the journal says how long they are.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from struct import iter_unpack

import msgspec

from sealog.errors import Missing, Truncated
from sealog.event.parts import ENTRY_BYTES
from sealog.merkle.edge import TILE_LEVELS, TILE_WIDTH, RightEdge, restore, tail_width, tile_levels
from sealog.merkle.hashes import HASH_BYTES, leaf_hashes, root_of
from sealog.merkle.paths import consistency_path, inclusion_path, root_at
from sealog.storage.files import replace_later_synced

ENTRIES = "entries"
CHECKPOINT = "checkpoint"

_LENGTH_PREFIX = ENTRY_BYTES.to_bytes(2, "big")
_TILE_PATH = re.compile(
    r"tile/(?:(entries)|(0|[1-9]|[1-5][0-9]|6[0-3]))"
    r"/((?!x000)(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


class Tile(msgspec.Struct, frozen=True):
    """Which tile: its level (None for a bundle of entries), its number, its width of 1 to 256."""

    level: int | None
    number: int
    width: int = TILE_WIDTH

    def __str__(self) -> str:
        level = "entries" if self.level is None else str(self.level)
        groups = [f"{self.number % 1000:03d}"]
        rest = self.number // 1000
        while rest:
            groups.append(f"x{rest % 1000:03d}")
            rest //= 1000
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"


def parse_tile(path: str) -> Tile:
    """Read `tile/<level>/<number>[.p/<width>]` (C2SP tlog-tiles); `Missing` for anything else."""
    match = _TILE_PATH.fullmatch(path)
    if match is None:
        raise Missing(f"no such tile: {path[:200]}")
    entries, level, groups, partial = match.groups()
    width = TILE_WIDTH if partial is None else int(partial)
    if partial is not None and width >= TILE_WIDTH:
        raise Missing(f"a partial tile is at most {TILE_WIDTH - 1} wide")
    number = int(groups.replace("/", "").replace("x", ""))
    return Tile(None if entries else int(level), number, width)


class LogReader(msgspec.Struct, frozen=True):
    """Reads one log as it was at `size` entries, whatever stands in its files beyond.

    Keeps nothing open. What the size does not reach is `Missing`; what it reaches but is not in the
    files is `Truncated`.
    """

    folder: Path
    size: int

    def entry(self, index: int) -> bytes:
        """The 33 bytes of one entry."""
        return self.entries(index, 1)

    def entries(self, first: int, count: int) -> bytes:
        """The entries from `first` on, one after the other."""
        self._reach(0, first, count)
        return _read(f"{self.folder}/{ENTRIES}", first * ENTRY_BYTES, count * ENTRY_BYTES)

    def tile(self, level: int, number: int, width: int = TILE_WIDTH) -> bytes:
        """`width` hashes of 32 bytes: tile `number` of a tile level."""
        return b"".join(self.hashes(level, number * TILE_WIDTH, width))

    def bundle(self, number: int, width: int = TILE_WIDTH) -> bytes:
        """`width` entries, each behind its length in two bytes: what level-0 tile `number` hashes."""
        entries = self.entries(number * TILE_WIDTH, width)
        return b"".join(
            [_LENGTH_PREFIX + entry for (entry,) in iter_unpack(f"{ENTRY_BYTES}s", entries)]
        )

    def resource(self, tile: Tile) -> bytes:
        """The bytes served under a tile's path."""
        if tile.level is None:
            return self.bundle(tile.number, tile.width)
        return self.tile(tile.level, tile.number, tile.width)

    def hashes(self, level: int, first: int, count: int) -> list[bytes]:
        """Consecutive hashes of a tile level, each over 256^level entries; level 0 are leaves."""
        self._reach(level, first, count)
        if level == 0:
            return leaf_hashes(self.entries(first, count), ENTRY_BYTES)
        hashes = _read(
            f"{self.folder}/{_level_name(level)}", first * HASH_BYTES, count * HASH_BYTES
        )
        return [value for (value,) in iter_unpack(f"{HASH_BYTES}s", hashes)]

    def hash_at(self, level: int, index: int) -> bytes:
        """The root of the complete subtree of `1 << level` entries that has `index` before it."""
        tile_level, bits = divmod(level, TILE_LEVELS)
        return root_of(self.hashes(tile_level, index << bits, 1 << bits))

    def root(self) -> bytes:
        """The root at this size."""
        return root_at(self.size, self.hash_at)

    def inclusion(self, index: int) -> list[bytes]:
        """The path that proves the entry at `index` at this size."""
        self._reach(0, index, 1)
        return inclusion_path(index, self.size, self.hash_at)

    def consistency(self, old: int) -> list[bytes]:
        """The path that proves that this tree begins with the tree of `old` entries."""
        if not 0 <= old <= self.size:
            raise Missing(f"the log has {self.size} entries")
        return consistency_path(old, self.size, self.hash_at)

    def _reach(self, level: int, first: int, count: int) -> None:
        end = self.size >> TILE_LEVELS * level
        if first < 0 or count < 1 or first + count > end:
            raise Missing(f"the log has {self.size} entries")


class LogFiles:
    """The one writer of a log's files. Holds the right edge and no open file.

    Nothing here is synced: whoever deletes the journal's blocks syncs first.
    """

    __slots__ = ("_edge", "folder")

    def __init__(self, folder: Path, size: int = 0) -> None:
        """Take up a log at `size`, reading one unfinished tile a level; `Truncated` if too short."""
        self.folder = folder
        self._edge = _edge_at(folder, size)

    @property
    def size(self) -> int:
        """How many entries were appended."""
        return self._edge.size

    def root(self) -> bytes:
        """The root at `size`."""
        return self._edge.root()

    def reader(self) -> LogReader:
        """A reader of the log as it is now."""
        return LogReader(self.folder, self.size)

    def append(self, entries: bytes) -> None:
        """Append whole entries, one after the other, and the level hashes they complete.

        After an `OSError` nothing counts as appended, and the same entries may be tried again.
        """
        assert not len(entries) % ENTRY_BYTES
        if not entries:
            return
        growth = self._edge.grow(leaf_hashes(entries, ENTRY_BYTES))
        self._write(self.folder / ENTRIES, self.size * ENTRY_BYTES, entries)
        for above, hashes in enumerate(growth.completed):
            if hashes:
                level = above + 1
                at = (self.size >> TILE_LEVELS * level) * HASH_BYTES
                self._write(self.folder / _level_name(level), at, b"".join(hashes))
        # Only now: a failed write above leaves the log as long as it was.
        self._edge = growth.edge

    def cut_back(self, size: int) -> None:
        """Return to an earlier size; what is appended again then gives the same files.

        Raises `Truncated`, before anything is cut, where the files do not reach that size.
        """
        bytes_past(self.folder, size)
        edge = _edge_at(self.folder, size)
        for name, length in _lengths(_held(self.folder), size):
            if length:
                os.truncate(self.folder / name, length)
            else:
                (self.folder / name).unlink(missing_ok=True)
        self._edge = edge

    def keep_checkpoint(self, note: bytes) -> None:
        """Put the newest signed note beside the entries, as a whole."""
        path = self.folder / CHECKPOINT
        try:
            replace_later_synced(path, note)
        except FileNotFoundError:
            # Of an empty log.
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_later_synced(path, note)

    def _write(self, path: Path, at: int, content: bytes) -> None:
        try:
            number = os.open(path, _WRITE, 0o600)
        except FileNotFoundError:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            number = os.open(path, _WRITE, 0o600)
        try:
            # Writing past the end would fill the gap with zeros, which nothing ever sealed.
            if os.fstat(number).st_size < at:
                raise Truncated(f"{path} is shorter than the {at} bytes that were appended")
            written = 0
            while written < len(content):
                written += os.pwrite(number, content[written:], at + written)
        finally:
            os.close(number)


_WRITE = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC


def read_note(folder: Path) -> bytes | None:
    """The signed note kept beside a log's entries, or None before the first."""
    # Ten thousand of them are read at each start.
    try:
        number = os.open(f"{folder}/{CHECKPOINT}", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with open(number, "rb") as file:  # noqa: PTH123 - the path is put together already
        return file.read()


def bytes_past(folder: Path, size: int) -> dict[str, int]:
    """How many bytes each file holds beyond what `size` entries need: unfinished, not damaged.

    Given the size noted as synced, raises `Truncated` for a file that is shorter than it must be.
    """
    past: dict[str, int] = {}
    sizes = _held(folder)
    for name, length in _lengths(sizes, size):
        held = sizes.get(name, 0)
        if held < length:
            raise Truncated(
                f"{folder / name} holds {held} bytes of the {length} that {size} entries need"
            )
        if held > length:
            past[name] = held - length
    return past


def _held(folder: Path) -> dict[str, int]:
    """Name → bytes of the files there are."""
    try:
        with os.scandir(folder) as entries:
            return {one.name: one.stat().st_size for one in entries}
    except FileNotFoundError:
        return {}


def _lengths(held: Mapping[str, int], size: int) -> Iterator[tuple[str, int]]:
    """Each file of a log, those there should be and those there are, and its length at `size`."""
    yield ENTRIES, size * ENTRY_BYTES
    level = 1
    while size >> TILE_LEVELS * level or _level_name(level) in held:
        yield _level_name(level), (size >> TILE_LEVELS * level) * HASH_BYTES
        level += 1


def _level_name(level: int) -> str:
    return f"hashes-{level}"


def _edge_at(folder: Path, size: int) -> RightEdge:
    reader = LogReader(folder, size)
    tails: list[list[bytes]] = []
    for level in range(tile_levels(size)):
        width = tail_width(size, level)
        first = (size >> TILE_LEVELS * level) - width
        tails.append(reader.hashes(level, first, width) if width else [])
    return restore(size, tails)


def _read(path: str, at: int, length: int) -> bytes:
    try:
        number = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise Truncated(f"{path} is not there") from error
    try:
        content = os.pread(number, length, at)
    finally:
        os.close(number)
    if len(content) < length:
        raise Truncated(f"{path} ends before byte {at + length}")
    return content
