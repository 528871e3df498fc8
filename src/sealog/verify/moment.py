"""One moment of `state.db`: opened so that nothing in the folder changes, its rows read with their types.

While a server runs, a read transaction holds the moment still. A file that no process owns and that
has no write-ahead log is opened as immutable, because reading it otherwise would leave files beside
it; a copy on a medium that cannot be written is read from a second copy where SQLite needs one.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, NamedTuple, Self, TypeVar

import msgspec
from msgspec import Meta

from sealog.errors import Altered

T = TypeVar("T")
Number = Annotated[int, Meta(ge=0)]

BUSY_TIMEOUT_MS = 10_000
TROUBLES_MAX = 5


class TenantRow(NamedTuple):
    """What verification needs of a row of `tenants`."""

    number: int
    name: str
    log_id: Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")]


class HeadRow(NamedTuple):
    """A row of `heads`."""

    tenant: int
    size: Number
    synced: Number
    archived: Number
    digest: bytes


class BlockRow(NamedTuple):
    """A row of `blocks`."""

    seq: Number
    tenant: int
    first: Number
    events: Annotated[int, Meta(ge=1)]
    accepted_us: int
    body: bytes
    digest: bytes


class SignedRow(NamedTuple):
    """A row of `signed`."""

    tenant: int
    size: Number
    root: bytes
    note: bytes


class SegmentRow(NamedTuple):
    """A row of `segments`."""

    tenant: int
    kept: Annotated[str, Meta(pattern=r"\A[a-z0-9][a-z0-9_-]{0,63}\Z")]
    first: Number
    last: Number
    generation: Number
    events: Annotated[int, Meta(ge=1)]
    first_us: int
    last_us: int
    columns_bytes: Number
    columns_digest: bytes
    parts_bytes: Number
    parts_digest: bytes
    first_ingested_us: int | None
    last_ingested_us: int | None
    digest: bytes


class ExpiredRow(NamedTuple):
    """A row of `expired`."""

    tenant: int
    statement: Number
    first: Number
    last: Number
    events: Annotated[int, Meta(ge=1)]
    indexes: bytes
    digest: bytes


class Moment:
    """`state.db` as it is at one moment; one tenant is verified against one moment.

    Every method raises `Altered` where the file or a row does not read.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def installation_name(self) -> str | None:
        """What the installation is called; None where nothing was ever written."""
        for (value,) in self._rows("SELECT value FROM installation WHERE name = 'name'", ()):
            if isinstance(value, bytes):
                return value.decode("utf-8", "replace")
            raise Altered("the installation's name does not read")
        return None

    def tenants(self) -> tuple[list[TenantRow], list[str]]:
        """Every tenant whose row reads, and what is wrong with the others."""
        rows, wrong = [], []
        for row in self._rows("SELECT number, name, log_id FROM tenants ORDER BY number", ()):
            try:
                rows.append(_typed(row, TenantRow))
            except Altered as error:
                wrong.append(f"the row of tenant {row[0]!r:.40}: {error}")
        return rows, wrong

    def entries_in_all(self) -> int:
        """How many entries all tenants have: for showing progress only."""
        (value,) = next(self._rows("SELECT total(size) FROM heads", ()))
        return int(value)

    def strangers(self) -> list[tuple[str, str]]:
        """(table, tenant number as text) of rows of tenants that do not exist."""
        return [
            (table, str(number)[:40])
            for table in ("heads", "blocks", "signed", "segments", "expired")
            for (number,) in self._rows(
                f"SELECT DISTINCT tenant FROM {table}"
                " WHERE tenant NOT IN (SELECT number FROM tenants) LIMIT 100",
                (),
            )
        ]

    def troubles(self) -> list[str]:
        """What SQLite itself finds wrong with the file."""
        found = [row[0] for row in self._rows(f"PRAGMA quick_check({TROUBLES_MAX})", ())]
        troubles = [] if found == ["ok"] else [str(one) for one in found]
        return troubles + self._cut_short()

    def _cut_short(self) -> list[str]:
        """Free pages that are missing at the end, which SQLite does not mind."""
        path = Path(next(self._rows("PRAGMA database_list", ()))[2])
        (pages,) = next(self._rows("PRAGMA page_count", ()))
        (page_bytes,) = next(self._rows("PRAGMA page_size", ()))
        log = path.with_name(path.name + "-wal")
        size = path.stat().st_size
        # What the write-ahead log holds is not in the file yet.
        if size >= pages * page_bytes or (log.exists() and log.stat().st_size):
            return []
        return [f"it has {size} bytes instead of {pages * page_bytes}"]

    def head(self, tenant: int) -> HeadRow | None:
        """A tenant's head; None before its first event."""
        sql = "SELECT tenant, size, synced, archived, digest FROM heads WHERE tenant = ?"
        return self._one(sql, tenant, HeadRow)

    def signed(self, tenant: int) -> SignedRow | None:
        """What was last signed of a tenant's log."""
        sql = "SELECT tenant, size, root, note FROM signed WHERE tenant = ?"
        return self._one(sql, tenant, SignedRow)

    def blocks(self, tenant: int) -> Iterator[BlockRow | str]:
        """A tenant's blocks in the order of their indexes; of one that does not read, why."""
        sql = (
            "SELECT seq, tenant, first, count, accepted_us, body, digest FROM blocks"
            " WHERE tenant = ? ORDER BY first, seq"
        )
        for row in self._rows(sql, (tenant,)):
            try:
                yield _typed(row, BlockRow)
            except Altered as error:
                yield f"block {row[0]!r:.40}: {error}"

    def segments(self, tenant: int) -> Iterator[SegmentRow | str]:
        """A tenant's segments, class by class; of one that does not read, why."""
        sql = (
            "SELECT tenant, class, first, last, generation, count, first_us, last_us,"
            " columns_bytes, columns_digest, parts_bytes, parts_digest,"
            " first_ingested_us, last_ingested_us, digest FROM segments"
            " WHERE tenant = ? ORDER BY class, first, generation"
        )
        for row in self._rows(sql, (tenant,)):
            try:
                yield _typed(row, SegmentRow)
            except Altered as error:
                yield f"segment {row[1:5]!r:.80}: {error}"

    def expired(self, tenant: int) -> Iterator[ExpiredRow | str]:
        """What is noted to have expired of a tenant, by statement; of a row that does not read, why."""
        sql = (
            "SELECT tenant, statement, first, last, count, indexes, digest FROM expired"
            " WHERE tenant = ? ORDER BY statement"
        )
        for row in self._rows(sql, (tenant,)):
            try:
                yield _typed(row, ExpiredRow)
            except Altered as error:
                yield f"the row of statement {row[1]!r:.40}: {error}"

    def holds(self, table: str, tenant: int) -> bool:
        """Whether a table has any row of a tenant."""
        return any(self._rows(f"SELECT 1 FROM {table} WHERE tenant = ? LIMIT 1", (tenant,)))

    def _one(self, sql: str, tenant: int, kind: type[T]) -> T | None:
        row = next(self._rows(sql, (tenant,)), None)
        return None if row is None else _typed(row, kind)

    def _rows(self, sql: str, values: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self._connection.execute(sql, values)
        except (sqlite3.Error, OverflowError, MemoryError) as error:
            raise Altered(f"SQLite does not read it: {error}") from error


class State:
    """Opens moments of one `state.db`; a context, because a second copy may have to go again."""

    def __init__(self, path: Path, *, owned: bool) -> None:
        """`owned`: a server runs on the folder."""
        self._path = path
        self._owned = owned
        self._copy: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self._copy is not None:
            self._copy.cleanup()

    @contextmanager
    def moment(self) -> Iterator[Moment]:
        """A moment of the file, now. Raises `Altered` where it is no SQLite file."""
        try:
            connection = self._open()
        except (sqlite3.Error, OSError) as error:
            raise Altered(f"SQLite does not open it: {error}") from error
        try:
            yield Moment(connection)
        finally:
            connection.close()

    def stamp(self) -> tuple[int, int, int]:
        """Changes whenever the file is written to, its write-ahead log aside."""
        try:
            found = self._path.stat()
        except OSError:
            return 0, 0, 0
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _open(self) -> sqlite3.Connection:
        if self._copy is not None:
            return self._begin(Path(self._copy.name) / self._path.name, "mode=ro")
        if not self._path.is_file():
            raise FileNotFoundError(f"there is no {self._path}")
        if not self._owned and not self._logged():
            return self._begin(self._path, "mode=ro&immutable=1")
        try:
            return self._begin(self._path, "mode=ro")
        except sqlite3.OperationalError as error:
            if "unable to open" not in str(error) and "readonly" not in str(error):
                raise
        self._copy = tempfile.TemporaryDirectory(prefix="sealog-verify-")
        for path in (self._path, self._wal()):
            if path.exists():
                shutil.copyfile(path, Path(self._copy.name) / path.name)
        return self._open()

    def _logged(self) -> bool:
        wal = self._wal()
        return wal.exists() and wal.stat().st_size > 0

    def _wal(self) -> Path:
        return self._path.with_name(self._path.name + "-wal")

    def _begin(self, path: Path, how: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None
        )
        try:
            connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
            connection.execute("PRAGMA cache_size=-8192")
            connection.execute("BEGIN")
            # A transaction begins with its first read.
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def _typed(row: tuple[Any, ...], kind: type[T]) -> T:
    try:
        return msgspec.convert(row, kind, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise Altered(f"it does not read: {error}") from error
