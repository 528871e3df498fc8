"""Whether any object in a text has a key twice, at any level: exact, a piece of a batch at a time."""

import msgspec

_LINES = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()
# What is decoded at once: little enough to stay in the processor's cache (measured: a third less).
_PIECE_BYTES = 30_000


def all_differ(text: bytes) -> bool:
    r"""Whether surely no object in these lines of strict JSON has equal keys.

    A decoder keeps one of several equal keys, and with every other goes a colon; only an escaped one
    (`\u003a`) could come to take its place. False also for what the decoder refuses although it is
    JSON, like a number past float: then the slow reader must look.
    """
    if b"\\u003" in text:
        return False
    at = 0
    while at < len(text):
        end = text.rfind(b"\n", at, at + _PIECE_BYTES) + 1
        if end <= at:
            end = text.find(b"\n", at) + 1 or len(text)
        piece = text[at:end]
        try:
            kept = _ENCODER.encode_lines(_LINES.decode_lines(piece))
        except (msgspec.DecodeError, RecursionError):
            return False
        if piece.count(b":") != kept.count(b":"):
            return False
        at = end
    return True
