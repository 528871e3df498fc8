import sqlite3

import pytest
from tests.verify.made import alter, event

from sealog.event.packs import Unpacker
from sealog.journal.blocks import Block, digest_of
from sealog.verify import waiting
from sealog.verify.moment import State
from sealog.verify.report import Findings


@pytest.fixture
def path(home):
    """A stopped folder whose tenant has blocks of 2, 1 and 3 events."""
    for count in (2, 1, 3):
        home.add("acme", *[event() for _ in range(count)])
    home.close()
    return home.path


def checked(path):
    """Gathered entries, the events that open, and where something is wrong."""
    findings = Findings("acme")
    with State(path / "state.db", owned=False) as state, state.moment() as moment:
        head = moment.head(1)
        held = waiting.check(moment, head, findings)
        events = [
            index
            for unsealed in waiting.events(moment, head, Unpacker(), findings)
            for index in unsealed.indexes
        ]
    return held, events, [(fault.where, fault.index) for fault in findings.faults]


def rewrite(path, number, **values):
    """Change a block as somebody who knows the program would: its digest fits."""
    connection = sqlite3.connect(path / "state.db")
    names = ("seq", "tenant", "first", "count", "accepted_us", "body")
    row = connection.execute(
        f"SELECT {', '.join(names)} FROM blocks WHERE seq = ?", (number,)
    ).fetchone()
    connection.close()
    changed = {**dict(zip(names, row, strict=True)), **values}
    digest = digest_of(Block(**changed, digest=b""))
    sets = ", ".join(f"{name} = ?" for name in names)
    alter(
        path,
        f"UPDATE blocks SET {sets}, digest = ? WHERE seq = ?",
        *changed.values(),
        digest,
        number,
    )


def test_blocks_hold_every_entry_once(path):
    held, events, faults = checked(path)

    assert (held.first, held.end) == (0, 6)
    assert events == [0, 1, 2, 3, 4, 5]
    assert faults == []


def test_a_missing_block_is_named(path):
    alter(path, "DELETE FROM blocks WHERE first = 2")

    held, events, faults = checked(path)

    assert held.end == 2
    assert events == [0, 1, 3, 4, 5]
    assert faults[0] == ("state.db blocks 3", 3)
    assert ("state.db blocks", 2) in faults


def test_the_last_block_missing_is_named(path):
    alter(path, "DELETE FROM blocks WHERE first = 3")

    _, _, faults = checked(path)

    assert faults == [("state.db blocks", 3)]


def test_a_block_that_overlaps_its_neighbour_is_named(path):
    rewrite(path, 2, first=1)

    _, _, faults = checked(path)

    assert ("state.db blocks 2", 1) in faults


def test_blocks_follow_each_other_in_the_order_they_were_written(path):
    rewrite(path, 2, seq=9)

    _, _, faults = checked(path)

    assert faults[0] == ("state.db blocks 3", 3)


def test_events_that_do_not_hash_into_their_entries_are_named(path):
    held, _, _ = checked(path)
    entries = bytes(held.entries)
    connection = sqlite3.connect(path / "state.db")
    (body,) = connection.execute("SELECT body FROM blocks WHERE seq = 2").fetchone()
    connection.close()
    rewrite(path, 2, body=entries[:33] + body[33:])

    _, events, faults = checked(path)

    assert events == [0, 1, 3, 4, 5]
    assert faults == [("state.db blocks 2", 2)]


@pytest.mark.parametrize("body", [b"", b"x", b"\x01" * 33, b"\x01" * 200], ids=len)
def test_a_body_that_is_no_block_is_named(path, body):
    rewrite(path, 2, body=body)

    _, _, faults = checked(path)

    assert ("state.db blocks 2", 2) in faults


def test_a_block_that_should_be_gone_is_named(home):
    """Blocks go when log and archive have them: a left one would outlive an erasure."""
    home.add("acme", event())
    home.close()
    connection = sqlite3.connect(home.path / "state.db")
    rows = connection.execute("SELECT * FROM blocks").fetchall()
    connection.close()
    home.start()
    home.cut()
    home.settle()
    home.close()
    alter(home.path, "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?)", *rows[0])

    _, _, faults = checked(home.path)

    assert faults == [("state.db blocks 1", 0)]
