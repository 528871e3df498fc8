"""Which events say what a search asks for: words in a row in one value, compared as `query.words`."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sealog.archive import texts, word_blooms
from sealog.event.packs import Opened
from sealog.query.words import WORD_CHARS_MAX, in_ascii, spread, words

# In no UTF-8: it stands between parts where their lengths may change.
_BETWEEN = b"\xff"
_APART = word_blooms.APART[:-1] + b"\0"
_SMALL = np.uint8(0x20)
_COMPARED_AT_ONCE = 2


class Wording:
    """Words that follow each other in one value of an event; with `prefix` the last may go on.

    `asked` is one or more words as `words.words` gives them.
    """

    def __init__(self, asked: Sequence[str], *, prefix: bool = False) -> None:
        assert asked
        self.hashes = word_blooms.hashes_of(asked[:-1] if prefix else asked)
        """Whoever says it has all of these in its row's `word_blooms` filter. Of a word that may go
        on there is none: without any, every row is a candidate."""
        self._phrase = f" {' '.join(asked)}" + ("" if prefix else " ")
        # Those that stand in fewest events first, as far as one can tell.
        self._words = sorted(set(asked), key=lambda word: (word.isascii(), -len(word)))
        self._is_ascii = self._words[0].isascii()
        self._known: dict[str, bool] = {}
        self._pattern = _pattern(asked, prefix=prefix) if self._is_ascii else None

    def holds(self, opened: Opened) -> bool:
        """Whether this event says it in one of its open parts."""
        return any(self._may_say(part) and self._says(part) for _, _, part in opened.parts)

    def places(
        self, masks: bytes, lengths: Sequence[Sequence[int]], parts: Sequence[bytes]
    ) -> list[int]:
        """The places of a pack's events that say it, ascending.

        `masks` and `lengths` as in `Pack`; `parts`: of each kind all open parts, joined.
        """
        found: set[int] = set()
        for number, text in enumerate(parts):
            near = self._near(text, lengths[number]) if text else []
            if near:
                owners = [place for place, mask in enumerate(masks) if mask >> number & 1]
                pieces = list(_cut(text, lengths[number]))
                for nth in near:
                    if owners[nth] not in found and self._says(pieces[nth]):
                        found.add(owners[nth])
        return sorted(found)

    def _says(self, part: bytes) -> bool:
        text = texts.searched(part)
        if self._pattern is not None and text.isascii() and not texts.escapes(text):
            said_all = texts.plain_values(texts.unescaped(text))
            return self._pattern.search(said_all.lower()) is not None
        for value in texts.values(text):
            said = words(texts.unescaped(value).decode("utf-8", "replace"))
            if self._phrase in f" {' '.join(said)} ":
                return True
        return False

    def _may_say(self, text: bytes) -> bool:
        is_plain = text.isascii() and not texts.escapes(text)
        if not self._is_ascii:
            return not is_plain
        if not is_plain and self._is_hidden(text):
            return True
        small = text.lower()
        return all(word.encode() in small for word in self._words)

    def _near(self, text: bytes, lengths: Sequence[int]) -> list[int]:
        """The places, among the parts of one kind, of those that may say it, and of few others."""
        is_plain = text.isascii() and not texts.escapes(text)
        if not self._is_ascii and is_plain:
            return []
        if self._is_ascii and (is_plain or not self._is_hidden(text)):
            return self._all_in(text, lambda: np.cumsum(lengths), {})
        clear = texts.unescaped(_BETWEEN.join(_cut(text, lengths)))
        ends = np.flatnonzero(np.frombuffer(clear + _BETWEEN, np.uint8) == _BETWEEN[0])
        return self._all_in(clear, lambda: ends, self._foreign(clear, ends))

    def _is_hidden(self, text: bytes) -> bool:
        """Whether characters beyond ASCII may stand for letters of the words."""
        known = self._known
        for char in texts.foreign_characters(text):
            if char not in known:
                known[char] = any(
                    letters in word for letters in in_ascii(char) for word in self._words
                )
            if known[char]:
                return True
        return False

    def _all_in(
        self, text: bytes, ends: Callable[[], NDArray[np.intp]], foreign: dict[str, set[int]]
    ) -> list[int]:
        """Which parts hold every word, maybe within another. `ends`: where each part ends."""
        # Sets a bit that only capitals lack, and signs: more may be found, nothing is missed.
        small = np.frombuffer(text, np.uint8) | _SMALL
        near: set[int] | None = None
        for word in self._words:
            holding = foreign.get(word, set())
            spots = _spots(small, word.encode()) if word.isascii() else ()
            if len(spots):
                holding.update(np.unique(np.searchsorted(ends(), spots, "right")).tolist())
            near = holding if near is None else near & holding
            if not near:
                return []
        return sorted(near or ())

    def _foreign(self, clear: bytes, ends: NDArray[np.intp]) -> dict[str, set[int]]:
        """Which parts hold a word in a piece with more than ASCII: any letter may be written so."""
        folded = b"\0" + clear.translate(_APART) + b"\0"
        found: dict[str, set[int]] = {}
        for piece in word_blooms.foreign(folded):
            said = spread(piece.decode("utf-8", "replace"))
            for word in self._words:
                if any(word in one for one in said):
                    found.setdefault(word, set()).update(_holding(folded, piece, ends))
        return found


def _pattern(asked: Sequence[str], *, prefix: bool) -> re.Pattern[bytes] | None:
    """The phrase in `texts.plain_values`, in small letters; None where it could be mistaken."""
    if "null" in asked or (prefix and "null".startswith(asked[-1])):
        return None
    between, going_on = '[^0-9a-z"]++', "[0-9a-z]*+"
    each = [word + going_on if len(word) == WORD_CHARS_MAX else word for word in asked]
    end = "" if prefix else "(?![0-9a-z])"
    return re.compile(f"(?<![0-9a-z]){between.join(each)}{end}".encode())


def _holding(folded: bytes, piece: bytes, ends: NDArray[np.intp]) -> Iterator[int]:
    between = b"\0" + piece + b"\0"
    at = folded.find(between)
    while at >= 0:
        yield int(np.searchsorted(ends, at, "right"))
        at = folded.find(between, at + len(piece) + 1)


def _spots(text: NDArray[np.uint8], key: bytes) -> NDArray[np.intp]:
    """Every place where the key begins; three times as quick as `bytes.find` where it is rare."""
    count = max(len(text) - len(key) + 1, 0)
    found = text[:count] == key[0]
    for at in range(1, min(_COMPARED_AT_ONCE, len(key))):
        found &= text[at : at + count] == key[at]
    spots = np.flatnonzero(found)
    for at in range(_COMPARED_AT_ONCE, len(key)):
        if not len(spots):
            break
        spots = spots[text[spots + at] == key[at]]
    return spots


def _cut(text: bytes, lengths: Iterable[int]) -> Iterator[bytes]:
    at = 0
    for length in lengths:
        yield text[at : at + length]
        at += length
