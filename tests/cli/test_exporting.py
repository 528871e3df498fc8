import csv
import io
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest
from tests.archive.made import event, statement
from tests.cli.made import Served, ecs, lines

from sealog.archive.packwise import Piece
from sealog.cli import exporting
from sealog.errors import Altered
from sealog.event.packs import Packer

STATEMENT = {"event": {"action": "sealog.retention", "kind": "state"}}


@pytest.fixture
def acme(sealog, tmp_path):
    """A folder with 1,203 events of acme and one of another."""
    events = [ecs(number, message=f'line one,\nand "two" é {number}') for number in range(1_203)]
    (tmp_path / "a").write_bytes(lines(*events))
    sealog("ingest", "a", "--tenant", "acme")
    sealog("ingest", "-", "--tenant", "other", stdin=lines(ecs(9_999)))
    return events


def test_ndjson_is_every_event_of_the_tenant_in_the_order_of_its_log(sealog, acme):
    """More than one page."""
    ran = sealog("export", "--tenant", "acme")

    found = [msgspec.json.decode(line) for line in ran.out.splitlines()]
    assert [event["sealog"]["index"] for event in found] == list(range(1_203))
    assert [event["message"] for event in found] == [event["message"] for event in acme]
    assert ran.err == ""


def test_csv_is_what_a_reader_of_csv_reads(sealog, acme):
    """RFC 4180: CRLF, quotes doubled, one record a row whatever stands in it."""
    ran = sealog("export", "--tenant", "acme", "--format", "csv", "-o", "out.csv")

    assert (ran.code, ran.out) == (0, "")
    text = Path("out.csv").read_bytes().decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert text.startswith("index,time,ingested,")
    assert text.endswith("\r\n")
    assert len(rows) == 1_203
    assert [row["index"] for row in rows] == [str(index) for index in range(1_203)]
    assert rows[7]["message"] == 'line one,\nand "two" é 7'
    assert rows[7]["id"] == "e-7"
    assert rows[7]["time"] == "2026-10-05T08:00:07.000Z"


def test_no_cell_is_a_formula(sealog, acme):
    """Somebody's name may be `=SUM(A1)`; a spreadsheet must not compute it."""
    ran = sealog("export", "--tenant", "acme", "--format", "csv")

    rows = list(csv.DictReader(io.StringIO(ran.out, newline="")))
    assert {row["actor_name"] for row in rows} == {"'=SUM(A1)"}


def test_parquet_is_what_a_reader_of_parquet_reads(sealog, acme):
    ran = sealog("export", "--tenant", "acme", "--format", "parquet", "-o", "out.parquet")

    table = pq.read_table("out.parquet")
    assert (ran.code, ran.out, ran.err) == (0, "", "1203 events in out.parquet\n")
    assert table.column("index").to_pylist() == list(range(1_203))
    assert table.column("message")[7].as_py() == 'line one,\nand "two" é 7'


def test_an_event_is_one_line_whatever_white_space_was_sent(sealog):
    body = b'{"event":{"action":"a"},"labels":[1,\n\t{"b":\r\n2}]}'
    Path("in.json").write_bytes(body)
    sealog("ingest", "in.json", "--tenant", "acme")

    ran = sealog("export", "--tenant", "acme")

    (line,) = ran.out.splitlines()
    assert msgspec.json.decode(line)["labels"] == [1, {"b": 2}]


def test_an_event_with_a_lone_surrogate_is_exported_as_it_was_sent(sealog):
    body = b'{"event":{"action":"a"},"message":"\\ud800"}\n'
    sealog("ingest", "-", "--tenant", "acme", stdin=body)

    ran = sealog("export", "--tenant", "acme")

    assert ran.code == 0
    assert '"message":"\\ud800"' in ran.out


def test_statements_are_told_from_events_that_only_speak_of_them():
    named = {"event": {"action": "read"}, "message": "sealog.retention is a statement"}

    assert exporting.is_statement(msgspec.json.encode(STATEMENT))
    assert not exporting.is_statement(msgspec.json.encode(named))
    assert not exporting.is_statement(b'{"event":{"action":"user.login"}}')


def test_statements_are_left_out_of_packs(sealog):
    events = [event(1), statement(2), event(3), statement(4)]
    pack = Packer().pack(events, range(4))

    def left(places):
        (one,) = exporting.without_statements(iter([Piece(pack, 0, places)]))
        return list(one.places)

    assert left(None) == [0, 2]
    assert left([1, 2]) == [2]
    assert list(exporting.without_statements(iter([Piece(pack, 0, [1, 3])]))) == []
    whole = Piece(Packer().pack(events[:1], [0]), 0)
    assert list(exporting.without_statements(iter([whole]))) == [whole]


def test_without_statements_all_events_are_still_there(sealog, acme):
    with_them = sealog("export", "--tenant", "acme")

    without = sealog("export", "--tenant", "acme", "--no-statements")

    assert without.out == with_them.out


def test_an_unknown_format_is_a_matter_of_usage(sealog, acme):
    ran = sealog("export", "--tenant", "acme", "--format", "xml")

    assert ran == (2, "", "sealog: --format is one of ndjson, csv, parquet\n")


def test_an_unknown_tenant_is_a_failure(sealog, acme):
    ran = sealog("export", "--tenant", "nobody", "-o", "out")

    assert ran.code == 1
    assert "no such tenant" in ran.err
    assert not Path("out").exists()


def test_half_of_an_export_is_not_left_behind(sealog, acme, monkeypatch):
    real = exporting.without_statements

    def damaged(pieces):
        yield next(real(pieces))
        raise Altered("a segment is not what was written")

    monkeypatch.setattr(exporting, "without_statements", damaged)

    ran = sealog(
        "export", "--tenant", "acme", "--format", "parquet", "--no-statements", "-o", "out"
    )

    assert (ran.code, ran.err) == (1, "sealog: a segment is not what was written\n")
    assert not Path("out").exists()


@pytest.mark.parametrize("form", exporting.FORMATS)
def test_from_a_server_it_is_the_same_file(sealog, acme, tmp_path, form):
    """The feed, page by page, and the packs of the folder: two ways to the same bytes."""
    sealog("export", "--tenant", "acme", "--format", form, "-o", "here")
    served = Served(tmp_path / "sealog-data")
    try:
        where = ("--server", served.url, "--key", served.key)
        ran = sealog("export", "--tenant", "acme", "--format", form, "-o", "there", *where)
    finally:
        served.stop()

    assert ran.code == 0, ran.err
    if form == "parquet":
        assert pq.read_table("there").equals(pq.read_table("here"))
    else:
        assert Path("there").read_bytes() == Path("here").read_bytes()


ROWS = [
    b'{"dateTime":"2026-01-31T12:00:00.000Z","user":"ada","ip":"","activity":"login"}',
    b'{"dateTime":"2026-01-31 12:00:01","user":"system","activity":"chat-closed","data":1E2}',
]


@pytest.fixture
def chats(sealog):
    sealog("ingest", "-", "--dialect", "supsis", "--tenant", "acme", stdin=b"\n".join(ROWS))


def test_what_came_in_is_exported_as_it_came(sealog, chats):
    ran = sealog("export", "--tenant", "acme", "--dialect", "supsis")

    assert ran.out.encode() == b"".join([row + b"\n" for row in ROWS])


def test_an_export_may_be_in_the_older_ecs(sealog, chats):
    ran = sealog("export", "--tenant", "acme", "--ecs-version", "1.9")

    versions = [msgspec.json.decode(line)["ecs"]["version"] for line in ran.out.splitlines()]
    assert versions == ["1.9.0", "1.9.0"]


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_from_a_server_it_has_the_same_shape(sealog, chats, tmp_path, form):
    """The columns of a table are read from ECS, its `event` is in the shape."""
    asked = ("export", "--tenant", "acme", "--dialect", "supsis", "--format", form)
    here = sealog(*asked, "--no-statements")
    served = Served(tmp_path / "sealog-data")
    try:
        there = sealog(*asked, "--no-statements", "--server", served.url, "--key", served.key)
    finally:
        served.stop()

    assert there == here
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(here.out, newline="")))
        assert [row["event"].encode() for row in rows] == ROWS
        assert [row["action"] for row in rows] == ["login", "chat-closed"]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("--dialect", "syslog"), "there is no dialect 'syslog'; there are ecs, closer"),
        (("--ecs-version", "9.4"), "an ECS version is one of 8.11, 1.9"),
    ],
    ids=["dialect", "version"],
)
def test_a_shape_that_there_is_not_is_a_matter_of_usage(sealog, chats, asked, says):
    ran = sealog("export", "--tenant", "acme", *asked)

    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err


def test_a_statement_is_one_in_any_shape():
    shaped = {"sealog": {"action": "sealog.retention", "index": 4}}

    assert exporting.is_statement(msgspec.json.encode(shaped))
    assert not exporting.is_statement(msgspec.json.encode(shaped | {"type": "x"}))
