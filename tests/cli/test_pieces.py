import io
from pathlib import Path

import msgspec
import pytest
import zstandard
from tests.cli.made import hit

from sealog.cli import pieces
from sealog.errors import Refused


def cut(content, name="a"):
    return list(pieces.cut(Path(name), io.BytesIO(content)))


def rows(count, size=10):
    return [b'{"n":"%0*d"}' % (size, number) for number in range(count)]


def test_lines_go_a_thousand_a_request():
    records = rows(2_500)

    found = cut(b"\n".join(records))

    assert [(piece.first, piece.count) for piece in found] == [(0, 1000), (1000, 1000), (2000, 500)]
    assert b"".join(piece.body for piece in found).split() == records


def test_a_request_has_a_bounded_size():
    records = rows(10, size=1 << 20)

    found = cut(b"\n".join(records))

    assert max(len(piece.body) for piece in found) <= pieces.BYTES_PER_REQUEST + 10
    assert sum(piece.count for piece in found) == 10


def test_a_line_longer_than_a_request_goes_alone():
    """Whether it is too long is the server's to say."""
    records = [b'{"a":1}', b'{"n":"' + b"x" * (5 << 20) + b'"}', b'{"b":1}']

    assert [piece.count for piece in cut(b"\n".join(records))] == [1, 1, 1]


def test_blank_lines_are_no_records():
    found = cut(b'{"a":1}\n\n \r\n{"b":1}\r\n')

    assert [(piece.body, piece.count) for piece in found] == [(b'{"a":1}\n{"b":1}\n', 2)]


def test_identical_records_are_counted_over_the_whole_file():
    """The position is the request's; the count is the file's."""
    found = cut(b"\n".join([*rows(999), b'{"same":1}', b'{"other":1}', *[b'{"same":1}'] * 2]))

    assert [piece.repeats for piece in found] == [{}, {1: 1, 2: 2}]


def test_a_small_file_of_another_shape_goes_as_it_is():
    """The server counts what is identical in it."""
    envelope = msgspec.json.format(msgspec.json.encode({"hits": {"hits": [hit(1), hit(1)]}}))

    assert [(piece.body, piece.repeats) for piece in cut(envelope)] == [(envelope, {})]


def test_a_large_array_is_cut_between_its_elements():
    records = rows(6, size=1 << 20)

    found = cut(b"[" + b",\n".join(records) + b"]")

    assert len(found) > 1
    assert [one for piece in found for one in msgspec.json.decode(piece.body)] == [
        msgspec.json.decode(record) for record in records
    ]


def test_large_objects_one_after_the_other_are_cut_between_them():
    records = [b'{\n"n":"%0*d"\n}' % (1 << 20, number) for number in range(6)]

    found = cut(b"\n".join(records))

    assert len(found) > 1
    assert sum(piece.count for piece in found) == 6
    assert b"".join(piece.body for piece in found).split() == b"\n".join(records).split()


def test_a_large_array_that_is_broken_goes_whole():
    """What is wrong with it is the server's to say."""
    broken = b"[" + b",".join(rows(6, size=1 << 20)) + b",{"

    [piece] = cut(broken)

    assert broken in piece.body


def test_an_empty_file_is_the_servers_to_refuse():
    assert [piece.body for piece in cut(b"")] == [b""]


def test_frames_of_zstd_follow_each_other():
    """Whatever the sizes: frames smaller and larger than what is read at once."""
    small = [b'{"n":"%04d"}\n' % number for number in range(3_000)]
    frames = [zstandard.compress(b"".join(small)), *map(zstandard.compress, small)]

    found = cut(b"".join(frames), "a.zst")

    assert b"".join(piece.body for piece in found) == b"".join(small) * 2


@pytest.mark.parametrize("suffix", ["gz", "zst", "zstd"])
def test_what_is_not_compressed_at_all_is_refused(suffix):
    with pytest.raises(Refused, match=rf"a\.{suffix} is truncated or corrupt"):
        cut(b'{"a":1}\n', f"a.{suffix}")


def test_a_frame_cut_short_is_said_behind_what_came_before():
    content = zstandard.compress(b"\n".join(rows(600_000)) + b"\n")
    cutting = pieces.cut(Path("a.zst"), io.BytesIO(content[:-9]))

    first = next(cutting)

    assert first.count == 1000
    with pytest.raises(Refused, match="has no end"):
        list(cutting)
