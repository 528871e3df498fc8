"""`sealog serve`: the API on a data folder until it is told to stop."""

import gc
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sealog.cli.options import Where
from sealog.cli.printing import say, tell
from sealog.cli.sparing import spare_memory
from sealog.errors import Misconfigured

if TYPE_CHECKING:
    from sealog.app import App
    from sealog.config import ServerSettings

STOP_WITHIN_S = 8
"""What is under way when told to stop is finished within this; the rest is cut off."""
BACKLOG = 2_048
_WORKERS_MAX = 4
_ALL_SCOPES = ("ingest", "read", "export", "admin", "erase")


class Chosen(msgspec.Struct, frozen=True):
    """What the command line says over the configuration."""

    listen: str | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False


def serve(where: Where, chosen: Chosen, against: Sequence[Path]) -> None:
    """Own the folder and serve it. A folder without any key gets one, shown this once."""
    spare_memory()
    # Nothing of what a start makes is a cycle to be found: looking costs a tenth of it.
    gc.disable()
    try:
        _serve(where, chosen, against)
    finally:
        gc.enable()


def _serve(where: Where, chosen: Chosen, against: Sequence[Path]) -> None:
    from sealog import app, config

    settings = config.load(where.config)
    server = settings.server.model_copy(update=_given(chosen))
    host, port = address_of(server.listen)
    check(host, server)
    notes = [path.read_bytes() for path in against]
    workers = workers_of(settings.intake.workers)
    if app.is_older(where.data):
        tell(f"{where.data} has an older format: it is brought along first")
    with app.running(where.data, settings, against=notes, workers=workers) as running:
        running.exports.start()
        running.delivery.streams.start()
        running.services.start()
        running.retainer.start()
        if not running.keys.all():
            _, secret = running.keys.create("first key, made by serve", None, _ALL_SCOPES)
            say(f"first key: {secret}")
            say("It is for every tenant and every scope, and is not shown again.")
        run(running, server, (host, port))


def run(running: "App", server: "ServerSettings", bound: tuple[str, int]) -> None:
    """Serve until SIGINT or SIGTERM; what is under way is answered first.

    Raises `Misconfigured` where the address cannot be listened on.
    """
    import uvicorn

    from sealog.app import api
    from sealog.server.sending import in_one_piece

    scheme = "https" if server.tls_certificate else "http"
    host, port = bound
    door = api(running, server)
    config = uvicorn.Config(
        door,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        http=in_one_piece(),
        date_header=True,
        proxy_headers=False,
        timeout_graceful_shutdown=STOP_WITHIN_S,
        ssl_certfile=server.tls_certificate,
        ssl_keyfile=server.tls_key,
        backlog=BACKLOG,
    )

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            door.end()
            await super().shutdown(sockets)

    serving = Server(config)

    def end(_number: int, _frame: object) -> None:
        serving.should_exit = True

    with _listening(host, port) as listener:
        _log_to_stderr()
        # uvicorn hands the signal on once it has drained, and one may come before it listens to
        # them; what follows is ours, not the system's.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        shown = f"[{host}]" if ":" in host else host
        # What is there for good need not be searched for cycles: a tenth of a second each time.
        gc.freeze()
        gc.enable()
        say(f"listening on {scheme}://{shown}:{port}")
        # Not before: what they import would take the processor from our own beginning.
        running.intake.warm()
        serving.run([listener])


def _log_to_stderr() -> None:
    """One line of JSON a message, apart from what the command prints."""
    import structlog

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def check(host: str, server: "ServerSettings") -> None:
    """Refuse what would send keys over a network in the clear. Raises `Misconfigured`."""
    from sealog.server.listening import check_listening

    if (server.tls_certificate is None) != (server.tls_key is None):
        raise Misconfigured("a TLS certificate and its key go together")
    for path in (server.tls_certificate, server.tls_key):
        if path is not None and not path.is_file():
            raise Misconfigured(f"there is no {path}")
    check_listening(host, tls=server.tls_certificate is not None, behind_proxy=server.behind_proxy)


def workers_of(wanted: int | None) -> int:
    """How many processes prepare: as many as wanted; else one more than cores, up to 4.

    One more, because each waits now and then for the one writer; none on a single core.
    """
    if wanted is not None:
        return wanted
    cores = len(os.sched_getaffinity(0))
    return min(cores + 1, _WORKERS_MAX) if cores > 1 else 0


def address_of(listen: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:8321` or `[::1]:8321`. Raises `Misconfigured`."""
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise Misconfigured(f"--listen is ADDRESS:PORT, not {listen!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _listening(host: str, port: int) -> socket.socket:
    """Bound before anything is said of it: whoever reads the line may connect."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise Misconfigured(f"cannot listen on {host}:{port}: {error.strerror}") from error


def _given(chosen: Chosen) -> dict[str, object]:
    values = msgspec.structs.asdict(chosen)
    return {name: value for name, value in values.items() if value}
