"""The bloom filters that pyarrow writes answer here as the specification says."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sealog.archive import blooms
from sealog.errors import Altered


def _bloom(values: list[bytes], kind: pa.DataType) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.table({"it": pa.array(values, kind)}),
        sink,
        bloom_filter_options={"it": {"ndv": len(values), "fpp": 0.01}},
    )
    file = sink.getvalue()
    column = pq.read_metadata(pa.BufferReader(file)).row_group(0).column(0)
    begin = column.bloom_filter_offset
    return bytes(file[begin : begin + column.bloom_filter_length])


@pytest.mark.parametrize(
    ("text", "hashed"),
    [
        (b"", 0xEF46DB3751D8E999),
        (b"a", 0xD24EC4F1A98C6E5B),
        (b"abc", 0x44BC2CF5AD770999),
        (b"Nobody inspects the spammish repetition", 0xFBCEA83C8A378BF1),
    ],
)
def test_the_hash_is_xxhash64_as_published(text: bytes, hashed: int):
    assert blooms.hash64(text) == hashed


@pytest.mark.parametrize("size", [1, 3, 4, 7, 8, 12, 31, 32, 33, 63, 64, 100, 577])
def test_a_filter_holds_every_value_that_was_written(size: int):
    values = [bytes([nth]) + b"x" * (size - 1) for nth in range(100)]

    bloom = blooms.bits_of(_bloom(values, pa.binary()))

    assert all(blooms.may_hold(bloom, blooms.hash64(value)) for value in values)


def test_a_filter_of_fixed_bytes_rarely_holds_what_was_not_written():
    values = [nth.to_bytes(8, "big") for nth in range(1_000)]

    bloom = blooms.bits_of(_bloom(values, pa.binary(8)))

    absent = range(10_000, 11_000)
    found = sum(blooms.may_hold(bloom, blooms.hash64(n.to_bytes(8, "big"))) for n in absent)
    assert all(blooms.may_hold(bloom, blooms.hash64(value)) for value in values)
    assert found < 50


@pytest.mark.parametrize("damaged", [b"", b"\x15\xff\xff\xff\xff\xff\xff", b"\x16" + bytes(60)])
def test_a_header_of_another_kind_is_altered(damaged: bytes):
    with pytest.raises(Altered):
        blooms.bits_of(damaged)


def test_a_shortened_filter_is_altered():
    bloom = _bloom([b"one", b"two"], pa.binary())

    with pytest.raises(Altered, match="length"):
        blooms.bits_of(bloom[:-1])
