"""One segment, also as somebody would leave it who makes every digest fit."""

import hashlib
import random

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.verify.made import event, statement

from sealog.archive import blooms, columns, segments, tables
from sealog.archive.columnwise import Columns
from sealog.archive.joining import words_of
from sealog.archive.segments import Parts
from sealog.event.packs import Packer, Unpacker
from sealog.verify import resting
from sealog.verify.logs import Log
from sealog.verify.moment import SegmentRow
from sealog.verify.report import Findings
from sealog.verify.resting import Listed
from sealog.verify.sorting import Sorting

EVENTS = [event(at=number) for number in range(300)]
ENTRIES = b"".join(one.entry() for one in EVENTS)


def packs_of(events, first=0):
    packer = Packer()
    return [
        packer.pack(events[at : at + 128], range(first + at, first + min(at + 128, len(events))))
        for at in range(0, len(events), 128)
    ]


def written(path, events=EVENTS, *, rows=None, kept="default"):
    """A segment of these events; `rows` in place of what their parts say."""
    segment = segments.write(
        path / kept,
        tenant=1,
        kept=kept,
        columns=Columns.of(rows or map(columns.row_of, range(len(events)), events)),
        packs=packs_of(events),
    )
    return Listed(segment, f"archive/x/{kept}")


def checked(one, entries=ENTRIES):
    """Where something is wrong, and what the events were sorted into."""
    findings, steps = Findings("acme"), []
    log = Log(one.segment.folder, "log", 0, entries)
    sorting = Sorting(log.size, findings)
    resting.check(one, log, sorting, findings, steps.append)
    faults = [(fault.where, fault.index) for fault in findings.faults]
    return faults, sorting.settle("entries")


def refit(one):
    """Note the files as they are now, as if they had been cut so."""
    changes = {}
    for name, path in (("columns", one.segment.columns_path), ("parts", one.segment.parts_path)):
        content = path.read_bytes()
        changes[f"{name}_bytes"] = len(content)
        changes[f"{name}_digest"] = hashlib.sha256(content).digest()
    return msgspec.structs.replace(one, segment=msgspec.structs.replace(one.segment, **changes))


def test_a_segment_that_is_well_has_no_fault(tmp_path):
    faults, counts = checked(written(tmp_path))

    assert faults == []
    assert counts.opened == 300


@pytest.mark.parametrize(
    "change",
    [
        {"at_us": 5},
        {"ingested_us": 5},
        {"action": "user.logout"},
        {"alias": "user.logout"},
        {"category": "iam"},
        {"type": "start"},
        {"outcome": "failure"},
        {"actor_id": "eve"},
        {"actor_name": ""},
        {"actor_email": "eve@example.org"},
        {"actor_kind": ""},
        {"address": "203.0.113.9"},
        {"target": "bob"},
        {"session": "s"},
        {"dialect": "closer"},
        {"status": 200},
        {"finding": True},
        {"id": bytes(8)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_column_is_held_against_the_parts(tmp_path, change):
    """The file's digest fits, and only the column lies: a search would find, or miss, the event."""
    rows = list(map(columns.row_of, range(300), EVENTS))
    rows[150] = msgspec.structs.replace(rows[150], **change)

    faults, counts = checked(written(tmp_path, rows=rows))

    assert ("archive/x/default/0-299-0.parquet", 150) in faults
    assert counts.opened == 300


def test_every_column_there_is_was_tried():
    marks = test_every_column_is_held_against_the_parts.pytestmark
    tried = {next(iter(change)) for mark in marks for change in mark.args[1]}

    assert tried | {"index"} == set(columns.Row.__struct_fields__)


def test_columns_beyond_one_comparison_stand_in_their_place(tmp_path, monkeypatch):
    monkeypatch.setattr(resting, "ROWS_AT_ONCE", 100)
    rows = list(map(columns.row_of, range(300), EVENTS))
    rows[299] = msgspec.structs.replace(rows[299], outcome="failure")

    faults, _ = checked(written(tmp_path, rows=rows))

    assert faults == [("archive/x/default/0-299-0.parquet", 299)]


def test_parts_that_are_others_hash_into_other_entries(tmp_path):
    others = [*EVENTS[:7], event(at=7), *EVENTS[8:]]

    faults, counts = checked(written(tmp_path, others))

    assert faults == [("archive/x/default/0-299-0.arrow", 7)]
    assert counts.opened == 299
    assert counts.unexplained == 1


def test_events_belong_in_the_class_of_their_type(tmp_path):
    """Statements never expire, so they may not stand where the rest does; nor the rest there."""
    word = statement("sealog.key")

    assert checked(written(tmp_path, [word]), word.entry())[0] == [
        ("archive/x/default/0-0-0.arrow", 0)
    ]
    assert checked(written(tmp_path, kept="statements"))[0][0] == (
        "archive/x/statements/0-299-0.arrow",
        0,
    )
    assert checked(written(tmp_path, [word], kept="statements"), word.entry())[0] == []


@pytest.mark.parametrize("name", ["first", "last", "count", "first_us", "last_us"])
def test_a_row_that_says_other_than_the_events_is_named(tmp_path, name):
    one = written(tmp_path)
    before = one.segment.columns_path, one.segment.parts_path
    segment = msgspec.structs.replace(one.segment, **{name: getattr(one.segment, name) + 1})
    for old, new in zip(before, (segment.columns_path, segment.parts_path), strict=True):
        old.rename(new)

    faults, _ = checked(Listed(segment, one.name))

    assert faults


def test_a_file_that_is_not_what_was_cut_is_read_no_further(tmp_path):
    one = written(tmp_path)
    one.segment.parts_path.write_bytes(b"\xff" * one.segment.parts_bytes)

    faults, counts = checked(one)

    assert faults == [("archive/x/default/0-299-0.arrow", 0)]
    assert counts.unexplained == 300


def test_packs_stand_in_the_order_of_their_indexes(tmp_path):
    segment = segments.write(
        tmp_path,
        tenant=1,
        kept="default",
        columns=Columns.of(map(columns.row_of, range(300), EVENTS)),
        packs=packs_of(EVENTS)[::-1],
    )

    faults, _ = checked(Listed(segment, "archive/x/default"))

    assert ("archive/x/default/0-299-0.arrow", 128) in faults


def test_columns_of_another_shape_are_named(tmp_path):
    one = written(tmp_path)
    fewer = tables.columns_file(Columns.of(map(columns.row_of, range(299), EVENTS)))
    one.segment.columns_path.write_bytes(fewer)

    faults, _ = checked(refit(one))

    assert faults[0] == ("archive/x/default/0-299-0.parquet", 0)


@pytest.mark.parametrize("wrong", [False, True])
def test_words_are_held_against_the_events(tmp_path, wrong):
    """A search for a word would not look where they leave it out."""
    one = written(tmp_path)
    parts = Parts(one.segment)
    rows = [parts.values(row) for row in range(parts.rows)]
    rows = [tables.with_words(row, words_of(row, Unpacker())) for row in rows]
    if wrong:
        rows[1] = tables.with_words(rows[1], rows[0][tables.WORDS])
    with pa.ipc.new_file(one.segment.parts_path, tables.PARTS) as writer:
        writer.write_batch(tables.parts_batch(rows))

    faults, counts = checked(refit(one))

    assert faults == ([("archive/x/default/0-299-0.arrow", 128)] if wrong else [])
    assert counts.opened == 300


@pytest.mark.parametrize("name", ["actor_id", "actor_name", "address", "id"])
def test_bloom_filters_are_held_against_the_columns(tmp_path, name):
    """Every column is as the parts say, and yet a search for one of its values would not look."""
    one = written(tmp_path)
    content = bytearray(one.segment.columns_path.read_bytes())
    begin, length = blooms.places_of(pq.read_metadata(one.segment.columns_path))[name]
    bits = len(blooms.bits_of(bytes(content[begin : begin + length])))
    content[begin + length - bits : begin + length] = bytes(bits)
    one.segment.columns_path.write_bytes(content)

    faults, counts = checked(refit(one))

    assert faults == [("archive/x/default/0-299-0.parquet", 0)]
    assert counts.opened == 300


@pytest.mark.parametrize("which", ["columns", "parts"])
def test_damage_that_every_digest_fits_is_named_or_harms_nothing(tmp_path, which):
    """Whatever the libraries make of it: no traceback; and what opens is what was sealed."""
    one = written(tmp_path, EVENTS[:40])
    entries = ENTRIES[: 33 * 40]
    path = one.segment.columns_path if which == "columns" else one.segment.parts_path
    content = path.read_bytes()
    random_bytes = random.Random(4)
    for _ in range(400):
        at = random_bytes.randrange(len(content))
        damaged = bytearray(content)
        damaged[at : at + 3] = random_bytes.randbytes(3)
        path.write_bytes(damaged[: len(content)])
        faults, counts = checked(refit(one), entries)
        assert faults or counts.opened == 40
    for length in range(0, len(content), 97):
        path.write_bytes(content[:length])
        assert checked(refit(one), entries)[0]


def test_a_row_holds_while_none_of_its_values_changed(tmp_path):
    from sealog.storage.tables import row_digest

    segment = written(tmp_path).segment
    values = [getattr(segment, name) for name in segment.__struct_fields__[:12]]
    row = SegmentRow(*values, None, None, row_digest("segments", *values))
    expiring = SegmentRow(*values, 5, 6, row_digest("segments", *values, 5, 6))

    assert resting.row_holds(row)
    assert resting.row_holds(expiring)
    assert not resting.row_holds(row._replace(generation=1))
    assert not resting.row_holds(row._replace(first_ingested_us=5, last_ingested_us=6))
    assert not resting.row_holds(expiring._replace(last_ingested_us=7))
    assert resting.listed(row, tmp_path / "x").columns == "archive/x/default/0-299-0.parquet"


def test_missing_files_are_told_apart(tmp_path):
    one = written(tmp_path)
    assert resting.missing(one) == []

    one.segment.parts_path.unlink()

    assert resting.missing(one) == ["archive/x/default/0-299-0.arrow"]
    assert checked(one)[0][0] == ("archive/x/default/0-299-0.arrow", 0)
