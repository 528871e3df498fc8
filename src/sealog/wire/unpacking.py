"""Compression off, a piece at a time, so that a small body can never become a large one unseen."""

import zlib
from collections.abc import Callable
from typing import Any

from sealog.errors import Refused, TooLarge, UnsupportedType

MIB = 1 << 20
BODY_BYTES_MAX = 32 * MIB
"""A request's body after decompression."""
MEMBERS_MAX = 1_000
"""Gzip members or zstd frames in one body."""

# A byte of gzip becomes 1,032 at most, four of zstd 128 KiB: either piece at most 32 MiB.
_GZIP_PIECE_BYTES = 1 << 14
_ZSTD_PIECE_BYTES = 1 << 10
# A window past this is refused: zstd would otherwise set aside what the sender's header asks for.
_ZSTD_WINDOW_BYTES_MAX = 8 * MIB


def unpack(body: bytes, encoding: str | None, *, bytes_max: int = BODY_BYTES_MAX) -> bytes:
    """The body without its `Content-Encoding`: none, `identity`, `gzip` (also `x-gzip`) or `zstd`.

    Several gzip members or zstd frames after each other are one body. Raises `UnsupportedType` for
    any other encoding and for several at once, `TooLarge` past `bytes_max` (having held 32 MiB
    more than that at most), `Refused` for what is truncated or corrupt.
    """
    name = (encoding or "identity").strip().lower()
    if name in ("", "identity"):
        plain = body
    elif name in ("gzip", "x-gzip"):
        plain = _gunzipped(body, bytes_max)
    elif name == "zstd":
        plain = _unzstd(body, bytes_max)
    else:
        msg = f"content encoding {name!r} is not taken: send gzip, zstd or none, one at a time"
        raise UnsupportedType(msg, code="unsupported-encoding")
    if len(plain) > bytes_max:
        raise _too_large(bytes_max)
    return plain


def _too_large(bytes_max: int) -> TooLarge:
    msg = f"the body is larger than {bytes_max} bytes after decompression"
    return TooLarge(msg, code="body-too-large")


def _inflated(body: bytes, fresh: Callable[[], Any], piece_bytes: int, bytes_max: int) -> bytes:
    """Members one after the other. What one piece can become bounds what is held too much."""
    held: list[bytes] = []
    size = at = 0
    members = 1
    inflate = fresh()
    while at < len(body):
        if inflate.eof:
            # Some senders pad the last member with zeros.
            if body[at] == 0 and not body[at:].strip(b"\x00"):
                break
            members += 1
            if members > MEMBERS_MAX:
                msg = f"the body has more than {MEMBERS_MAX} compressed members"
                raise TooLarge(msg, code="body-too-large")
            inflate = fresh()
        piece = body[at : at + piece_bytes]
        plain = inflate.decompress(piece)
        at += len(piece) - len(inflate.unused_data)
        size += len(plain)
        if size > bytes_max:
            raise _too_large(bytes_max)
        held.append(plain)
    if not inflate.eof:
        raise EOFError
    return b"".join(held)


def _gunzipped(body: bytes, bytes_max: int) -> bytes:
    try:
        return _inflated(
            body, lambda: zlib.decompressobj(16 + zlib.MAX_WBITS), _GZIP_PIECE_BYTES, bytes_max
        )
    except (zlib.error, EOFError) as error:
        raise _corrupt("gzip") from error


def _unzstd(body: bytes, bytes_max: int) -> bytes:
    import zstandard  # noqa: PLC0415 - only where a body is compressed with it

    inflater = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES_MAX)
    try:
        return _inflated(body, inflater.decompressobj, _ZSTD_PIECE_BYTES, bytes_max)
    except (zstandard.ZstdError, EOFError) as error:
        raise _corrupt("zstd") from error


def _corrupt(name: str) -> Refused:
    msg = f"the body is not whole {name}: truncated or corrupt"
    return Refused(msg, code="bad-compression")
