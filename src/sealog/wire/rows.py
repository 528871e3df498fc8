"""Rows of CSV with a header line (RFC 4180): each row a record, as the object its header names."""

import csv
import re
from collections.abc import Iterator

import msgspec
from msgspec import Raw

from sealog.errors import Refused
from sealog.event.findings import Finding
from sealog.event.record import Record
from sealog.wire import reading

_ROW = re.compile(rb'(?:[^"\r\n]++|"(?:[^"]|"")*+"|(")|\r(?!\n))*+(?:\r?\n|\Z)')
_BLANK_LINES = re.compile(rb"(?:[ \t\r]*+\n)++")
_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_DELIMITERS = (b",", b";", b"\t")
COLUMNS_MAX = 1_000


def looks_like_header(line: bytes) -> bool:
    """Whether a first line can be a header: at least three cells, and nothing of JSON."""
    return max(map(line.count, _DELIMITERS)) > 1 and not any(sign in line for sign in b"{}[]")


def split_rows(text: bytes) -> list[Record | Refused]:
    """A record or a refusal per row behind the header. Raises `Refused` for a bad header.

    The header decides between comma, semicolon and tab. An empty cell's key is left out; cells
    past the header are kept as `column N`, with the finding `extra-cells`.
    """
    rows = _rows(text)
    first = next(rows, None)
    if first is None:
        raise Refused("the body is empty", code="empty")
    delimiter = max(_DELIMITERS, key=first[1].count)
    header = _cells(first[1], delimiter)
    names = [name.strip() or f"column {n + 1}" for n, name in enumerate(header)]
    if len(set(names)) != len(names) or len(names) > COLUMNS_MAX:
        msg = f"the header names a column twice, or more than {COLUMNS_MAX}"
        raise Refused(msg, code="bad-header")
    answers: list[Record | Refused] = []
    for line, row in rows:
        place = len(answers)
        reading.check_records(place + 1)
        try:
            answers.append(_record(row, place, names, delimiter))
        except Refused as refusal:
            answers.append(reading.refused(refusal, place, f"line {line}"))
    return answers


def _rows(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Each row that is not blank, with the number of its first line."""
    line = 1
    at = 0
    while at < len(text):
        blank = _BLANK_LINES.match(text, at)
        if blank is not None:
            line += blank[0].count(b"\n")
            at = blank.end()
            continue
        match = _ROW.match(text, at)
        # A quote that is never closed spoils its own line only.
        end = match.end() if match is not None and match[1] is None else _line_end(text, at)
        row = text[at:end].strip(b" \t\r\n")
        if row:
            yield line, row
        line += text.count(b"\n", at, end)
        at = end


def _line_end(text: bytes, at: int) -> int:
    end = text.find(b"\n", at)
    return len(text) if end < 0 else end + 1


def _cells(row: bytes, delimiter: bytes) -> list[str]:
    reading.check_size(row)
    written = reading.check_utf8(row)
    try:
        (cells,) = csv.reader([written], delimiter=delimiter.decode(), strict=True)
    except (csv.Error, ValueError) as error:
        raise Refused(f"not a row of CSV: {error}", code="not-csv") from error
    return cells


def _record(row: bytes, place: int, names: list[str], delimiter: bytes) -> Record:
    cells = _cells(row, delimiter)
    findings = []
    if len(cells) > len(names):
        if len(cells) > COLUMNS_MAX:
            raise Refused(f"more than {COLUMNS_MAX} cells", code="not-csv")
        findings.append(Finding("extra-cells", "", f"{len(cells)} cells under {len(names)} names"))
    named = {
        (names[n] if n < len(names) else f"column {n + 1}"): cell.strip()
        for n, cell in enumerate(cells)
        if cell.strip()
    }
    text = msgspec.json.encode(named)
    return Record(place, row, text, _OBJECT.decode(text), findings=findings, strict=False)
