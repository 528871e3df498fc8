import csv
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.archive.made import ALPHA
from tests.exports.made import fill, line, pieces_of, shown

from sealog.errors import Refused
from sealog.exports import forms
from sealog.exports.columns import COLUMNS
from sealog.exports.forms import Form, Writer


class Bytes(io.BytesIO):
    """Stays readable when pyarrow is done with it."""

    def close(self):
        pass


def file_of(form, *batches):
    sink = Bytes()
    document = forms.document(form, sink)
    for batch in batches:
        document.add(batch)
    document.end()
    return sink.getvalue()


def read(text):
    return list(csv.reader(io.StringIO(text.decode(), newline="")))


def test_ndjson_is_every_event_as_it_is_shown(home):
    fill(home, 300)

    content = file_of(Form("ndjson"), Writer(Form("ndjson")).write(pieces_of(home, 300)))

    assert content.splitlines() == shown(home, ALPHA, range(300))
    assert content.endswith(b"\n")


def test_csv_is_a_row_of_names_and_a_row_an_event(home):
    """RFC 4180: CRLF, quotes doubled, one record a row whatever stands in it."""
    fill(home, 300)
    form = Form("csv")

    content = file_of(form, Writer(form).write(pieces_of(home, 300)))

    names, *rows = read(content)
    assert tuple(names) == COLUMNS
    assert content.startswith(b"index,time,ingested,id,")
    assert content.count(b"\r\n") == 301
    assert [row[0] for row in rows] == [str(index) for index in range(300)]
    assert [row[-1].encode() for row in rows] == shown(home, ALPHA, range(300))


def test_parquet_has_the_same_columns_with_their_types(home):
    fill(home, 300)
    form = Form("parquet")

    content = file_of(form, *[Writer(form).write([piece]) for piece in pieces_of(home, 300)])

    table = pq.read_table(pa.BufferReader(content))
    assert tuple(table.column_names) == COLUMNS
    assert table.schema.field("time").type == pa.timestamp("us", tz="UTC")
    assert table.schema.field("status").type == pa.int32()
    assert table.column("index").to_pylist() == list(range(300))
    assert [one.encode() for one in table.column("event").to_pylist()] == shown(
        home, ALPHA, range(300)
    )
    assert table.column("time")[7].value == 1_700_000_007_000_000
    assert table.column("actor_id")[7].as_py() == "u-1"


@pytest.mark.parametrize("name", forms.FORMATS)
def test_an_export_of_nothing_is_a_whole_file(name):
    content = file_of(Form(name))

    if name == "parquet":
        assert pq.read_table(pa.BufferReader(content)).num_rows == 0
    else:
        assert content == {"ndjson": b"", "csv": (",".join(COLUMNS) + "\r\n").encode()}[name]


@pytest.mark.parametrize("name", ["csv", "parquet"])
def test_columns_are_those_asked_for_in_that_order(home, name):
    fill(home, 20)
    form = Form(name, ("actor_id", "index"))

    content = file_of(form, Writer(form).write(pieces_of(home, 20)))

    if name == "csv":
        assert read(content)[:3] == [["actor_id", "index"], ["u-0", "0"], ["u-1", "1"]]
    else:
        table = pq.read_table(pa.BufferReader(content))
        assert table.slice(0, 2).to_pylist() == [
            {"actor_id": "u-0", "index": 0},
            {"actor_id": "u-1", "index": 1},
        ]


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t", "\r", '"=', '"-'])
def test_no_cell_is_a_formula(begins):
    """A spreadsheet must not compute what somebody called themselves."""
    text = forms.of_lines(Form("csv", ("actor_name", "index")), line(user={"name": begins + "1+1"}))

    assert read(text) == [["'" + begins + "1+1", "0"]]


def test_numbers_and_text_that_is_no_formula_stay_as_they_are():
    lines = line(user={"name": "1=1"}, http={"response": {"status_code": -1}})

    text = forms.of_lines(Form("csv", ("actor_name", "status", "session")), lines)

    assert text == b"1=1,-1,\r\n"


def test_cells_are_quoted_as_rfc_4180_wants():
    assert forms.csv_lines([["a", 'b"c', "d,e", "f\ng", "h\ri", None]]) == (
        b'a,"b""c","d,e","f\ng","h\ri",\r\n'
    )


def test_a_row_of_one_empty_cell_is_a_row():
    assert read(forms.csv_lines([[None], ["a"], [""]])) == [[""], ["a"], [""]]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(st.text(alphabet="a\0\",;'\r\n\t é="), min_size=2, max_size=4), max_size=4)
)
def test_what_is_written_is_read_by_the_library(rows):
    guarded = [["'" + cell if forms._FORMULA.match(cell) else cell for cell in row] for row in rows]

    assert read(forms.csv_lines(rows)) == guarded


def test_a_lone_surrogate_does_not_end_an_export():
    assert forms.csv_lines([["\ud800"]]) == b"?\r\n"


def test_parquet_is_written_in_groups_of_a_bounded_size(home, monkeypatch):
    """So that memory stays flat, however much there is."""
    fill(home, 300)
    monkeypatch.setattr(forms, "GROUP_EVENTS", 100)
    form = Form("parquet")

    content = file_of(form, *[Writer(form).write([piece]) for piece in pieces_of(home, 300)])

    file = pq.ParquetFile(pa.BufferReader(content))
    groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert sum(groups) == 300
    assert len(groups) > 1
    assert max(groups) < 100 + 128


def test_an_unknown_format_is_refused():
    with pytest.raises(Refused, match="a format is one of ndjson, csv, parquet"):
        Form("xml")


def test_an_event_has_the_shape_of_its_form_and_the_columns_stay(home):
    """Columns are read from ECS, whatever shape `event` has."""
    fill(home, 20)
    pieces = pieces_of(home, 20)
    plain = Writer(Form("ndjson", dialect="supsis")).write(pieces)

    shaped = Form("csv", ("index", "action", "event"), "supsis")
    table = list(csv.reader(io.StringIO(Writer(shaped).write(pieces).decode(), newline="")))

    assert [row[2].encode() for row in table] == plain.splitlines()
    assert [row[:2] for row in table] == [[str(n), "user.login"] for n in range(20)]
    assert b'"activity":"user.login"' in plain


def test_a_form_that_is_native_is_that_of_ecs_as_it_is_stored():
    assert Form("csv").is_native
    assert not Form("csv", ecs_version="1.9").is_native
    assert not Form("csv", dialect="closer").is_native
