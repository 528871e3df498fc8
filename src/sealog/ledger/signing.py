"""What was signed of each log: made by the installation's key, and noted durably before it is shown."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, select

from sealog.errors import Forked
from sealog.event.tenants import Tenant
from sealog.ledger.files import LogFiles, LogReader
from sealog.ledger.installation import Installation
from sealog.ledger.notes import Signer
from sealog.storage.store import Store, driver
from sealog.storage.tables import signed as table

SIGNERS_MAX = 16_384

Note = tuple[int, int, bytes, bytes]
"""Tenant, size, root, signed note."""

# Whatever happens above, a smaller size never takes the place of a larger one.
_KEEP = (
    "INSERT INTO signed (tenant, size, root, note) VALUES (?, ?, ?, ?) ON CONFLICT (tenant)"
    " DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note"
    " WHERE excluded.size >= size"
)


class Signing:
    """The signatures of one data folder's logs."""

    def __init__(self, store: Store, installation: Installation) -> None:
        self._store = store
        self._installation = installation
        self._signers: dict[int, Signer] = {}

    def signer(self, tenant: Tenant) -> Signer:
        """Signs the checkpoints of one tenant's log."""
        signer = self._signers.get(tenant.number)
        if signer is None:
            if len(self._signers) >= SIGNERS_MAX:
                self._signers.clear()
            signer = self._signers[tenant.number] = self._installation.signer(tenant)
        return signer

    def newest(self) -> dict[int, Row[Any]]:
        """Tenant → its row of `signed`."""
        with self._store.reading() as connection:
            return {row.tenant: row for row in connection.execute(select(table))}

    def sign(self, tenant: Tenant, log: LogFiles) -> Note:
        """Sign a log as it is. MUST be kept before anybody sees it."""
        root = log.root()
        origin = self._installation.origin(tenant)
        note = self.signer(tenant).sign_checkpoint(origin, log.size, root)
        return tenant.number, log.size, root, note

    def keep(self, notes: Sequence[Note]) -> None:
        """Note durably what was signed, all in one transaction."""

        def keep(connection: Connection) -> None:
            driver(connection).executemany(_KEEP, notes)

        self._store.write(keep).result()

    def check_grown(self, tenant: int, folder: Path) -> None:
        """Raise `Forked` unless a log that was written again begins with what was signed of it."""
        with self._store.reading() as connection:
            row = connection.execute(select(table).where(table.c.tenant == tenant)).first()
        if row is not None and LogReader(folder, row.size).root() != row.root:
            raise Forked(f"this is not the log that was signed at {row.size} entries")
