"""How far each tenant is: entries accepted, noted durable in the log's files, resting in segments.

Every function runs inside the writing thread's transaction, so that heads and what they speak of
change together or not at all.
"""

import sqlite3
from collections.abc import Iterable

import msgspec

from sealog.errors import Altered
from sealog.storage.tables import row_digest

READ = "SELECT tenant, size, synced, archived, digest FROM heads"


class Head(msgspec.Struct, frozen=True):
    """One tenant's row. `synced` and `archived` never exceed `size`, and none ever shrinks."""

    tenant: int
    size: int = 0
    synced: int = 0
    archived: int = 0

    def digest(self) -> bytes:
        """What stands in the row's `digest`."""
        return row_digest("heads", self.tenant, self.size, self.synced, self.archived)


def checked(row: tuple[int, int, int, int, bytes]) -> Head:
    """The head of a row that `READ` gives; `Altered` unless it is the one that was written."""
    head = Head(*row[:4])
    if head.digest() != row[4]:
        raise Altered(f"the head of tenant {head.tenant} is not what was written")
    return head


def read(connection: sqlite3.Connection, tenant: int) -> Head:
    """A tenant's head; all zero before its first event."""
    row = connection.execute(f"{READ} WHERE tenant = ?", (tenant,)).fetchone()
    return Head(tenant) if row is None else checked(row)


def read_all(connection: sqlite3.Connection) -> list[Head]:
    """Every tenant's head."""
    return [checked(row) for row in connection.execute(READ)]


def write(connection: sqlite3.Connection, heads: Iterable[Head]) -> None:
    """Put heads in place of their rows."""
    connection.executemany(
        "INSERT OR REPLACE INTO heads (tenant, size, synced, archived, digest)"
        " VALUES (?, ?, ?, ?, ?)",
        [(head.tenant, head.size, head.synced, head.archived, head.digest()) for head in heads],
    )


def advance(
    connection: sqlite3.Connection, *, synced: dict[int, int], archived: dict[int, int]
) -> None:
    """Note progress and delete the blocks that neither the log nor the archive needs any more."""
    moved = []
    for tenant in synced.keys() | archived.keys():
        head = read(connection, tenant)
        moved.append(
            Head(
                tenant,
                head.size,
                max(head.synced, synced.get(tenant, 0)),
                max(head.archived, archived.get(tenant, 0)),
            )
        )
        assert max(moved[-1].synced, moved[-1].archived) <= head.size
    write(connection, moved)
    connection.executemany(
        "DELETE FROM blocks WHERE tenant = ?1 AND first < ?2 AND first + count <= ?2",
        [(head.tenant, min(head.synced, head.archived)) for head in moved],
    )
