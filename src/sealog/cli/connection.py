"""One way to work on a data folder and on a server: the API, in this process or over the network.

A command on a data folder owns it while it runs. Where a server owns it, reading commands look at it
beside the server, and writing ones say so.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from sealog.cli.options import Where
from sealog.errors import Misconfigured, Refused

if TYPE_CHECKING:
    import httpx

    from sealog.app import App

TIMEOUT_S = 120.0
_HERE = "http://sealog.localhost"
# What the server says of a value that the command line was given.
_WRONG_VALUE = (400, 422)


class WrongValue(Misconfigured):
    """The API could not take a value that the command line was given."""

    def __init__(self, detail: str, faults: list[dict[str, Any]]) -> None:
        super().__init__(detail)
        self.faults = faults
        """The problem's `errors`."""


class Client(msgspec.Struct):
    """The API, wherever it is. `app` is set where it runs in this process."""

    http: "httpx.AsyncClient"
    app: "App | None" = None

    async def get(self, path: str, **params: Any) -> "httpx.Response":
        """GET, parameters that are None left out; raises as `checked`."""
        return checked(await self.http.get(path, params=_given(params)))

    async def post(self, path: str, value: Any) -> "httpx.Response":
        """POST a value as JSON."""
        content = msgspec.json.encode(value)
        headers = {"content-type": "application/json"}
        return checked(await self.http.post(path, content=content, headers=headers))

    async def put(self, path: str, value: Any, **params: Any) -> "httpx.Response":
        """PUT a value as JSON."""
        content = msgspec.json.encode(value)
        headers = {"content-type": "application/json"}
        given = _given(params)
        return checked(await self.http.put(path, content=content, headers=headers, params=given))

    async def delete(self, path: str) -> "httpx.Response":
        """DELETE."""
        return checked(await self.http.delete(path))


@asynccontextmanager
async def connected(where: Where, *, writing: bool) -> AsyncIterator[Client]:
    """The API of a server, or of a data folder opened here. Raises `Misconfigured`."""
    import httpx

    if where.server is not None:
        headers = {} if where.key is None else {"authorization": f"Bearer {where.key}"}
        address = _address(where.server)
        async with httpx.AsyncClient(base_url=address, headers=headers, timeout=TIMEOUT_S) as http:
            try:
                yield Client(http)
            except httpx.TransportError as error:
                raise Refused(f"{where.server} does not answer: {error}") from error
        return
    if where.key is not None:
        raise Misconfigured("--key goes with --server: a data folder needs none")
    with opened(where, writing=writing) as app:
        from sealog.app import api

        secret = app.keys.lend()
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(api(app), raise_app_exceptions=False),
            base_url=_HERE,
            headers={"authorization": f"Bearer {secret}"},
            timeout=None,  # noqa: S113 - there is no network, and large files take their time
        ) as http:
            yield Client(http, app)


@contextmanager
def opened(where: Where, *, writing: bool) -> Iterator["App"]:
    """The data folder, owned, or for reading beside the server that owns it."""
    from sealog import app, config

    settings = config.load(where.config)
    owned = app.is_owned(where.data)
    if not writing and not app.exists(where.data):
        raise Misconfigured(f"{where.data} is not a data folder: it has no FORMAT")
    if not writing:
        app.check_format(where.data)
    if owned and not writing:
        with app.looking(where.data, settings) as running:
            yield running
        return
    with app.running(where.data, settings) as running:
        yield running


def checked(response: "httpx.Response") -> "httpx.Response":
    """The response; else `Refused`, or `WrongValue`, in its problem's words."""
    if response.is_success:
        return response
    faults: list[dict[str, Any]] = []
    try:
        problem = msgspec.json.decode(response.content, type=dict[str, Any])
        detail = str(problem.get("detail") or problem.get("title"))
        faults = problem.get("errors", [])
        places = [fault["pointer"] for fault in faults if fault.get("pointer")]
        if places:
            detail = f"{' '.join(places)}: {detail}"
    except msgspec.DecodeError:
        detail = response.text[:300]
    detail = f"{detail} (HTTP {response.status_code})"
    if response.status_code in _WRONG_VALUE:
        raise WrongValue(detail, faults)
    raise Refused(detail)


def _given(params: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value not in (None, "", [])}


def _address(server: str) -> str:
    parts = urlsplit(server)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise Misconfigured(f"--server is a URL such as http://127.0.0.1:8321, not {server!r}")
    return server.rstrip("/")
