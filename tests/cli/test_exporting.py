import csv
import io
from pathlib import Path

import msgspec
import pytest
from tests.cli.made import ecs, lines

from sealog.cli import exporting

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
    assert text.startswith("sealog.index,@timestamp,event.ingested,")
    assert text.endswith("\r\n")
    assert len(rows) == 1_203
    assert [row["sealog.index"] for row in rows] == [str(index) for index in range(1_203)]
    assert rows[7]["message"] == 'line one,\nand "two" é 7'
    assert rows[7]["event.id"] == "e-7"
    assert rows[7]["@timestamp"] == "2026-10-05T08:00:07.000Z"


def test_no_cell_is_a_formula(sealog, acme):
    """Somebody's name may be `=SUM(A1)`; a spreadsheet must not compute it."""
    ran = sealog("export", "--tenant", "acme", "--format", "csv")

    rows = list(csv.DictReader(io.StringIO(ran.out, newline="")))
    assert {row["user.name"] for row in rows} == {"'=SUM(A1)"}


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r"])
def test_whatever_begins_a_formula_is_quoted(begins):
    line = exporting.csv_line([f"{begins}1+1", "1=1"])

    assert next(csv.reader(io.StringIO(line.decode(), newline=""))) == [f"'{begins}1+1", "1=1"]


def test_cells_are_quoted_as_rfc_4180_wants():
    assert exporting.csv_line(["a", 'b"c', "d,e", "f\ng", ""]) == b'a,"b""c","d,e","f\ng",\r\n'


def test_a_lone_surrogate_does_not_end_an_export():
    assert exporting.csv_line(["\ud800"]) == b"?\r\n"


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


def test_without_statements_all_events_are_still_there(sealog, acme):
    with_them = sealog("export", "--tenant", "acme")

    without = sealog("export", "--tenant", "acme", "--no-statements")

    assert without.out == with_them.out


def test_an_unknown_format_is_a_matter_of_usage(sealog, acme):
    ran = sealog("export", "--tenant", "acme", "--format", "xml")

    assert ran == (2, "", "sealog: --format is one of ndjson, csv\n")


def test_an_unknown_tenant_is_a_failure(sealog, acme):
    ran = sealog("export", "--tenant", "nobody", "-o", "out")

    assert ran.code == 1
    assert "no such tenant" in ran.err


def test_a_page_reads_the_slow_way_too():
    """Text that only the slow reader takes."""
    page = b'{"events":[{"a":"\\ud800"},{"b":1}],"next_cursor":"7"}'

    assert exporting.read_page(page) == ([b'{"a":"\\ud800"}', b'{"b":1}'], "7")
    assert exporting.read_page(b'{"events":[],"next_cursor":null}') == ([], None)
