"""`state.db`: one file, one writing thread that every room queues to, readers beside it."""

import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from sealog.errors import Busy, Misconfigured
from sealog.storage.tables import REVISION, metadata

T = TypeVar("T")

BUSY_TIMEOUT_MS = 10_000
FREE_PAGES_KEPT = 1_024
"""Free pages that stay in the file: the next blocks need some."""
FREE_LOOKS = 60
"""What was free at each of so many looks, a minute, is given back: the journal did not need it."""
SHRINK_PAGES = 256
"""So many pages a step: some 5 ms (measured), which whoever accepts hardly feels."""
SHRINK_STEPS = 4
CLOSING_S = 1.0
"""What closing gives back takes no longer than this: some 200 MiB."""

# What the disk or another process does to us, by SQLite's primary result code; it may pass:
# BUSY, LOCKED, NOMEM, IOERR, FULL, CANTOPEN.
_PASSING = frozenset({5, 6, 7, 10, 13, 14})
_WRITING = (
    # Chosen before the first table, or never.
    "PRAGMA auto_vacuum=INCREMENTAL",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
    "PRAGMA wal_autocheckpoint=0",
)


class Settings(msgspec.Struct, frozen=True):
    """How the write-ahead log is kept short."""

    look_every_s: float = 1.0
    wal_bytes_max: int = 16 << 20
    """Beyond this the log is copied back into the file and begun anew."""
    truncate_every_s: float = 600.0
    """Deleted rows stay in the log until it is truncated: at most 1/48 of the shortest retention."""


class Store:
    """The one owner of `state.db` in this process.

    `write` queues work for the writing thread; each piece of work is one transaction, durable when
    its future is done. `reading` gives a connection that sees one moment and never waits for the
    writer. Accepting goes before all other work, but never twice in a row while other work waits.
    """

    def __init__(
        self, path: Path, *, writable: bool = True, settings: Settings | None = None
    ) -> None:
        if not writable and not path.exists():
            raise Misconfigured(f"there is no {path}")
        self._path = path
        self._settings = settings or Settings()
        self._truncate_every_s = self._settings.truncate_every_s
        self._urgent: deque[_Work] = deque()
        self._other: deque[_Work] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._stopped = threading.Event()
        self._writer: threading.Thread | None = None
        self._keeper: threading.Thread | None = None
        if writable:
            self._writing = _engine(path, "rwc", _WRITING, "BEGIN IMMEDIATE")
            try:
                self._migrate()
            except (sqlite3.Error, DBAPIError) as error:
                self._writing.dispose()
                passing = _passing(error, "opened")
                if passing is error:
                    raise
                raise passing from error
            self._writer = threading.Thread(target=self._write_all, name="sealog-writer")
            self._keeper = threading.Thread(target=self._keep_short, name="sealog-checkpointer")
            for thread in (self._writer, self._keeper):
                # Whoever forgets to close must not hang; what is durable stays so.
                thread.daemon = True
                thread.start()
        # Readers cannot write, so they can never stand in the writer's way.
        self._reading = _engine(path, "ro" if writable else _looking_mode(path), (), "BEGIN")
        if not writable:
            self._check_revision()

    def write(
        self,
        work: Callable[[Connection], T],
        *,
        urgent: bool = False,
        then: Callable[[Future[T]], None] | None = None,
    ) -> Future[T]:
        """Queue `work(connection)` as one transaction; its result or exception is the future's.

        `then` gets the future once it is done, in the writing thread, before any other work.

        The exception is `Busy` where the disk or another process stood in the way: then nothing was
        written and the same work may be queued again. Raises `Misconfigured` once closed.
        """
        done: Future[T] = Future()
        if then is not None:
            done.add_done_callback(then)
        with self._wake:
            # What was accepted before closing is finished, so its own writes are still taken.
            if self._writer is None or (
                self._closing and threading.current_thread() is not self._writer
            ):
                raise Misconfigured("this store takes no writes: it is closed, or only reads")
            (self._urgent if urgent else self._other).append((work, done))
            self._wake.notify()
        return done

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that reads one moment of the file.

        MUST be given back soon: while one is out, the write-ahead log cannot begin anew. Raises
        `Busy` where the disk, or how many files may be open, stands in the way.
        """
        try:
            with self._reading.connect() as connection, connection.begin():
                yield connection
        except (sqlite3.Error, DBAPIError) as error:
            passing = _passing(error, "read")
            if passing is error:
                raise
            raise passing from error

    def truncate_every(self, most_s: float) -> None:
        """Truncate the write-ahead log at least so often, and as often as the settings say."""
        self._truncate_every_s = min(most_s, self._settings.truncate_every_s)

    def close(self) -> None:
        """Finish what is queued, fold the write-ahead log into the file, and stop."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        self._stopped.set()
        for thread in (self._writer, self._keeper):
            if thread is not None:
                thread.join()
        self._reading.dispose()
        if self._writer is not None:
            with self._writing.connect() as connection, suppress(sqlite3.Error):
                _shrink_whole(connection)
            # The last connection to go takes the write-ahead log with it.
            self._writing.dispose()

    def _migrate(self) -> None:
        with self._writing.connect() as connection:
            found = _revision(connection)
            if found is None:
                with connection.begin():
                    metadata.create_all(connection)
                    connection.exec_driver_sql(_REVISIONS)
                    connection.exec_driver_sql(
                        "INSERT INTO alembic_version VALUES (?)", (REVISION,)
                    )
                return
        if found != REVISION:
            self._upgrade(found)

    def _upgrade(self, found: str) -> None:
        from alembic import command  # noqa: PLC0415 - only an older folder pays for it
        from alembic.config import Config  # noqa: PLC0415
        from alembic.util import CommandError  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        with self._writing.begin() as connection:
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise Misconfigured(
                    f"{self._path} has tables of revision {found}, which this program does not know"
                ) from error

    def _check_revision(self) -> None:
        with self._reading.connect() as connection:
            found = _revision(connection)
        if found != REVISION:
            self._reading.dispose()
            raise Misconfigured(
                f"{self._path} has tables of revision {found}, this program reads {REVISION}:"
                " start the server on it once"
            )

    def _write_all(self) -> None:
        with self._writing.connect() as connection:
            turn = False
            while True:
                with self._wake:
                    while not (self._urgent or self._other or self._closing):
                        self._wake.wait()
                    turn = bool(self._urgent) and not (turn and self._other)
                    queue = self._urgent if turn else self._other
                    if not queue:
                        return
                    work, done = queue.popleft()
                _run(connection, work, done)
                # Whoever waits for what the work held to be let go must not wait for the next.
                del work, done

    def _keep_short(self) -> None:
        """Keep the write-ahead log short, mostly while nobody waits for it: PASSIVE blocks no one.

        The small rest is copied between two transactions, because under steady writing there is
        never a moment at which all is copied, and the log would grow without end.
        """
        idle_s = 0.0
        free: deque[int] = deque(maxlen=FREE_LOOKS)
        while not self._stopped.wait(self._settings.look_every_s):
            idle_s += self._settings.look_every_s
            try:
                with self._writing.connect() as connection:
                    if self._look(connection, free, due=idle_s >= self._truncate_every_s):
                        idle_s = 0.0
            except (sqlite3.Error, DBAPIError, OSError, Busy, Misconfigured):
                continue  # The disk is full or fails, or we close: the next round tries again.

    def _look(self, connection: Connection, free: deque[int], *, due: bool) -> bool:
        """One look at the log; whether it was truncated."""
        free.append(_free_pages(connection))
        if len(free) == FREE_LOOKS and min(free) > FREE_PAGES_KEPT:
            self._give_back(free)
        log = self._path.with_name(self._path.name + "-wal")
        bytes_now = log.stat().st_size if log.exists() else 0
        if not bytes_now or not (due or bytes_now > self._settings.wal_bytes_max):
            return False
        driver(connection).execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        return self.write(_truncate if due else _restart).result() and due

    def _give_back(self, free: deque[int]) -> None:
        """A few pages that nobody needed for a while, between two transactions."""
        for _ in range(SHRINK_STEPS):
            if min(free) <= FREE_PAGES_KEPT or self._stopped.is_set():
                return
            try:
                self.write(_shrink).result()
            except (sqlite3.Error, Busy, Misconfigured):
                return  # The disk is full, or we close.
            for place, pages in enumerate(free):
                free[place] = pages - SHRINK_PAGES


_Work = tuple[Callable[[Connection], Any], Future[Any]]

MIGRATIONS = Path(__file__).parent / "migrations"
# As Alembic makes it.
_REVISIONS = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
    " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)


def driver(connection: Connection) -> sqlite3.Connection:
    """The SQLite driver's own connection, for the one hot transaction and for pragmas."""
    inner = connection.connection.driver_connection
    assert isinstance(inner, sqlite3.Connection)
    return inner


def _restart(connection: Connection) -> bool:
    return _checkpoint(connection, "RESTART")


def _truncate(connection: Connection) -> bool:
    return _checkpoint(connection, "TRUNCATE")


def _shrink(connection: Connection) -> bool:
    # Its rows have no columns: `execute` would stop after the first page.
    driver(connection).executescript(f"PRAGMA incremental_vacuum({SHRINK_PAGES})")
    return True


def _free_pages(connection: Connection) -> int:
    return int(driver(connection).execute("PRAGMA freelist_count").fetchone()[0])


def _shrink_whole(connection: Connection) -> None:
    """Give free pages back while there is time for it."""
    until = time.monotonic() + CLOSING_S
    while _free_pages(connection) and time.monotonic() < until:
        _shrink(connection)


# These run between transactions, not in one: a checkpoint cannot.
_BETWEEN = frozenset({_restart, _truncate, _shrink})
_READERS_TIMEOUT_MS = 100


def _checkpoint(connection: Connection, mode: str) -> bool:
    """Copy the rest of the write-ahead log back; False where a reader still needs it."""
    inner = driver(connection)
    inner.execute(f"PRAGMA busy_timeout={_READERS_TIMEOUT_MS}")
    try:
        busy, _, _ = inner.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
    finally:
        inner.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    return not busy


def _run(connection: Connection, work: Callable[[Connection], Any], done: Future[Any]) -> None:
    if not done.set_running_or_notify_cancel():
        return
    try:
        if work in _BETWEEN:
            result = work(connection)
        else:
            with connection.begin():
                result = work(connection)
    except BaseException as error:  # noqa: BLE001 - handed to whoever waits for the future
        if driver(connection).in_transaction:
            driver(connection).rollback()
        done.set_exception(_passing(error, "written"))
    else:
        done.set_result(result)


def _passing(error: BaseException, done: str) -> BaseException:
    """`Busy` for what the disk or another process did; every other error as it is."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", None)
    if not isinstance(cause, sqlite3.Error) or code is None or code & 0xFF not in _PASSING:
        return error
    busy = Busy(f"state.db could not be {done}: {cause}", retry_after_s=5.0)
    busy.__cause__ = error
    return busy


def _looking_mode(path: Path) -> str:
    """How to read a file that may lie on a read-only medium, where SQLite cannot make its index."""
    log = path.with_name(path.name + "-wal")
    if os.access(path.parent, os.W_OK) or log.exists():
        return "ro"
    return "ro&immutable=1"


def _engine(path: Path, mode: str, pragmas: tuple[str, ...], begin: str) -> Engine:
    address = f"file:{quote(str(path.absolute()))}?mode={mode}"
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(
            address, uri=True, check_same_thread=False, isolation_level=None
        ),
        poolclass=QueuePool,
        pool_size=16,
        max_overflow=32,
    )

    @event.listens_for(engine, "connect")
    def _prepare(inner: sqlite3.Connection, _record: object) -> None:
        for pragma in (f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}", *pragmas):
            inner.execute(pragma)
        inner.execute("PRAGMA cache_size=-8192")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # The writer takes the lock at once: it never finds, halfway, that what it read is old.
        connection.exec_driver_sql(begin)

    return engine


def _revision(connection: Connection) -> str | None:
    inner = driver(connection)
    named = inner.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    if named is None:
        return None
    row = inner.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])
