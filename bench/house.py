"""A real server on a folder of its own, and what it has done by now."""

import os
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Self

import httpx
import msgspec

from bench import processes

SETTLES_WITHIN_S = 300.0


class Done(msgspec.Struct, frozen=True):
    """How far everything that follows the journal has come, in events."""

    accepted: int
    sealed: int
    """In a signed checkpoint."""
    cut: int
    """In a segment."""
    due: int
    """Of tenants that have enough for a segment, and not yet in one."""
    waiting_blocks: int
    """Blocks of the journal that are not deleted."""


class House:
    """`sealog serve` in a process of its own."""

    def __init__(self, folder: Path, segment_events: int = 512) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.folder = folder
        self._segment_events = segment_events
        script = Path(sys.executable).parent / "sealog"
        limits = {
            "SEALOG_SERVER__REQUESTS_PER_S": "1000000",
            "SEALOG_SERVER__REQUESTS_BURST": "1000000",
        }
        self.process = subprocess.Popen(
            [script, "serve", "--data", folder, "--listen", f"127.0.0.1:{port}"],
            stdout=subprocess.PIPE,
            env=os.environ | limits,
        )
        self.key = ""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(b"first key: "):
                self.key = line.split()[-1].decode()
            if line.startswith(b"listening on "):
                break

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def cpu_s(self) -> float:
        """Seconds of processor the server has used so far: all threads, all its processes."""
        return processes.cpu_s(processes.family(self.process.pid))

    def memory_mb(self) -> float:
        """Anonymous resident memory of all its processes."""
        return processes.memory_mb(processes.family(self.process.pid))

    def open_files(self) -> int:
        """Open in the server's own process."""
        return sum(1 for _ in Path(f"/proc/{self.process.pid}/fd").iterdir())

    def disk_bytes(self) -> int:
        """All files of the data folder."""
        return processes.disk_bytes(self.folder)

    def done(self) -> Done:
        """Read beside the server, so that asking costs it nothing."""
        file = f"file:{self.folder / 'state.db'}?mode=ro"
        with closing(sqlite3.connect(file, uri=True, timeout=10)) as state:
            rows = state.execute(
                "SELECT h.size, coalesce(s.size, 0), h.archived FROM heads h LEFT JOIN signed s USING (tenant)"
            ).fetchall()
            blocks = state.execute("SELECT count(*) FROM blocks").fetchone()[0]
        due = [size - cut for size, _, cut in rows if size - cut >= self._segment_events]
        return Done(
            accepted=sum(row[0] for row in rows),
            sealed=sum(row[1] for row in rows),
            cut=sum(row[2] for row in rows),
            due=sum(due),
            waiting_blocks=blocks,
        )

    def settle(self, events: int) -> Done:
        """Wait until all is sealed, and archived as far as it is due."""
        until = time.monotonic() + SETTLES_WITHIN_S
        while True:
            done = self.done()
            if done.accepted >= events and done.sealed == done.accepted and not done.due:
                return done
            assert time.monotonic() < until, done
            time.sleep(0.05)

    def client(self) -> httpx.Client:
        headers = {"authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60)
