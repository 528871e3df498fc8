"""Decoded text that knows where each of its bytes was written.

A secret may stand under several encodings: JSON in a JSON string, a query in a percent-encoded
query. Rules read the decoded text of a layer; `at` leads back to the bytes of the record, where
the cut is made.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import Self

_ESCAPE = re.compile(
    rb"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(.?))",
    re.DOTALL,
)
_SHORT = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
# `%2541` is an A that was encoded twice: every depth is undone in one pass, so that the work stays
# linear whatever was nested.
_PERCENT = re.compile(rb"%(?:25)*([0-9A-Fa-f]{2})")
_FORM = re.compile(rb"\+|%(?:25)*([0-9A-Fa-f]{2})")
_SURROGATES = range(0xD800, 0xE000)
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}".encode()


COUNTED_BYTES_MAX = 4_096
"""In a longer text places are looked up, or counting would take as long as there are cuts."""


class Layer:
    """One decoding of a span of an outer layer, or the record's own bytes.

    `text` is cut into runs: run k begins at `_begins[k]` in `text` and was written from
    `_written[k]` in the outer layer on. Within a run, one byte is one byte or the run is one
    character whose middle nobody points at. Of a short text in which nothing but quotes was escaped
    no runs are kept: every quote before a byte is one byte more.
    """

    __slots__ = ("_begins", "_outer", "_quote", "_written", "depth", "text")

    def __init__(
        self,
        text: bytes,
        runs: tuple[list[int], list[int]] = ([0], [0]),
        outer: Self | None = None,
        quote: bytes = b'"',
    ) -> None:
        self.text = text
        self.depth: int = 0 if outer is None else outer.depth + 1
        self._begins, self._written = runs
        self._outer = outer
        self._quote = quote

    def at(self, place: int) -> int:
        """Where the byte at `place` of the text begins in the record."""
        layer, outer = self, self._outer
        while outer is not None:
            if layer._begins:
                run = bisect_right(layer._begins, place) - 1
                place = layer._written[run] + place - layer._begins[run]
            else:
                place += layer._written[0] + layer.text.count(b'"', 0, place)
            layer, outer = outer, outer._outer  # noqa: SLF001 - the same class
        return place

    def quoted(self, text: bytes) -> bytes:
        """`text`, which needs no escape itself, in quotes as they are written in this layer."""
        marks, layer = b'"', self
        while layer._outer is not None:
            marks = b"".join(
                layer._quote if mark == b'"' else _written_in(layer._quote, mark)
                for mark in (marks[at : at + 1] for at in range(len(marks)))
            )
            layer = layer._outer
        return marks + text + marks

    def part(self, begin: int, end: int) -> "Layer":
        """A span of this layer as it stands."""
        if begin == 0 and end == len(self.text):
            return self
        layer = Layer(self.text[begin:end], ([0], [begin]), self)
        layer.depth = self.depth  # nothing was decoded
        return layer

    def unescaped(self, begin: int, end: int) -> "Layer":
        """The text of a JSON string whose content stands from `begin` to `end`."""
        if self.text.find(b"\\", begin, end) < 0:
            return Layer(self.text[begin:end], ([0], [begin]), self, b'\\"')
        if end - begin <= COUNTED_BYTES_MAX:
            text = self.text[begin:end].replace(b'\\"', b'"')
            if b"\\" not in text:
                return Layer(text, ([], [begin]), self, b'\\"')
        quoted = self.text[begin:end].split(b'\\"')
        if not any([b"\\" in piece for piece in quoted]):  # noqa: C419 - quicker
            # Nothing but quotes is escaped: a run is what stands before one, and the quote.
            sizes = list(accumulate(map(len, quoted[:-1])))
            begins = [size + nth for nth, size in enumerate(sizes, 1)]
            written = [begin + at + nth for nth, at in enumerate(begins, 1)]
            return Layer(b'"'.join(quoted), ([0, *begins], [begin, *written]), self, b'\\"')
        escapes = (
            (match.start(), match.end(), _character(match))
            for match in _ESCAPE.finditer(self.text, begin, end)
        )
        return self._decoded(begin, end, escapes, b'\\"')

    def unpercented(self) -> "Layer":
        """The text of a form: percent-encoding undone, however often it was applied, `+` a space."""
        escapes = (
            (match.start(), match.end(), bytes([int(match[1] or b"20", 16)]))
            for match in _FORM.finditer(self.text)
        )
        return self._decoded(0, len(self.text), escapes, b"%22")

    def _decoded(
        self, begin: int, end: int, escapes: Iterable[tuple[int, int, bytes]], quote: bytes
    ) -> "Layer":
        pieces: list[bytes] = []
        begins: list[int] = []
        written: list[int] = []
        size, at = 0, begin
        for start, stop, character in escapes:
            if start > at:
                pieces.append(self.text[at:start])
                begins.append(size)
                written.append(at)
                size += start - at
            pieces.append(character)
            begins.append(size)
            written.append(start)
            size += len(character)
            at = stop
        pieces.append(self.text[at:end])
        begins += [size, size + end - at]
        written += [at, end]
        return Layer(b"".join(pieces), (begins, written), self, quote)


def has_percent(text: bytes) -> bool:
    """Whether anything in the text looks percent-encoded."""
    return _PERCENT.search(text) is not None


def _written_in(quote: bytes, mark: bytes) -> bytes:
    return b"\\\\" if mark == b"\\" and quote == b'\\"' else mark


def _character(match: re.Match[bytes]) -> bytes:
    high, low, single, short = match.groups()
    if high is not None:
        pair = ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00
        return chr(0x10000 + pair).encode()
    if single is not None:
        point = int(single, 16)
        return _REPLACEMENT if point in _SURROGATES else chr(point).encode()
    return _SHORT.get(short, short)
