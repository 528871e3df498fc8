"""A PostgreSQL of our own: Debian's, on a socket in its own folder, as durable as it comes."""

import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path
from typing import Self

SETTINGS = {
    "listen_addresses": "''",
    # What its own guide recommends for a machine of this size; durability stays as it comes.
    "shared_buffers": "1GB",
    "effective_cache_size": "6GB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "5min",
    "wal_compression": "on",
}


class Cluster:
    """`postgres` in processes of its own, made anew in `folder`."""

    def __init__(self, folder: Path) -> None:
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        if not programs:
            raise SystemExit("the peer needs Debian's package postgresql")
        self._bin = programs[-1]
        self.folder = folder
        self.sockets = folder / "sockets"
        self._data = folder / "data"
        for path in (folder, self.sockets):
            path.mkdir(parents=True)
        self._as = self._other_user()
        self._run("initdb", "-D", str(self._data), "-U", "bench", "--auth=trust", "-E", "UTF8")
        options = [f"-c{name}={value.strip(chr(39))}" for name, value in SETTINGS.items()]
        self._process = subprocess.Popen(
            [*self._as, self._bin / "postgres", "-D", self._data, "-k", self.sockets, *options],
            stdout=subprocess.DEVNULL,
            stderr=(folder / "log").open("wb"),
        )
        self._wait()

    def _other_user(self) -> list[str]:
        """PostgreSQL refuses to run as root."""
        if os.geteuid() != 0:
            return []
        user = pwd.getpwnam("postgres")
        for path in (self.folder, self.sockets):
            os.chown(path, user.pw_uid, user.pw_gid)
        for path in self.folder.parents:
            if not path.stat().st_mode & 0o001:
                path.chmod(path.stat().st_mode | 0o011)
        setpriv = shutil.which("setpriv")
        assert setpriv is not None
        return [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._as, self._bin / program, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
        )

    def _wait(self) -> None:
        until = time.monotonic() + 60
        ready = [self._bin / "pg_isready", "-h", self.sockets]
        while subprocess.run(ready, stdout=subprocess.DEVNULL, check=False).returncode:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < until
            time.sleep(0.1)

    @property
    def pid(self) -> int:
        """The first of its processes."""
        return self._process.pid

    @property
    def data(self) -> Path:
        """Where everything is, the write-ahead log too."""
        return self._data

    @property
    def dsn(self) -> str:
        """How clients find it."""
        return f"postgresql://bench@/postgres?host={self.sockets}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()  # "smart": waits for clients; those have ended before.
        self._process.wait(120)
