"""The peers as the measures see them: an address, and what it costs."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import asyncpg
import httpx

from bench import processes
from bench.peers import postgres_app
from bench.peers.cluster import Cluster

READY_WITHIN_S = 30.0


class Peer:
    """A web application in a process of its own, in front of a PostgreSQL of its own."""

    key = "none"

    def __init__(self, folder: Path, application: str) -> None:
        self._cluster = Cluster(folder)
        self.environment = os.environ | {
            "DSN": self._cluster.dsn,
            "SOCKETS": str(self._cluster.sockets),
        }
        self._prepare()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        quiet = ["--log-level", "error", "--no-access-log"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", application, "--port", str(port), *quiet],
            env=self.environment,
        )
        until = time.monotonic() + READY_WITHIN_S
        while True:
            try:
                httpx.get(self.url + "/none")
            except httpx.TransportError:
                assert time.monotonic() < until
                time.sleep(0.1)
            else:
                return

    def _prepare(self) -> None:
        """Make the tables."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(60)
        self._cluster.__exit__()

    def _pids(self) -> list[int]:
        return [*processes.family(self._process.pid), *processes.family(self._cluster.pid)]

    def cpu_s(self) -> float:
        """Seconds of processor of the application and the database."""
        return processes.cpu_s(self._pids())

    def memory_mb(self) -> float:
        """Anonymous resident memory; what the database shares between its processes aside."""
        return processes.memory_mb(self._pids())

    def disk_bytes(self) -> int:
        """The whole database."""
        return processes.disk_bytes(self._cluster.data)

    def settle(self, events: int) -> None:
        """Everything is done when it is answered."""

    def client(self) -> httpx.Client:
        """For questions."""
        return httpx.Client(base_url=self.url, timeout=120)


class PostgresPeer(Peer):
    """The FastAPI application with the same indexes."""

    def __init__(self, folder: Path, *, text_index: bool = True) -> None:
        self._text_index = text_index
        super().__init__(folder, "bench.peers.postgres_app:app")

    def _prepare(self) -> None:
        statements = postgres_app.TABLE.strip().split(";\n")
        if not self._text_index:
            statements = [one for one in statements if "USING gin" not in one]
        asyncpg_run(self.environment["DSN"], statements)


class DjangoPeer(Peer):
    """django-auditlog in bulk."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "bench.peers.django_app:app")

    def _prepare(self) -> None:
        subprocess.run(
            [sys.executable, "-m", "bench.peers.django_app"], env=self.environment, check=True
        )


def asyncpg_run(dsn: str, statements: list[str]) -> None:
    """Run statements one after the other."""

    async def run() -> None:
        connection = await asyncpg.connect(dsn)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())
