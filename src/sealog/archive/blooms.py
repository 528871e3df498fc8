"""Reading the bloom filters of Parquet files: pyarrow writes them, but cannot ask them.

Parquet specification, "Bloom Filter": split blocks of 32 bytes, xxHash64 with seed 0 over a value's
plain encoding, which for text and fixed bytes is the bytes themselves.
"""

from typing import Any

from sealog.errors import Altered

_MASK = (1 << 64) - 1
_P1, _P2, _P3, _P4, _P5 = (
    0x9E3779B185EBCA87,
    0xC2B2AE3D27D4EB4F,
    0x165667B19E3779F9,
    0x85EBCA77C2B2AE63,
    0x27D4EB2F165667C5,
)
_SALTS = (
    0x47B6137B,
    0x44974D91,
    0x8824AD5B,
    0xA2B7289D,
    0x705495C7,
    0x2DF1424B,
    0x9EFC4947,
    0x5C6BFB31,
)
_WORDS = tuple([(32 * word, salt) for word, salt in enumerate(_SALTS)])
BLOCK_BYTES = 32

# The thrift header after its length: algorithm BLOCK, hash XXHASH, UNCOMPRESSED, stop.
_HEADER_END = bytes.fromhex("1c1c00001c1c00001c1c000000")


def places_of(metadata: Any) -> dict[str, tuple[int, int]]:
    """Column → where in a file of one row group its filter stands: begin and length.

    `metadata` is what pyarrow read of the file's footer.
    """
    group = metadata.row_group(0)
    return {
        column.path_in_schema: (column.bloom_filter_offset, column.bloom_filter_length)
        for column in map(group.column, range(metadata.num_columns))
        if column.bloom_filter_offset is not None
    }


def bits_of(bloom: bytes) -> bytes:
    """The blocks of a filter as it stands in a file. Raises `Altered` unless pyarrow wrote it."""
    size, at = _varint(bloom)
    if bloom[:1] != b"\x15" or bloom[at : at + len(_HEADER_END)] != _HEADER_END:
        raise Altered("a bloom filter has an unknown header")
    bits = bloom[at + len(_HEADER_END) :]
    if len(bits) % BLOCK_BYTES or len(bits) != size >> 1 or not bits:
        raise Altered("a bloom filter has another length")
    return bits


def may_hold(bits: bytes, hashed: int) -> bool:
    """Whether a filter's blocks may hold the value with this `hash64`."""
    at = ((hashed >> 32) * (len(bits) // BLOCK_BYTES) >> 32) * BLOCK_BYTES
    block = int.from_bytes(bits[at : at + BLOCK_BYTES], "little")
    low = hashed & 0xFFFFFFFF
    for word, salt in _WORDS:  # noqa: SIM110 - asked of every segment, and a generator costs more
        if not block >> (word + ((low * salt & 0xFFFFFFFF) >> 27)) & 1:
            return False
    return True


def _varint(bloom: bytes) -> tuple[int, int]:
    """The zigzag number after the first byte, still doubled, and where it ends."""
    value = 0
    for place, byte in enumerate(bloom[1:6]):
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that another byte follows
            return value, place + 2
    raise Altered("a bloom filter has no length")


def hash64(text: bytes) -> int:
    """xxHash64 with seed 0. Slow for long text; columns hold short values."""
    size = len(text)
    at = 0
    if size >= BLOCK_BYTES:
        lanes = [(_P1 + _P2) & _MASK, _P2, 0, -_P1 & _MASK]
        while at + BLOCK_BYTES <= size:
            for lane in range(4):
                word = int.from_bytes(text[at : at + 8], "little")
                lanes[lane] = _round(lanes[lane], word)
                at += 8
        mixed = sum(map(_rotate, lanes, (1, 7, 12, 18))) & _MASK
        for lane_value in lanes:
            mixed = ((mixed ^ _round(0, lane_value)) * _P1 + _P4) & _MASK
    else:
        mixed = _P5
    return _avalanche(_tail(mixed + size & _MASK, text[at:]))


def _tail(mixed: int, text: bytes) -> int:
    at = 0
    while at + 8 <= len(text):
        mixed ^= _round(0, int.from_bytes(text[at : at + 8], "little"))
        mixed = (_rotate(mixed, 27) * _P1 + _P4) & _MASK
        at += 8
    if at + 4 <= len(text):
        mixed ^= int.from_bytes(text[at : at + 4], "little") * _P1 & _MASK
        mixed = (_rotate(mixed, 23) * _P2 + _P3) & _MASK
        at += 4
    for byte in text[at:]:
        mixed ^= byte * _P5 & _MASK
        mixed = _rotate(mixed, 11) * _P1 & _MASK
    return mixed


def _avalanche(mixed: int) -> int:
    mixed = (mixed ^ mixed >> 33) * _P2 & _MASK
    mixed = (mixed ^ mixed >> 29) * _P3 & _MASK
    return mixed ^ mixed >> 32


def _rotate(value: int, by: int) -> int:
    return (value << by | value >> (64 - by)) & _MASK


def _round(lane: int, word: int) -> int:
    return _rotate((lane + word * _P2) & _MASK, 31) * _P1 & _MASK
