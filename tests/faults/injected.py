"""Faults of the disk under a running server: strace answers its system calls in the kernel's place."""

import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

SLOW_DELAY_US = 60_000
ATTACHED_WITHIN_S = 60


@contextmanager
def injected(server, folder, calls, fault, *, paths=()):
    """While inside, `calls` of the server end as `fault` says; how often is in what is yielded.

    `calls`: names of system calls. `fault`: as strace has it, such as `error=ENOSPC` or
    `delay_enter=60000`. `paths`: only calls on these files, which MUST be there; without them on
    any, so that the calls MUST NOT be ones by which processes or threads talk to each other.
    """
    log = folder / "strace.log"
    command = ["strace", "-f", "-qq", "-o", log, "-e", f"trace={calls}"]
    command += ["-e", f"inject={calls}:{fault}"]
    for path in paths:
        command += ["-P", path]
    if shutil.which("strace") is None:
        pytest.skip("there is no strace here: `just tools`")
    tracer = _attached(server, list(map(str, command)))
    try:
        yield Seen(log)
    finally:
        _end(tracer)


class Seen:
    """What strace wrote down."""

    def __init__(self, log):
        self._log = log

    def count(self):
        """How many calls were answered by us."""
        text = self._log.read_text("utf-8", "replace") if self._log.exists() else ""
        return text.count("(INJECTED)") + text.count("(DELAYED)")


def _attached(server, command):
    """A tracer of everything that the server is made of.

    What began while it was attached may have been missed: then all is begun again.
    """
    until = time.monotonic() + ATTACHED_WITHIN_S
    while True:
        pids = server.left()
        tracer = subprocess.Popen(
            [*command, *(word for pid in pids for word in ("-p", pid))], stderr=subprocess.PIPE
        )
        try:
            _wait_until_attached(pids, tracer, until)
            if all(map(_traced, server.left())):
                return tracer
        except BaseException:
            _end(tracer)
            raise
        _end(tracer)


def _end(tracer):
    tracer.send_signal(signal.SIGINT)
    tracer.wait(ATTACHED_WITHIN_S)
    tracer.stderr.close()


def _wait_until_attached(pids, tracer, until):
    while not all(map(_traced, pids)):
        if tracer.poll() is not None:
            said = tracer.stderr.read().decode()
            if "Operation not permitted" in said:
                pytest.skip(f"this machine lets nobody trace: {said.strip()}")
            raise AssertionError(said)
        assert time.monotonic() < until
        time.sleep(0.02)


def _traced(pid):
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True
    return any(
        line.startswith("TracerPid:") and line.split()[1] != "0" for line in status.splitlines()
    )
