"""`state.db`: one file, one writing thread that every room queues to, readers beside it."""

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.pool import QueuePool

from sealog.errors import Misconfigured
from sealog.storage.tables import REVISION, metadata

T = TypeVar("T")

WAL_BYTES_BEFORE_CHECKPOINT = 16 << 20
CHECKPOINT_EVERY_S = 2.0
BUSY_TIMEOUT_MS = 10_000


class Store:
    """The one owner of `state.db` in this process.

    `write` queues work for the writing thread; each piece of work is one transaction, durable when
    its future is done. `reading` gives a connection that sees one moment and never waits for the
    writer. Accepting goes before all other work.
    """

    def __init__(self, path: Path, *, writable: bool = True) -> None:
        self._path = path
        self._engine = _engine(path, writable=writable)
        self._urgent: deque[tuple[Callable[[Connection], Any], Future[Any]]] = deque()
        self._other: deque[tuple[Callable[[Connection], Any], Future[Any]]] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        if writable:
            self._migrate()
            for name, run in (("writer", self._write_all), ("checkpointer", self._checkpoint)):
                thread = threading.Thread(target=run, name=f"sealog-{name}", daemon=True)
                self._threads.append(thread)
                thread.start()

    def write(self, work: Callable[[Connection], T], *, urgent: bool = False) -> Future[T]:
        """Queue `work(connection)` as one transaction; its result or exception is the future's."""
        done: Future[T] = Future()
        with self._wake:
            if self._closing:
                raise Misconfigured("the store is closed")
            (self._urgent if urgent else self._other).append((work, done))
            self._wake.notify()
        return done

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that reads one moment of the file."""
        with self._engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Finish what is queued, fold the write-ahead log into the file, and stop."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        if self._threads:
            with self._engine.connect() as connection:
                driver(connection).execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._engine.dispose()

    def _migrate(self) -> None:
        with self._engine.connect() as connection:
            found = _revision(connection)
            if found == REVISION:
                return
            if found is None:
                with connection.begin():
                    metadata.create_all(connection)
                    connection.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
                    connection.execute(
                        text("INSERT INTO alembic_version VALUES (:it)"), {"it": REVISION}
                    )
                return
        self._upgrade()

    def _upgrade(self) -> None:
        from alembic import command  # noqa: PLC0415 - only an older folder pays for it
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self._engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def _write_all(self) -> None:
        with self._engine.connect() as connection:
            while True:
                with self._wake:
                    while not (self._urgent or self._other or self._closing):
                        self._wake.wait()
                    queue = self._urgent or self._other
                    if not queue:
                        return
                    work, done = queue.popleft()
                _run(connection, work, done)

    def _checkpoint(self) -> None:
        """Copy the write-ahead log back while nobody waits for it: PASSIVE blocks no one."""
        log = self._path.with_name(self._path.name + "-wal")
        with self._engine.connect() as connection:
            while True:
                if self._stopped.wait(CHECKPOINT_EVERY_S):
                    return
                try:
                    large = log.stat().st_size > WAL_BYTES_BEFORE_CHECKPOINT
                except FileNotFoundError:
                    continue
                if large:
                    driver(connection).execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def driver(connection: Connection) -> sqlite3.Connection:
    """The SQLite driver's own connection, for the one hot transaction and for pragmas."""
    inner = connection.connection.driver_connection
    assert isinstance(inner, sqlite3.Connection)
    return inner


def _run(connection: Connection, work: Callable[[Connection], Any], done: Future[Any]) -> None:
    if not done.set_running_or_notify_cancel():
        return
    try:
        with connection.begin():
            result = work(connection)
    except BaseException as error:  # noqa: BLE001 - handed to whoever waits for the future
        done.set_exception(error)
    else:
        done.set_result(result)


def _engine(path: Path, *, writable: bool) -> Engine:
    if not writable and not path.exists():
        raise Misconfigured(f"there is no {path}")
    address = f"file:{path}?mode=rwc" if writable else f"file:{path}?mode=ro"
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
        # auto_vacuum must be chosen before the first table; page checksums are not SQLite's.
        inner.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        if writable:
            inner.execute("PRAGMA auto_vacuum=INCREMENTAL")
            inner.execute("PRAGMA journal_mode=WAL")
            inner.execute("PRAGMA synchronous=FULL")
            inner.execute("PRAGMA secure_delete=ON")
            inner.execute("PRAGMA wal_autocheckpoint=0")
        inner.execute("PRAGMA cache_size=-8192")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Readers take no lock; the writing thread is the only one that ever writes.
        connection.exec_driver_sql("BEGIN")

    return engine


def _revision(connection: Connection) -> str | None:
    inner = driver(connection)
    named = inner.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    if named is None:
        return None
    row = inner.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])
