"""Whether any object in a text has a key twice, at any level: exact, a piece of a batch at a time."""

from collections.abc import Sequence
from typing import Any

import msgspec

_LINES = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()
# What is decoded at once: little enough to stay in the processor's cache (measured: a third less).
_PIECE_BYTES = 30_000

Values = dict[str, Any]
"""An object as Python values."""


def values_of(lines: Sequence[bytes]) -> list[Values | None] | None:
    r"""The values of lines of strict JSON, an object each; None unless surely no keys are equal.

    A line has values only where encoding them gives its bytes again: every value in it may then
    stand for its token. For such a line that is also the proof that its keys differ, at any level.
    Of the others a decoder keeps one of several equal keys, and with every other goes a colon; only
    an escaped one (`\u003a`) could come to take its place. None also for what the decoder refuses
    although it is JSON, like a number past float: then the slow reader must look.
    """
    found: list[Values | None] = []
    for piece in _pieces(lines):
        text = b"\n".join(piece)
        try:
            decoded = _LINES.decode_lines(text)
            kept = _ENCODER.encode_lines(decoded)
        except (msgspec.DecodeError, RecursionError):
            return None
        if len(decoded) != len(piece):
            return None
        # Every line that is encoded ends with a newline, the last one too.
        if kept[:-1] == text:
            found += decoded
        elif b"\\u003" in text or text.count(b":") != kept.count(b":"):
            return None
        else:
            encoded = kept.split(b"\n")
            found += [
                values if again == line else None
                for values, again, line in zip(decoded, encoded, piece, strict=False)
            ]
    return found


def _pieces(lines: Sequence[bytes]) -> list[Sequence[bytes]]:
    if len(lines) == 1:
        return [lines]
    size = max(1, _PIECE_BYTES * len(lines) // (sum(map(len, lines)) + 1))
    return [lines[at : at + size] for at in range(0, len(lines), size)]
