"""The examples in the pages are taken in, and become what the pages say."""

import re

import msgspec
import pytest
from tests.architecture.tree import ROOT

from sealog.access.grants import Grant
from sealog.catalog.shelf import load
from sealog.dialects import registry
from sealog.dialects.dialect import Settings
from sealog.event import parts, tokens
from sealog.event.packs import Unpacker
from sealog.event.sealing import Moment, Naming
from sealog.event.tenants import Tenant
from sealog.intake.preparing import Preparer
from sealog.intake.source import Source

ACME = Tenant(1, "acme", "0" * 32, bytes(32))
GRANT = Grant("key_of_the_test", frozenset({"ingest"}), None)
EVENT_PAGE = (ROOT / "docs" / "formats" / "event.md").read_text("utf-8")
START_PAGE = (ROOT / "docs" / "start.md").read_text("utf-8")
DIALECTS_PAGE = (ROOT / "docs" / "interfaces" / "dialects.md").read_text("utf-8")


def event_of(record: bytes, dialect: str) -> dict:
    """One record as it is read back."""
    preparer = Preparer(load(), bytes)
    source = Source(GRANT, dialect, tenant="acme")
    understood = preparer.understand(record, source, Settings())
    assert understood.answers == [None]
    sealed = preparer.seal(understood, {"acme": ACME}, Moment.of(1_795_000_000_000_000), Naming())
    (opened,) = Unpacker().events(sealed[0].packs[0])
    return tokens.plain(tokens.encode(parts.joined([text for _, _, text in opened.parts])))


def test_the_worked_example_of_an_event_is_what_becomes_of_it():
    sent, told = re.findall(r"^```json\n(.*?)^```$", EVENT_PAGE, re.MULTILINE | re.DOTALL)

    event, shown = event_of(sent.strip().encode(), "ecs"), msgspec.json.decode(told)

    # Of another moment, and drawn anew.
    for key in ("id", "ingested"):
        del event["event"][key], shown["event"][key]
    assert event == shown


ECHOED = re.findall(
    r"^echo '(.*)' \| uv run sealog ingest - --dialect (\w+)", START_PAGE, re.MULTILINE
)


def test_there_is_a_line_to_try_for_every_dialect_but_the_native_one():
    assert [dialect for _, dialect in ECHOED] == [name for name in registry.NAMES if name != "ecs"]


@pytest.mark.parametrize(("record", "dialect"), ECHOED, ids=[dialect for _, dialect in ECHOED])
def test_a_line_to_try_is_understood(record, dialect):
    event = event_of(record.encode(), dialect)

    assert event["sealog"]["dialect"] == dialect
    assert event["event"]["original"] == record
    found = {each["code"] for each in event["sealog"].get("findings", [])}
    expected = {
        "ambiguous-date",
        "bad-offset",
        "repaired-unquoted-value",
        "outcome-contradicts-type",
    }
    assert found == (expected if dialect == "logichub" else set())


@pytest.mark.parametrize("dialect", ["chatvisor", "supsis"])
def test_the_form_that_is_ours_is_read_without_a_finding(dialect):
    section = DIALECTS_PAGE.partition(f"\n## {dialect}\n")[2].partition("\n## ")[0]
    block = re.search(r"^```json\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[1]

    for line in block.splitlines():
        assert "findings" not in event_of(line.encode(), dialect)["sealog"]
