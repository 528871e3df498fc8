"""Files to take in, commands as a person types them, and servers of their own process."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec

SCRIPT = Path(sys.executable).parent / "sealog"


class Ran(NamedTuple):
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def value(self):
        """What `--json` printed: one line, plain."""
        assert self.out.endswith("\n"), self
        assert self.out.count("\n") == 1, self.out
        return msgspec.json.decode(self.out)


def ecs(number, **more):
    """A clean native event."""
    return {
        "@timestamp": f"2026-10-05T08:{number // 60 % 60:02}:{number % 60:02}.000Z",
        "ecs": {"version": "8.11.0"},
        "event": {"id": f"e-{number}", "action": "user.login", "outcome": "success"},
        "user": {"id": f"u-{number % 3}", "name": "=SUM(A1)"},
        **more,
    }


def hit(number):
    """A record of Closer as its search gives it."""
    message = {"event.action": "agent_login", "event.outcome": "success", "user.id": "u-1"}
    at = f"2026-10-05T08:00:{number:02}.000+0000"
    source = {"@timestamp": at, "message": message}
    return {"_index": "i", "_type": "entry", "_id": f"hit-{number}", "_source": source}


def lines(*values):
    """NDJSON."""
    return b"".join(msgspec.json.encode(value) + b"\n" for value in values)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def environment():
    """Nothing of the machine's settings; what is compiled once is kept for the next process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SEALOG_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    # As a service runs: what is printed goes to a pipe, and must not wait there.
    kept.pop("PYTHONUNBUFFERED", None)
    kept["COLUMNS"] = "200"
    return kept


def script(*args, cwd, stdin=b""):
    """Run the console script to its end."""
    ran = subprocess.run(
        [SCRIPT, *map(str, args)], cwd=cwd, input=stdin, capture_output=True, env=environment()
    )
    return Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode())


class Served:
    """`sealog serve` on a data folder, on a free port of loopback."""

    def __init__(self, data, *more, preset=None, **settings):
        """`settings`: variables without their `SEALOG_`; `preset`: other variables."""
        self.url = f"http://127.0.0.1:{free_port()}"
        self._mark = f"TESTED_AT={self.url}".encode()
        command = [SCRIPT, "serve", "--data", data, "--listen", self.url[7:], *more]
        self.process = subprocess.Popen(
            list(map(str, command)),
            stdout=subprocess.PIPE,
            cwd=data.parent,
            env=environment()
            | {f"SEALOG_{name}": str(value) for name, value in settings.items()}
            | {"TESTED_AT": self.url}
            | (preset or {}),
        )
        self.key = None
        self._read_what_it_says()

    def _read_what_it_says(self):
        for line in self.process.stdout:
            if line.startswith(b"first key: "):
                self.key = line.split()[-1].decode()
            if line.startswith(b"listening on "):
                return
        raise AssertionError(f"the server ended with {self.process.wait()}")

    def client(self, key=None):
        return httpx.Client(
            base_url=self.url, headers={"authorization": f"Bearer {key or self.key}"}, timeout=60
        )

    def left(self):
        """Processes that work on the folder: the server, and whatever it started."""
        return [
            path.name
            for path in Path("/proc").iterdir()
            if path.name.isdecimal() and self._mark in _environment_of(path)
        ]

    def kill(self):
        """kill -9: nothing is finished."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self, within_s=10.0):
        """SIGTERM; the exit code. It MUST end by itself within the time."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(within_s)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()


def _environment_of(path):
    try:
        return (path / "environ").read_bytes()
    except OSError:
        # It ended meanwhile, or is not ours to look at.
        return b""
