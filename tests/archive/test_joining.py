"""Several segments written as one: the same events, the same columns, and nothing decoded."""

from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from tests.archive.made import event, statement

from sealog.archive import joining, segments, tables, word_blooms
from sealog.archive.columns import row_of
from sealog.archive.columnwise import Columns
from sealog.archive.joining import PartsWriter, Unsound, join
from sealog.archive.segments import Parts, Segment
from sealog.event.packs import Opened, Packer, Unpacker
from sealog.storage import files


def _cut(folder: Path, first: int, *packs: list[Opened], step: int = 1) -> Segment:
    """A segment of some packs, whose indexes begin at `first`."""
    events = [one for pack in packs for one in pack]
    indexes = list(range(first, first + step * len(events), step))
    at = 0
    packed = []
    for pack in packs:
        packed.append(Packer().pack(pack, indexes[at : at + len(pack)]))
        at += len(pack)
    return segments.write(
        folder,
        tenant=1,
        kept="default",
        columns=Columns.of(
            [row_of(index, one) for index, one in zip(indexes, events, strict=True)]
        ),
        packs=packed,
    )


def _events(count: int, **more: object) -> list[Opened]:
    return [event(n, actor=f"actor-{n % 7}", rest={"n": n}, **more) for n in range(count)]


def _opened(segment: Segment) -> dict[int, Opened]:
    parts = Parts(segment)
    found: dict[int, Opened] = {}
    for row in range(parts.rows):
        pack = parts.pack(row)
        found |= zip(pack.indexes, Unpacker().events(pack), strict=True)
    return found


def _never() -> None:
    """A pause without a reason to wait."""


def test_the_joined_segment_holds_the_same_events_and_columns(tmp_path: Path):
    one, two = _events(130), _events(5, action="file.delete")
    erased = msgspec.structs.replace(one[3], parts=one[3].parts[:1], erased=((1, b"d" * 32),))
    one[3] = erased
    sources = [_cut(tmp_path, 0, one[:128], one[128:]), _cut(tmp_path, 130, two)]

    joined = join(sources, _never)

    assert joined.name == "0-134-1"
    assert (joined.tenant, joined.kept, joined.count) == (1, "default", 135)
    assert joined.first_us == sources[0].first_us
    assert joined.last_us == sources[0].last_us
    joined.check()
    assert _opened(joined) == dict(enumerate(one + two))
    rows = pq.read_table(joined.columns_path).to_pylist()
    expected = [msgspec.structs.asdict(row_of(n, e)) for n, e in enumerate(one + two)]
    assert rows == expected


def test_each_text_stands_once_in_the_dictionary_of_its_column(tmp_path: Path):
    sources = [_cut(tmp_path, at, _events(20)) for at in (0, 20, 40)]

    table = segments.whole_columns(join(sources, _never))

    assert table.column("action").chunk(0).dictionary.to_pylist() == ["user.login"]
    assert len(table.column("actor_id").chunk(0).dictionary) == 7


def test_indexes_with_gaps_stay_as_they_are(tmp_path: Path):
    sources = [_cut(tmp_path, 5, _events(3), step=2), _cut(tmp_path, 100, _events(2), step=900)]

    joined = join(sources, _never)

    assert sorted(_opened(joined)) == [5, 7, 9, 100, 1000]
    assert Parts(joined).rows == 1


def test_full_packs_are_carried_over_as_they_are_and_small_ones_compressed_together(tmp_path: Path):
    sizes = [128, 96, 40, 50, 60, 10, 100, 5]
    packs = [_events(size) for size in sizes]
    source = _cut(tmp_path, 0, *packs[:4])
    other = _cut(tmp_path, sum(sizes[:4]), *packs[4:])

    joined = Parts(join([source, other], _never))

    held = [len(joined.pack(row).masks) for row in range(joined.rows)]
    assert held == [128, 96, 90, 70, 100, 5]
    assert joined.pack(0) == Parts(source).pack(0)
    assert joined.pack(4).frames == Parts(other).pack(2).frames


def test_packs_of_large_events_are_not_put_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Whoever reads one event opens all of its pack."""
    monkeypatch.setattr(joining, "JOINED_BYTES_MAX", 25_000)
    large = [[event(n, rest={"message": "x" * 10_000})] for n in range(5)]
    packs = [*large, [event(9, rest={"message": "x" * 30_000})], _events(3), _events(4)]
    source = _cut(tmp_path, 0, *packs)

    joined = Parts(join([source, _cut(tmp_path, 13, _events(5))], _never))

    assert [len(joined.pack(row).masks) for row in range(joined.rows)] == [2, 2, 1, 1, 12]


def test_what_is_of_an_older_format_is_not_hidden_in_a_new_segment(tmp_path: Path):
    """Its columns hold other forms of some values; where it stands alone that can be seen."""
    sources = [_cut(tmp_path, at, _events(5)) for at in (0, 5)]
    path = sources[1].parts_path
    rows = [row[: tables.WORDS] + row[-1:] for row in [Parts(sources[1]).values(0)]]
    arrays = [
        pa.array(values, field.type)
        for field, values in zip(tables.PARTS_1, zip(*rows, strict=True), strict=True)
    ]
    with pa.ipc.new_file(path, tables.PARTS_1) as writer:
        writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=tables.PARTS_1))
    sources[1] = msgspec.structs.replace(
        sources[1], parts_bytes=path.stat().st_size, parts_digest=files.digest_of(path)
    )

    with pytest.raises(Unsound, match="is of an older format") as raised:
        join(sources, _never)

    assert raised.value.segment is sources[1]


def test_a_large_file_has_several_batches_and_reads_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """So that memory stays bounded, and the disk is not kept busy for long."""
    monkeypatch.setattr(joining, "BATCH_BYTES", 1_000)
    sources = [_cut(tmp_path, 0, *[_events(100)] * 3), _cut(tmp_path, 300, *[_events(100)] * 3)]

    joined = join(sources, _never)

    parts = Parts(joined)
    assert len(parts._batches) == 6
    assert parts.firsts.tolist() == [0, 100, 200, 300, 400, 500]
    assert [parts.pack(parts.row_of(index)).indexes[0] for index in (0, 99, 450, 599)] == [
        0,
        0,
        400,
        500,
    ]


def test_from_a_certain_size_on_every_pack_names_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Made once, and carried over with the pack."""
    monkeypatch.setattr(segments, "WORDED_EVENTS_MIN", 200)
    made: list[int] = []
    build = word_blooms.build
    monkeypatch.setattr(
        word_blooms, "build", lambda first, texts: made.append(first) or build(first, texts)
    )
    small = join([_cut(tmp_path, at, _events(20)) for at in (0, 20)], _never)
    said = [*_events(110), event(rest={"message": "Rhubarb crumble"})]
    sources = [small, _cut(tmp_path, 40, _events(120)), _cut(tmp_path, 160, said)]

    joined = join(sources, _never)
    again = join([joined, _cut(tmp_path, 271, _events(100))], _never)

    assert Parts(small).values(0)[tables.WORDS] == b""
    assert made == [0, 40, 160, 271]
    for segment, expected in ((joined, [0, 0, 1]), (again, [0, 0, 1, 0])):
        ((words, firsts),) = Parts(segment).words()
        hashes = word_blooms.hashes_of(["rhubarb"])
        assert word_blooms.candidates(words, firsts, hashes).tolist() == expected


def test_statements_are_joined_like_all_else(tmp_path: Path):
    sources = [_cut(tmp_path, 0, [statement()]), _cut(tmp_path, 9, [statement()])]

    assert sorted(_opened(join(sources, _never))) == [0, 9]


def _altered(segment: Segment, path: Path, content: bytes) -> None:
    assert path in (segment.columns_path, segment.parts_path)
    path.write_bytes(content)


def test_a_source_that_is_not_what_was_cut_is_blamed_and_nothing_is_left(tmp_path: Path):
    sources = [_cut(tmp_path, at, _events(20)) for at in (0, 20, 40)]
    hurt = sources[1]
    whole = hurt.parts_path.read_bytes()
    names = {path.name for path in tmp_path.iterdir()}

    for content in (whole[:-1], whole[:100] + b"x" + whole[101:], b""):
        _altered(hurt, hurt.parts_path, content)
        with pytest.raises(Unsound, match=r"20-39-0\.arrow") as raised:
            join(sources, _never)
        assert raised.value.segment is hurt
        assert {path.name for path in tmp_path.iterdir()} == names


def test_columns_that_name_other_events_than_the_parts_are_blamed(tmp_path: Path):
    """Each file may be what was noted, and the two belong to different events."""
    sources = [_cut(tmp_path / "here", 0, _events(5)), _cut(tmp_path / "here", 5, _events(5))]
    other = _cut(tmp_path / "there", 6, _events(5))
    other.columns_path.rename(sources[1].columns_path)
    sources[1] = msgspec.structs.replace(
        sources[1], columns_bytes=other.columns_bytes, columns_digest=other.columns_digest
    )

    with pytest.raises(Unsound, match="hold other events"):
        join(sources, _never)


def test_whatever_a_pause_raises_leaves_nothing_behind(tmp_path: Path):
    sources = [_cut(tmp_path, at, _events(20)) for at in (0, 20)]
    names = {path.name for path in tmp_path.iterdir()}
    calls: list[int] = []
    join(sources, lambda: calls.append(1))
    for path in list(tmp_path.iterdir()):
        if path.name not in names:
            path.unlink()

    for last in range(len(calls)):
        left = [None] * last

        def pause(left: list[None] = left) -> None:
            if not left:
                raise InterruptedError
            left.pop()

        with pytest.raises(InterruptedError):
            join(sources, pause)
        assert {path.name for path in tmp_path.iterdir()} == names


def test_a_writer_writes_what_any_reader_of_arrow_reads(tmp_path: Path):
    packs = [Packer().pack(_events(3), [0, 1, 2]), Packer().pack(_events(2), [3, 4])]
    compress = zstandard.ZstdCompressor().compress

    with PartsWriter(tmp_path / "parts") as writer:
        for pack in packs:
            writer.add(tables.parts_row(pack, compress))

    written = pa.ipc.open_file(tmp_path / "parts").read_all()
    assert written.column("first").to_pylist() == [0, 3]
    assert written.column("count").to_pylist() == [3, 2]
    assert [tables.pack_at(written.to_batches()[0], row).frames for row in (0, 1)] == [
        pack.frames for pack in packs
    ]
