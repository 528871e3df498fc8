"""A Bloom filter over the words of each row of a parts file: which rows may hold a word.

8 bits a word and 5 hashes: about 2.2 % of the rows are named wrongly, none is left out. The first
index of the row is part of each hash. Else common words would take the same bits in every row,
and a word unlucky enough to share them would be found in a tenth of all rows.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sealog.archive import texts
from sealog.query.words import FOLD, WORD_CHARS_MAX, spread

BYTES_PER_WORD = 1
HASHES = 5

Hashes = NDArray[np.uint64]

# Of the text to hash: between words zeros, so that a word's end can be seen in 8 bytes at once.
APART = FOLD.replace(b" ", b"\0")
_BYTES_AT_ONCE = 64_000
"""Arrays for so much of the text stay below the size from which memory is mapped anew."""
_ONES = np.uint64(0x0101010101010101)
_TOPS = np.uint64(0x8080808080808080)
_ONE, _SEVEN, _HALF = np.uint64(1), np.uint64(7), np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_BEYOND_ASCII = 0x80
# Odd numbers without pattern: the golden ratio's, and two of Steele and Vigna's (LXM).
_FIRST = np.uint64(0x9E3779B97F4A7C15)
_NEXT = np.uint64(0xD1342543DE82EF95)
_LAST = np.uint64(0xAF251AF3B0F025B5)


def build(first: int, parts: Sequence[bytes]) -> bytes:
    """The filter of a row whose first index is `first`, one byte per different word.

    `parts`: of each part kind all open parts of the row, joined.
    """
    folded = [text.translate(APART) for text in texts.searchable(parts)]
    folded += [_more_words(text) for text in folded if not text.isascii()]
    hashes = _different(folded)
    size = max(len(hashes) * BYTES_PER_WORD, 1)
    bits = np.zeros(size * 8, np.bool_)
    mixed = _mixed(hashes, np.array([first]))
    bits[_places(mixed, np.uint64(len(bits)))] = True
    return np.packbits(bits, bitorder="little").tobytes()


def hashes_of(words: Iterable[str]) -> Hashes:
    """The hashes to ask for: of different words as `words.words` gives them."""
    return _different(["\0".join(words).encode()])


def candidates(blooms: Any, firsts: NDArray[np.int64], hashes: Hashes) -> NDArray[np.bool_]:
    """Of each row, whether it may hold all of these words. `firsts`: the rows' first indexes.

    `blooms`: a pyarrow array of (large) binary values without nulls; an empty one was not built
    and may hold anything.
    """
    assert len(blooms) == len(firsts)
    ends, content = _values_of(blooms)
    sizes = np.diff(ends)
    rows = np.flatnonzero(sizes)
    for hashed in hashes[:, None]:
        mixed = _mixed(hashed, firsts[rows])
        places = _places(mixed, (sizes[rows] * 8).astype(np.uint64))
        found = content[ends[rows] + (places >> 3)] >> (places & 7).astype(np.uint8) & 1
        rows = rows[found.all(axis=0)]
    mask: NDArray[np.bool_] = sizes == 0
    mask[rows] = True
    return mask


def foreign(folded: bytes) -> set[bytes]:
    """The different pieces between zeros that hold more than ASCII."""
    is_beyond = np.frombuffer(b"\0" + folded, np.uint8) >= _BEYOND_ASCII
    pieces = set()
    end = 0
    for at in np.flatnonzero(is_beyond[1:] > is_beyond[:-1]).tolist():
        if at >= end:
            begin = folded.rfind(b"\0", end, at) + 1 or end
            end = folded.find(b"\0", at)
            if end < 0:
                end = len(folded)
            pieces.add(folded[begin:end])
    return pieces


def _more_words(folded: bytes) -> bytes:
    pieces = (piece.decode("utf-8", "replace") for piece in foreign(folded))
    return "\0".join({word for piece in pieces for word in spread(piece)}).encode()


def _different(texts: Iterable[bytes]) -> Hashes:
    """A hash of 32 bits of every different piece between zeros, in ascending order."""
    found = [np.empty(0, np.uint32)]
    for text in texts:
        at = 0
        while at < len(text):
            end = text.find(b"\0", at + _BYTES_AT_ONCE)
            if end < 0:
                end = len(text)
            found.append(_hashes(text[at:end]))
            at = end
    hashes = np.concatenate(found)
    hashes.sort()
    is_new = np.ones(len(hashes), np.bool_)
    np.not_equal(hashes[1:], hashes[:-1], out=is_new[1:])
    return hashes[is_new].astype(np.uint64)


def _hashes(text: bytes) -> NDArray[np.uint32]:
    """A hash of every piece between zeros, 8 bytes of it at a time."""
    text = b"\0" + text + bytes(WORD_CHARS_MAX)
    is_word = np.frombuffer(text, np.uint8) != 0
    starts = np.flatnonzero(is_word[1:] > is_word[:-1])
    starts += 1
    windows: NDArray[np.uint64] = np.ndarray((len(text) - 7,), "<u8", text, strides=(1,))
    pieces, more = _up_to_zero(windows[starts])
    pieces *= _FIRST
    for at in range(8, WORD_CHARS_MAX, 8):
        if not len(more):
            break
        inner, going_on = _up_to_zero(windows[starts[more] + at])
        sofar = pieces[more]
        pieces[more] = (sofar ^ (sofar >> _HALF) ^ inner) * _NEXT
        more = more[going_on]
    pieces >>= _HALF
    return pieces.astype(np.uint32)


def _up_to_zero(windows: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
    """8 bytes each, cut before the first zero, and the places of those without a zero."""
    # The lowest top bit left is that of the first zero byte (Mycroft's test).
    zeros = windows - _ONES
    zeros &= ~windows
    zeros &= _TOPS
    whole = np.flatnonzero(zeros == 0)
    zeros &= -zeros
    zeros >>= _SEVEN
    zeros -= _ONE
    windows &= zeros
    return windows, whole


def _mixed(hashes: Hashes, firsts: NDArray[np.int64]) -> Hashes:
    """Hashes of words in rows, of many words in one row or of one word in many."""
    mixed = hashes * _FIRST ^ firsts.astype(np.uint64) * _NEXT
    mixed ^= mixed >> _HALF
    mixed *= _LAST
    mixed ^= mixed >> _HALF
    return mixed


def _places(mixed: Hashes, bits: np.uint64 | Hashes) -> NDArray[np.int64]:
    """The bits of each hash: one row for each of the `HASHES`; `bits` is how many there are."""
    step = mixed >> _HALF | _ONE
    steps = np.arange(HASHES, dtype=np.uint64)[:, None] * step
    places: NDArray[np.uint64] = (mixed + steps & _LOW) * bits >> _HALF
    return places.astype(np.int64)


def _values_of(blooms: Any) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Where each value begins and ends, and the bytes they are in."""
    assert blooms.null_count == 0
    if not len(blooms):
        return np.zeros(1, np.int64), np.empty(0, np.uint8)
    _, offsets, content = blooms.buffers()
    width = np.int64 if str(blooms.type).startswith("large") else np.int32
    ends = np.frombuffer(offsets, width)[blooms.offset : blooms.offset + len(blooms) + 1]
    nothing = np.empty(0, np.uint8)
    return ends.astype(np.int64), nothing if content is None else np.frombuffer(content, np.uint8)
