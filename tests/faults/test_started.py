"""A start on a disk that fails: it serves, or ends and says why; the next one finds everything."""

import asyncio
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from tests.cli.made import SCRIPT, environment, free_port
from tests.faults.cases import HURRIED, chosen
from tests.faults.checks import (
    check_receipts,
    check_recovered,
    check_stopped,
    until,
    wait_for_the_end_of,
)
from tests.faults.senders import Ledger, Sender, load

FAULTS = {
    "cut-back-EIO": "truncate,unlink:error=EIO",
    "write-EIO": "pwrite64:error=EIO",
    "write-ENOSPC": "pwrite64:error=ENOSPC",
    "write-EIO-later": "pwrite64:error=EIO:when=20+",
    "sync-EIO": "fsync,fdatasync:error=EIO",
    "sync-EIO-later": "fsync,fdatasync:error=EIO:when=2+",
    "delete-EIO": "unlink,unlinkat:error=EIO",
}
FEW = ("cut-back-EIO",)
LASTS_S = 4
ENDS_WITHIN_S = 30


@pytest.mark.parametrize("name", chosen(FAULTS, FEW))
def test_a_start_on_a_disk_that_fails_spoils_nothing(tmp_path, data, serve, name):
    """After kill -9, when there is most to put right."""
    ledger = Ledger()
    # Nothing is noted as synced, so that there is something to cut back and fill again.
    server = serve(**HURRIED | {"LEDGER__SYNC_EVERY_S": 3600})
    key = server.key
    senders = [Sender(f"{name}-{number}", 0, ledger) for number in range(3)]

    async def end():
        await until(lambda: list(data.glob("logs/*/checkpoint")))
        server.kill()
        await asyncio.to_thread(wait_for_the_end_of, server)

    asyncio.run(load(server, key, senders, end))
    code, said = started_on(data, FAULTS[name], tmp_path / "strace.log")
    assert "(INJECTED)" in (tmp_path / "strace.log").read_text("utf-8", "replace")
    again = serve(**HURRIED)
    check_receipts(again, key, ledger)
    check_recovered(again, key, ledger)

    assert code in {0, 1}
    assert code == 0 or said.startswith("sealog: ")
    assert "Traceback" not in said
    assert again.stop() == 0
    check_stopped(data)


def started_on(data, fault, log):
    """How a server ended that was told to after a while, if it had not by itself; what it said."""
    if shutil.which("strace") is None:
        pytest.skip("there is no strace here: `just tools`")
    calls = fault.partition(":")[0]
    command = ["strace", "-f", "-qq", "-o", log, "-e", f"trace={calls}", "-e", f"inject={fault}"]
    port = free_port()
    command += [SCRIPT, "serve", "--data", data, "--listen", f"127.0.0.1:{port}"]
    settings = {f"SEALOG_{name}": str(value) for name, value in HURRIED.items()}
    tracer = subprocess.Popen(
        list(map(str, command)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=data.parent,
        env=environment() | settings,
    )
    try:
        _wait_until_it_listens(tracer, port)
        tracer.wait(LASTS_S)
    except subprocess.TimeoutExpired:
        (server,) = Path(f"/proc/{tracer.pid}/task/{tracer.pid}/children").read_text().split()
        subprocess.run(["kill", f"-{signal.SIGTERM}", server], check=True)
    try:
        return tracer.wait(ENDS_WITHIN_S), tracer.stderr.read().decode()
    finally:
        tracer.kill()
        tracer.wait()
        tracer.stderr.close()


def _wait_until_it_listens(tracer, port):
    """Or has ended, or does not get that far. Before, nobody would hear that it should end."""
    until = time.monotonic() + ENDS_WITHIN_S
    while tracer.poll() is None and time.monotonic() < until:
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
