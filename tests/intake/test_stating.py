"""Statements go the way of every event: durable, with an index, each once."""

import os

import msgspec
import pytest

from sealog import app
from sealog.errors import Corrupt
from sealog.event.parts import FACTS, STATEMENT_ENTRY
from sealog.event.stating import Statement
from sealog.intake.stating import Stater

AT_US = 1_795_176_000_000_000
SAYS = b'{"v":1,"ranges":[[0,4]],"reason":"expired","policy":"version 0"}'


@pytest.fixture
def running(tmp_path):
    with app.running(tmp_path / "data") as running:
        running.tenants.make(["acme", "globex"])
        yield running


@pytest.fixture
def stater(running):
    return Stater(running.journal, running.catalog, app.clock_us, os.urandom)


def retention(name="retention/1", says=SAYS):
    return Statement("sealog.retention", name, AT_US, says)


def test_statements_of_several_tenants_are_sealed_in_one_commit_and_archived_as_statements(
    running, stater
):
    acme, globex = (running.tenants.get(name) for name in ("acme", "globex"))

    indexes = stater.state(
        [(acme, [retention(), retention("retention/2")]), (globex, [retention()])]
    )

    assert indexes == [[0, 1], [0]]
    assert running.archive.wait_for(acme, 1, 10)
    opened = running.archive.get(acme, 1)
    [(number, _, part)] = opened.parts
    facts = msgspec.json.decode(part)
    assert (opened.kind, number) == (STATEMENT_ENTRY, FACTS)
    assert facts["event"]["action"] == facts["sealog"]["action"] == "sealog.retention"
    assert facts["event"]["kind"] == "state"
    assert facts["sealog"]["dialect"] == "sealog"
    assert facts["sealog"]["ranges"] == [[0, 4]]
    running.archive.cut()
    assert {segment.kept for segment in running.archive.segments(acme)} == {"statements"}
    assert running.ledger.entry(acme, 1)[:1] == STATEMENT_ENTRY


def test_the_same_statement_again_keeps_its_index(running, stater):
    acme = running.tenants.get("acme")

    first = stater.state([(acme, [retention()])])
    again = stater.state([(acme, [retention("retention/2"), retention()])])

    assert first == [[0]]
    assert again == [[1, 0]]
    assert running.journal.size(acme.number) == 2


def test_a_name_stands_for_one_statement(running, stater):
    acme = running.tenants.get("acme")
    stater.state([(acme, [retention()])])

    with pytest.raises(Corrupt, match="said something else"):
        stater.state([(acme, [retention(says=SAYS.replace(b"4", b"5"))])])
