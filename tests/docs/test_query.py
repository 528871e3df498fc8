"""docs/query.md says what is read, and what is said of what is not."""

import re
from datetime import UTC

import msgspec
import pytest
from tests.architecture.tree import ROOT

from sealog.query.refusing import BadQuery
from sealog.query.syntax import DATES, parse
from sealog.server import problems

PAGE = (ROOT / "docs" / "query.md").read_text("utf-8")
TAUGHT = PAGE.partition("## Fields")[0]
NOW_US = 1_795_264_496_000_000


def written():
    """Every query that the page teaches: the first cell of a row, and what the rows name beside it."""
    rows = re.findall(r"^\| (`.*`) \| (.*) \|$", TAUGHT, re.MULTILINE)
    beside = [code for _, what in rows for code in re.findall(r"`([a-z.]+:[^`]*[^`:<>=])`", what)]
    return dict.fromkeys([*(first.strip("`") for first, _ in rows), *beside])


def test_the_page_teaches():
    assert len(written()) >= 30


@pytest.mark.parametrize("text", written())
def test_an_example_is_read(text):
    parse(text, now_us=NOW_US, zone=UTC)


QUERIES = re.findall(r"(?:search '|q=)([^']*)'", TAUGHT)


def test_the_lines_to_try_are_read():
    assert len(QUERIES) == 2
    for text in QUERIES:
        parse(text, now_us=NOW_US, zone=UTC)


@pytest.mark.parametrize("name", [name for known, also in DATES.items() for name in (known, *also)])
def test_every_name_of_a_time_is_told(name):
    assert f"`{name}:" in PAGE


def test_a_mistake_is_told_as_the_page_says():
    shown = msgspec.json.decode(
        re.search(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[1]
    )

    with pytest.raises(BadQuery) as refused:
        parse("acter:ada", now_us=NOW_US, zone=UTC)
    told = msgspec.json.decode(problems.of_error(refused.value, "/v1/events", "r").body)

    assert {name: told[name] for name in shown} == shown


@pytest.mark.parametrize("text", ["status:499..400", "after:2026-02-01 before:2026-01-01"])
def test_what_can_never_match_is_refused_as_the_page_says(text):
    with pytest.raises(BadQuery, match="nothing can match"):
        parse(text, now_us=NOW_US, zone=UTC)
