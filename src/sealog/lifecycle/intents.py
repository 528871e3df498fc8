"""What is about to expire, noted before it is stated, so that a crash leaves nothing half said.

In this order, each durable before the next: the intent is noted; its statement is sealed under a name
that follows from it; what it speaks of goes, and the intent with it. Who dies in between goes on from
the intent: the same name and words are the same statement, and what is gone already stays gone.
"""

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Connection

from sealog.event.stating import Span, Statement
from sealog.storage.store import Store, driver
from sealog.verify import statements

ACTION = "sealog.retention"
_ADD = "INSERT INTO expiring (tenant, name, at_us, says) VALUES (?, ?, ?, ?)"
_ALL = "SELECT tenant, name, at_us, says FROM expiring ORDER BY at_us, tenant, name"
_REMOVE = "DELETE FROM expiring WHERE tenant = ? AND name = ?"


class Intent(msgspec.Struct, frozen=True):
    """One statement that is to be sealed, and then to be acted on."""

    tenant: int
    name: str
    at_us: int
    says: bytes

    @property
    def statement(self) -> Statement:
        """What is sealed."""
        return Statement(ACTION, self.name, self.at_us, self.says)

    def spans(self) -> list[Span]:
        """The indexes that it speaks of."""
        return statements.spans_of(self.says)


def note(store: Store, intents: Sequence[Intent]) -> None:
    """Durable when this returns."""
    rows = [(one.tenant, one.name, one.at_us, one.says) for one in intents]
    store.write(lambda connection: _add(driver(connection), rows)).result()


def read_all(store: Store) -> list[Intent]:
    """What was noted and is not done."""
    with store.reading() as connection:
        return [Intent(*row) for row in driver(connection).execute(_ALL)]


def remove(connection: Connection, done: Iterable[Intent]) -> None:
    """It is done; MUST run in the transaction that does the last of it."""
    rows = [(one.tenant, one.name) for one in done]
    driver(connection).executemany(_REMOVE, rows)


def _add(connection: sqlite3.Connection, rows: Sequence[tuple[int, str, int, bytes]]) -> None:
    connection.executemany(_ADD, rows)
