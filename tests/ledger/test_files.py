import pytest
from tests.ledger.whole import check_whole_log, entries_of, leaves_of, sha256, tree_root
from tests.merkle.vectors import TLOG

from sealog.errors import Missing, Truncated
from sealog.ledger import files as module
from sealog.ledger.files import LogFiles, LogReader, Tile, bytes_past, parse_tile
from sealog.merkle.checks import verify_consistency, verify_inclusion

CROSSINGS = [255, 256, 257, 65_535, 65_536, 65_537]


@pytest.fixture(scope="module")
def many():
    return entries_of(70_000)


@pytest.fixture(scope="module")
def large(many, tmp_path_factory):
    """A log of the 70,000 entries that the specification's example has; for reading only."""
    files = LogFiles(tmp_path_factory.mktemp("logs") / "large")
    files.append(many)
    return files


@pytest.fixture
def files(tmp_path):
    return LogFiles(tmp_path / "logs" / "00112233445566778899aabbccddeeff")


@pytest.mark.parametrize("size", [0, 1, *CROSSINGS])
def test_files_hold_the_entries_and_every_level_above(files, many, size):
    files.append(many[: size * 33])

    check_whole_log(files, many[: size * 33])


def test_batches_of_any_size_give_the_same_files(files, many):
    for first, last in [(0, 1), (1, 255), (255, 256), (256, 257), (257, 1000), (1000, 1000)]:
        files.append(many[first * 33 : last * 33])
        check_whole_log(files, many[: last * 33])


@pytest.mark.parametrize("size", CROSSINGS)
def test_a_log_taken_up_again_goes_on_as_before(tmp_path, many, size):
    LogFiles(tmp_path).append(many[: size * 33])

    again = LogFiles(tmp_path, size)
    again.append(many[size * 33 : (size + 300) * 33])

    check_whole_log(again, many[: (size + 300) * 33])


@pytest.mark.parametrize("size", [0, 1, *CROSSINGS])
def test_cutting_back_and_filling_again_gives_identical_bytes(files, many, size):
    files.append(many[: 66_000 * 33])

    files.cut_back(size)
    check_whole_log(files, many[: size * 33])

    files.append(many[size * 33 : 66_000 * 33])
    check_whole_log(files, many[: 66_000 * 33])


def test_what_a_crash_left_beyond_the_synced_size_is_unfinished(files, many):
    files.append(many[: 600 * 33])
    with (files.folder / "entries").open("ab") as torn:
        torn.write(b"\x01" * 20)
    with (files.folder / "hashes-1").open("ab") as torn:
        torn.write(b"\x01" * 5)

    assert bytes_past(files.folder, 600) == {"entries": 20, "hashes-1": 5}
    assert bytes_past(files.folder, 500) == {"entries": 3320, "hashes-1": 37}

    files.cut_back(500)
    check_whole_log(files, many[: 500 * 33])
    assert bytes_past(files.folder, 500) == {}


@pytest.mark.parametrize("name", ["entries", "hashes-1"])
def test_a_file_shorter_than_the_synced_size_is_truncated(files, many, name):
    files.append(many[: 600 * 33])
    path = files.folder / name
    path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(Truncated, match=name):
        bytes_past(files.folder, 600)
    with pytest.raises(Truncated, match=name):
        files.cut_back(600)


@pytest.mark.parametrize("name", ["entries", "hashes-1"])
def test_a_missing_file_is_truncated(files, many, name):
    files.append(many[: 600 * 33])
    (files.folder / name).unlink()

    with pytest.raises(Truncated, match=name):
        bytes_past(files.folder, 600)
    with pytest.raises(Truncated, match=name):
        LogFiles(files.folder, 600)


def test_nothing_is_cut_where_a_file_is_too_short(files, many):
    files.append(many[: 600 * 33])
    (files.folder / "hashes-1").write_bytes(b"")
    before = (files.folder / "entries").read_bytes()

    with pytest.raises(Truncated):
        files.cut_back(300)

    assert (files.folder / "entries").read_bytes() == before
    assert files.size == 600


def test_a_write_that_failed_can_be_tried_again(files, many, monkeypatch):
    """A full disk: part of the batch is there, none of it counts."""
    files.append(many[: 200 * 33])
    write = module.os.pwrite

    def full(number, content, at):
        write(number, content[:100], at)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "pwrite", full)
    with pytest.raises(OSError, match="No space left"):
        files.append(many[200 * 33 : 600 * 33])
    monkeypatch.undo()

    assert files.size == 200
    assert files.root() == tree_root(leaves_of(many[: 200 * 33]))
    files.append(many[200 * 33 : 600 * 33])
    check_whole_log(files, many[: 600 * 33])


def test_a_write_in_pieces_is_whole(files, many, monkeypatch):
    write = module.os.pwrite
    monkeypatch.setattr(
        module.os, "pwrite", lambda number, content, at: write(number, content[:1000], at)
    )

    files.append(many[: 600 * 33])

    check_whole_log(files, many[: 600 * 33])


def test_no_gap_is_ever_filled_with_zeros(files, many):
    files.append(many[: 10 * 33])
    (files.folder / "entries").write_bytes(b"")

    with pytest.raises(Truncated, match="shorter than the 330 bytes"):
        files.append(many[10 * 33 : 11 * 33])


def test_files_are_the_owner_s_alone(files, many):
    files.append(many[: 256 * 33])

    modes = {path.name: path.stat().st_mode & 0o777 for path in files.folder.iterdir()}
    assert modes == {"entries": 0o600, "hashes-1": 0o600}
    assert files.folder.stat().st_mode & 0o777 == 0o700


def test_no_file_stays_open(files, many):
    """Ten thousand tenants share a limit of open files."""
    before = len(list(module.Path("/proc/self/fd").iterdir()))

    files.append(many[: 300 * 33])
    files.reader().inclusion(17)
    files.cut_back(10)

    assert len(list(module.Path("/proc/self/fd").iterdir())) == before


def test_the_checkpoint_is_kept_as_a_whole(files):
    assert module.read_note(files.folder) is None

    files.keep_checkpoint(b"one\n")
    files.keep_checkpoint(b"two\n")

    assert module.read_note(files.folder) == b"two\n"
    assert [path.name for path in files.folder.iterdir()] == ["checkpoint"]


def test_the_specification_s_example_has_its_tiles(large):
    """70,000 entries: 273 full and one of 112, one full and one of 17, one of 1."""
    reader = large.reader()

    assert len(reader.tile(0, 272)) == 256 * 32
    assert len(reader.tile(1, 0)) == 256 * 32
    for level, number, width in TLOG["tiles_70000"]:
        assert len(reader.tile(level, number, width)) == width * 32
        with pytest.raises(Missing):
            reader.tile(level, number, width + 1)


def test_each_tile_is_the_hashes_of_what_lies_below(large, many):
    reader = large.reader()

    assert reader.tile(0, 5) == b"".join(leaves_of(many[5 * 256 * 33 : 6 * 256 * 33]))
    level_1 = reader.tile(1, 0)
    below = [reader.tile(0, n) for n in range(256)]
    assert level_1 == b"".join(
        tree_root([tile[at : at + 32] for at in range(0, 8192, 32)]) for tile in below
    )
    assert reader.tile(2, 0, 1) == tree_root([level_1[at : at + 32] for at in range(0, 8192, 32)])


def test_a_bundle_gives_each_entry_its_length(large, many):
    bundle = large.reader().bundle(1, 2)

    assert (
        bundle == b"\x00\x21" + many[256 * 33 : 257 * 33] + b"\x00\x21" + many[257 * 33 : 258 * 33]
    )


def test_an_entry_is_read_by_its_index(large, many):
    assert large.reader().entry(69_999) == many[-33:]


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("entry", (300,)),
        ("entry", (-1,)),
        ("entries", (299, 2)),
        ("entries", (5, 0)),
        ("tile", (0, 1, 45)),
        ("tile", (0, 1)),
        ("tile", (0, 2, 1)),
        ("tile", (1, 0, 2)),
        ("tile", (2, 0, 1)),
        ("tile", (63, 0, 1)),
        ("bundle", (1, 45)),
        ("hash_at", (8, 1)),
        ("hash_at", (9, 0)),
        ("inclusion", (300,)),
        ("consistency", (301,)),
        ("consistency", (-1,)),
    ],
    ids=repr,
)
def test_what_lies_past_the_served_size_is_missing(large, method, arguments):
    """Though the files hold far more: nothing is served that no checkpoint covers."""
    with pytest.raises(Missing):
        getattr(LogReader(large.folder, 300), method)(*arguments)


def test_every_past_size_still_has_its_root_and_its_partial_tiles(large, many):
    for size in [0, 1, 2, 255, 256, 257, 511, 512, 4097]:
        reader = LogReader(large.folder, size)
        assert reader.root() == tree_root(leaves_of(many[: size * 33]))
        if size % 256:
            assert reader.tile(0, size // 256, size % 256) == b"".join(
                leaves_of(many[size // 256 * 256 * 33 : size * 33])
            )


@pytest.mark.parametrize("size", [1, *CROSSINGS, 70_000])
def test_paths_from_files_hold(large, many, size):
    reader = LogReader(large.folder, size)
    root = reader.root()

    for index in {0, size // 2, size - 1}:
        leaf = sha256(b"\x00" + reader.entry(index))
        assert verify_inclusion(index, size, leaf, reader.inclusion(index), root)
    for old in {0, 1, size // 3, size - 1, size}:
        old_root = LogReader(large.folder, old).root()
        assert verify_consistency(old, size, reader.consistency(old), old_root, root)


def test_paths_are_written_as_published():
    for key, path in TLOG["paths"].items():
        level, number, width = key.strip("()").split(", ")
        tile = Tile(None if level == "'entries'" else int(level), int(number), int(width))
        assert str(tile) == path
        assert parse_tile(path) == tile


@pytest.mark.parametrize(
    "number", [0, 999, 1000, 999_999, 1_000_000, 1_001_000, 1_234_067, 10**18 - 1]
)
def test_every_number_comes_back_from_its_path(number):
    assert parse_tile(str(Tile(63, number, 17))) == Tile(63, number, 17)


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/1",
        "tile/0/0001",
        "tile/0/x000/001",
        "tile/0/x001",
        "tile/0/001/002",
        "tile/0/x001/x002",
        "tile/0/y001/002",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/entry/000",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000.p/",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/0/٠٠٠",
        "tile/8/0/000",
        "tile/0/" + "x001/" * 7 + "001",
        "",
    ],
    ids=repr,
)
def test_a_path_in_any_other_form_is_missing(path):
    """Only 404 is understood by the tools of others as "there is none"."""
    with pytest.raises(Missing):
        parse_tile(path)


def test_a_resource_is_what_its_path_names(large):
    reader = large.reader()

    assert reader.resource(parse_tile("tile/1/001.p/17")) == reader.tile(1, 1, 17)
    assert reader.resource(parse_tile("tile/entries/273.p/112")) == reader.bundle(273, 112)
