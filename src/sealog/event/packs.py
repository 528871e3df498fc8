"""Up to 128 events packed as they rest: one zstd frame per part kind, salts beside them.

The journal stores packs, and the archive carries full ones over as they are: what was compressed
once is not compressed again. A pack holds the exact bytes that were hashed.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

import msgspec
import zstandard

from sealog.errors import Altered
from sealog.event.parts import PART_NAMES, SALT_BYTES, commitment, digest

EVENTS_PER_PACK_MAX = 128
JOINED_BYTES_MAX = 4 << 20
"""Packs of more content are not put together: whoever reads one event opens all of its pack."""
DIGEST_BYTES = 32
ZSTD_LEVEL = 1
STORED_EVENTS_MAX = 15
"""Up to so many events are framed as they are: compressing each small pack would cost more than all
the rest of its way, and the archive packs them anew in any case."""

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_RAW_BLOCK_BYTES_MAX = 128 << 10

_KINDS = range(len(PART_NAMES))
_OPEN = tuple([tuple([n for n in _KINDS if mask >> n & 1]) for mask in range(16)])


class Opened(msgspec.Struct, frozen=True):
    """One stored event: entry type, its open parts as (number, salt, bytes), digests of the erased."""

    kind: bytes
    parts: tuple[tuple[int, bytes, bytes], ...]
    erased: tuple[tuple[int, bytes], ...] = ()

    def entry(self) -> bytes:
        """The 33 bytes of the sealed log, computed anew from what is stored."""
        digests = [(number, digest(number, salt, part)) for number, salt, part in self.parts]
        digests.extend(self.erased)
        digests.sort()
        return self.kind + commitment(digests)


class Pack(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The rest form of consecutive events of one tenant; see the module."""

    indexes: tuple[int, ...]
    """Of each event: in the journal counted from the block's first, in the archive absolute."""
    kinds: bytes
    """The entry type byte of each event."""
    masks: bytes
    """Of each event, bits 0–3: which parts are open; bits 4–7: which are erased."""
    lengths: tuple[tuple[int, ...], ...]
    """Per part kind, the byte length of each open part, in the order of the events."""
    salts: bytes
    """16 bytes per open part, event by event, in the order of the part numbers."""
    digests: bytes
    """32 bytes per erased part, in the same order."""
    frames: tuple[bytes, ...]
    """Per part kind, one zstd frame over all its parts; empty where no event has one."""


Columns = tuple[list[bytes], list[bytes], list[bytes], list[bytes]]
"""Per part kind, the open parts in the order of the events."""


def content_bytes(lengths: Iterable[Iterable[int]]) -> int:
    """How many bytes of parts a pack with these `lengths` holds, once it is opened."""
    return sum(map(sum, lengths))


class Packer:
    """Packs and compresses; one per thread, because a zstd context is not shared."""

    def __init__(self, level: int = ZSTD_LEVEL) -> None:
        self._compress = zstandard.ZstdCompressor(level=level).compress
        self._decompress = zstandard.ZstdDecompressor().decompress

    def pack(self, events: Sequence[Opened], indexes: Iterable[int]) -> Pack:
        """Pack up to 128 events under their indexes."""
        assert 0 < len(events) <= EVENTS_PER_PACK_MAX
        columns: Columns = ([], [], [], [])
        salts: list[bytes] = []
        digests: list[bytes] = []
        masks = bytearray()
        for event in events:
            mask = 0
            for number, salt, part in event.parts:
                mask |= 1 << number
                salts.append(salt)
                columns[number].append(part)
            for number, value in event.erased:
                mask |= 16 << number
                digests.append(value)
            masks.append(mask)
        kinds = b"".join([event.kind for event in events])
        pack = self.pack_columns(indexes, kinds, bytes(masks), columns, b"".join(salts))
        return msgspec.structs.replace(pack, digests=b"".join(digests)) if digests else pack

    def pack_columns(
        self,
        indexes: Iterable[int],
        kinds: bytes,
        masks: bytes,
        columns: Sequence[Sequence[bytes]],
        salts: bytes,
    ) -> Pack:
        """Pack up to 128 events whole, of which nothing is erased; the arguments as in `Pack`."""
        assert 0 < len(kinds) == len(masks) <= EVENTS_PER_PACK_MAX
        return Pack(
            indexes=tuple(indexes),
            kinds=kinds,
            masks=masks,
            lengths=tuple([tuple(map(len, column)) for column in columns]),
            salts=salts,
            digests=b"",
            frames=self._frames([b"".join(column) for column in columns], len(kinds)),
        )

    def merge(self, packs: Sequence[Pack]) -> Pack:
        """Packs of up to 128 events together as one, its indexes counted from 0."""
        kinds = b"".join([pack.kinds for pack in packs])
        assert len(kinds) <= EVENTS_PER_PACK_MAX
        columns = [b"".join([self._content(pack.frames[n]) for pack in packs]) for n in _KINDS]
        return Pack(
            indexes=tuple(range(len(kinds))),
            kinds=kinds,
            masks=b"".join([pack.masks for pack in packs]),
            lengths=tuple([tuple([x for pack in packs for x in pack.lengths[n]]) for n in _KINDS]),
            salts=b"".join([pack.salts for pack in packs]),
            digests=b"".join([pack.digests for pack in packs]),
            frames=self._frames(columns, len(kinds)),
        )

    def _frames(self, columns: Sequence[bytes], events: int) -> tuple[bytes, ...]:
        frame = stored if events <= STORED_EVENTS_MAX else self._compress
        return tuple([frame(column) if column else b"" for column in columns])

    def _content(self, frame: bytes) -> bytes:
        return self._decompress(frame) if frame else b""


def stored(content: bytes) -> bytes:
    """A zstd frame (RFC 8878, 3.1.1) that holds its content as it is, in raw blocks."""
    size = len(content)
    # One segment; the content's size in 1, 2 (less 256) or 4 bytes, as the first byte says.
    if size < 1 << 8:
        header = b"\x20" + size.to_bytes(1, "little")
    elif size < (1 << 16) + 256:
        header = b"\x60" + (size - 256).to_bytes(2, "little")
    else:
        header = b"\xa0" + size.to_bytes(4, "little")
    pieces = [_ZSTD_MAGIC, header]
    for at in range(0, max(size, 1), _RAW_BLOCK_BYTES_MAX):
        block = content[at : at + _RAW_BLOCK_BYTES_MAX]
        is_last = at + _RAW_BLOCK_BYTES_MAX >= size
        pieces += [(len(block) << 3 | is_last).to_bytes(3, "little"), block]
    return b"".join(pieces)


def repack(packer: Packer, events: Sequence[Opened]) -> list[Pack]:
    """Events in packs of up to 128, counted from 0."""
    size = EVENTS_PER_PACK_MAX
    return [
        packer.pack(events[at : at + size], range(at, min(at + size, len(events))))
        for at in range(0, len(events), size)
    ]


class Unpacker:
    """Opens packs; one per thread."""

    def __init__(self) -> None:
        self._decompress = zstandard.ZstdDecompressor().decompress

    def events(self, pack: Pack) -> list[Opened]:
        """Every event of a pack, in its order. Raises `Altered` where the pack contradicts itself."""
        columns = [self._column(pack, kind) for kind in _KINDS]
        salts = _chunks(pack.salts, SALT_BYTES)
        digests = _chunks(pack.digests, DIGEST_BYTES)
        try:
            events = [
                Opened(
                    kind=pack.kinds[place : place + 1],
                    parts=tuple(
                        [(n, next(salts), next(columns[n])) for n in _KINDS if mask >> n & 1]
                    ),
                    erased=tuple([(n, next(digests)) for n in _KINDS if mask >> n & 16]),
                )
                for place, mask in enumerate(pack.masks)
            ]
        except (StopIteration, RuntimeError) as error:
            raise Altered("a pack holds fewer parts than its masks name") from error
        spare = [next(chunk, None) for chunk in (*columns, salts, digests)]
        if any(value is not None for value in spare) or not (
            len(pack.kinds) == len(pack.masks) == len(pack.indexes)
        ):
            raise Altered("a pack holds more than its masks name")
        return events

    def some(self, pack: Pack, places: Sequence[int]) -> list[Opened]:
        """The events at some places (ascending, from 0) of a pack. Raises `Altered` like `events`."""
        texts = [self.joined(pack, kind) for kind in _KINDS]
        ends = [list(accumulate(lengths, initial=0)) for lengths in pack.lengths]
        if places and not 0 <= places[0] <= places[-1] < len(pack.masks):
            raise Altered("a pack holds fewer events than are asked of it")
        return [_pick(pack, (texts, ends), place) for place in places]

    def parts(self, pack: Pack, number: int) -> list[bytes]:
        """One part of every event, in order; empty where an event has none or it was erased.

        Opens one frame and leaves the others alone. Raises `Altered` like `events`.
        """
        if not pack.frames[number] and not pack.lengths[number]:
            return [b""] * len(pack.masks)
        parts = _pieces(self.joined(pack, number), pack.lengths[number])
        masks = pack.masks
        if len(parts) == len(masks) == masks.count(masks[:1]) and masks[0] >> number & 1:
            return parts
        has = [mask >> number & 1 for mask in masks]
        if sum(has) != len(parts):
            raise Altered(f"a pack's masks name other {PART_NAMES[number]} parts than it holds")
        if len(parts) == len(has):
            return parts
        left = iter(parts)
        return [next(left) if each else b"" for each in has]

    def content(self, frame: bytes, bytes_max: int) -> bytes:
        """What a frame beside the parts holds. Raises `ZstdError` where it does not open."""
        return self._decompress(frame, max_output_size=bytes_max)

    def joined(self, pack: Pack, number: int) -> bytes:
        """All open parts of one kind, one after the other. Raises `Altered` like `events`."""
        frame, size = pack.frames[number], sum(pack.lengths[number])
        if not frame and not size:
            return b""
        try:
            # Before it is opened: what was altered must not ask for all memory.
            if zstandard.frame_content_size(frame) != size:
                raise Altered(f"the {PART_NAMES[number]} frame of a pack has another length")
            return self._decompress(frame)
        except zstandard.ZstdError as error:
            raise Altered(f"the {PART_NAMES[number]} frame of a pack does not open") from error

    def _column(self, pack: Pack, kind: int) -> Iterator[bytes]:
        return iter(_pieces(self.joined(pack, kind), pack.lengths[kind]))


def _pick(pack: Pack, cut: tuple[Sequence[bytes], Sequence[Sequence[int]]], place: int) -> Opened:
    """One event, of the joined parts of each kind and where each of them ends."""
    texts, ends = cut
    before, mask = pack.masks[:place], pack.masks[place]
    # How many parts of each kind, salts and digests come before: few masks are different.
    counts = [(one, before.count(one)) for one in set(before)]
    taken = [sum([n for one, n in counts if one >> number & 1]) for number in _KINDS]
    gone = sum([n * len(_OPEN[one >> 4]) for one, n in counts]) * DIGEST_BYTES
    salt = sum(taken) * SALT_BYTES
    numbers, erased = _OPEN[mask & 15], _OPEN[mask >> 4]
    try:
        parts = [
            texts[number][ends[number][taken[number]] : ends[number][taken[number] + 1]]
            for number in numbers
        ]
    except IndexError as error:
        raise Altered("a pack holds fewer parts than its masks name") from error
    salts = _chunks(pack.salts[salt : salt + SALT_BYTES * len(numbers)], SALT_BYTES)
    digests = _chunks(pack.digests[gone : gone + DIGEST_BYTES * len(erased)], DIGEST_BYTES)
    return Opened(
        kind=pack.kinds[place : place + 1],
        parts=tuple(zip(numbers, salts, parts, strict=True)),
        erased=tuple(zip(erased, digests, strict=True)),
    )


def _pieces(text: bytes, lengths: Sequence[int]) -> list[bytes]:
    ends = accumulate(lengths)
    return [text[end - length : end] for length, end in zip(lengths, ends, strict=True)]


def _chunks(text: bytes, size: int) -> Iterator[bytes]:
    return (text[at : at + size] for at in range(0, len(text), size))


_PACKS = msgspec.msgpack.Decoder(list[Pack])
_ENCODE = msgspec.msgpack.Encoder().encode


def encode_packs(packs: Sequence[Pack]) -> bytes:
    """The bytes of a journal block's packs."""
    return _ENCODE(packs)


def decode_packs(text: bytes) -> list[Pack]:
    """Packs of a journal block. Raises `Altered` for anything else."""
    try:
        return _PACKS.decode(text)
    except msgspec.MsgspecError as error:
        raise Altered("a journal block does not read as packs") from error
