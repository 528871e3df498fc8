"""Compression comes off within limits, whatever was sent."""

import gzip

import pytest
import zstandard

from sealog.errors import Refused, TooLarge, UnsupportedType
from sealog.wire import unpacking
from sealog.wire.unpacking import BODY_BYTES_MAX, unpack

PLAIN = b'{"event":{"action":"login"}}\n' * 1000


def zstd(plain: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(plain)


@pytest.mark.parametrize("encoding", [None, "", "identity", " Identity "])
def test_a_body_without_an_encoding_is_left_as_it_is(encoding):
    assert unpack(PLAIN, encoding) == PLAIN


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("GZIP", gzip.compress), ("zstd", zstd)],
)
def test_what_was_compressed_comes_out_as_it_was(encoding, compress):
    assert unpack(compress(PLAIN), encoding) == PLAIN


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("zstd", zstd)])
def test_members_after_each_other_are_one_body(encoding, compress):
    assert unpack(compress(b"one ") + compress(b"two ") + compress(b"three"), encoding) == (
        b"one two three"
    )


def test_zstd_without_a_content_size_is_read_too():
    """A sender that streams does not know how much will come."""
    stream = zstandard.ZstdCompressor().compressobj()
    body = b"".join([stream.compress(PLAIN), stream.flush()])

    assert unpack(body, "zstd") == PLAIN


def test_zeros_behind_the_last_gzip_member_are_padding():
    assert unpack(gzip.compress(PLAIN) + b"\x00" * 512, "gzip") == PLAIN


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd,gzip", "*"])
def test_other_encodings_and_several_at_once_are_not_taken(encoding):
    with pytest.raises(UnsupportedType) as refusal:
        unpack(PLAIN, encoding)

    assert refusal.value.code == "unsupported-encoding"
    assert encoding in refusal.value.detail


@pytest.mark.parametrize(
    ("encoding", "compress"), [(None, bytes), ("gzip", gzip.compress), ("zstd", zstd)]
)
def test_a_body_at_the_limit_is_taken_and_one_byte_more_is_not(encoding, compress):
    assert len(unpack(compress(b"a" * 5000), encoding, bytes_max=5000)) == 5000
    with pytest.raises(TooLarge) as refusal:
        unpack(compress(b"a" * 5001), encoding, bytes_max=5000)

    assert refusal.value.code == "body-too-large"
    assert "5000 bytes" in refusal.value.detail


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("zstd", zstd)])
def test_the_limit_counts_all_members_together(encoding, compress):
    body = compress(b"a" * 3000) + compress(b"b" * 3000)

    with pytest.raises(TooLarge):
        unpack(body, encoding, bytes_max=5999)


def gzip_bomb() -> bytes:
    """1 GiB of zeros, made a member of 16 MiB at a time."""
    return gzip.compress(bytes(16 << 20)) * 64


def zstd_bomb() -> bytes:
    stream = zstandard.ZstdCompressor().compressobj()
    piece = bytes(16 << 20)
    return b"".join([*(stream.compress(piece) for _ in range(64)), stream.flush()])


@pytest.mark.parametrize(("encoding", "bomb"), [("gzip", gzip_bomb), ("zstd", zstd_bomb)])
def test_a_bomb_is_refused_at_the_limit_by_name(encoding, bomb):
    with pytest.raises(TooLarge) as refusal:
        unpack(bomb(), encoding)

    assert str(BODY_BYTES_MAX) in refusal.value.detail


def test_what_one_piece_can_become_is_bounded():
    """The promise in the docstring: never more than 32 MiB past the limit are held."""
    gzip_ratio_max, zstd_block_bytes_max, zstd_block_header = 1032, 128 << 10, 4

    assert unpacking._GZIP_PIECE_BYTES * gzip_ratio_max <= 32 << 20
    assert unpacking._ZSTD_PIECE_BYTES // zstd_block_header * zstd_block_bytes_max <= 32 << 20


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("zstd", zstd)])
def test_a_thousand_members_are_taken_and_one_more_is_not(encoding, compress):
    assert unpack(compress(b"a") * 1000, encoding) == b"a" * 1000
    with pytest.raises(TooLarge, match="more than 1000 compressed members"):
        unpack(compress(b"a") * 1001, encoding)


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("zstd", zstd)])
@pytest.mark.parametrize("fault", ["truncated", "altered", "not-compressed", "rubbish-behind"])
def test_truncated_and_corrupt_bodies_are_refused(encoding, compress, fault):
    whole = compress(PLAIN)
    body = {
        "truncated": whole[:-9],
        "altered": whole[:4] + b"\xff\xff\xff\xff" + whole[8:20] + b"\x00\x01" + whole[22:],
        "not-compressed": PLAIN,
        "rubbish-behind": whole + b"rubbish",
    }[fault]

    with pytest.raises(Refused) as refusal:
        unpack(body, encoding)

    assert refusal.value.code == "bad-compression"
    assert encoding in refusal.value.detail
