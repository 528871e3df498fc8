"""Connections that only go where an address was judged: after the name was resolved, each time.

The connection goes to the very address that was judged, never to the name again, so that a name
which changes its mind in between changes nothing. TLS still verifies the name. No proxy is used,
whatever the environment says.
"""

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_address
from typing import Protocol

import httpcore

from sealog.delivery import addresses
from sealog.delivery.addresses import Address, Allowed, Place

LOOKUPS_AT_ONCE = 16
ADDRESSES_TRIED_MAX = 4
CONNECT_S = 3.0
"""An address that does not answer for so long is left for the next, where there is one."""

SocketOption = (
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
)


class Barred(Exception):
    """No address of the host may be connected to. The text names no address."""


class Unresolved(Exception):
    """The name stands for nothing, or nobody says for what."""


class Resolving(Protocol):
    """Says which addresses a name stands for now."""

    async def __call__(self, host: str, port: int) -> list[str]:
        """The addresses, the preferred first. Raises `OSError`."""
        ...


class Resolver:
    """Asks the system, in threads of its own: names that nobody answers for hold up only each other.

    A name that is being asked for is not asked for twice, and no thread holds up the end of the
    process. Used from one event loop.
    """

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(LOOKUPS_AT_ONCE)
        self._asked: dict[tuple[str, int], asyncio.Task[list[str]]] = {}

    async def __call__(self, host: str, port: int) -> list[str]:
        """The addresses of a name. Raises `OSError`."""
        asked = self._asked.get((host, port))
        if asked is None:
            asked = asyncio.get_running_loop().create_task(self._ask(host, port))
            self._asked[host, port] = asked
            asked.add_done_callback(lambda done: self._forget((host, port), done))
        # Whoever gives up waiting does not end it for the others.
        return await asyncio.shield(asked)

    async def _ask(self, host: str, port: int) -> list[str]:
        async with self._room:
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[list[str]] = loop.create_future()

            def tell(found: list[str] | OSError) -> None:
                if answer.done():
                    return
                if isinstance(found, OSError):
                    answer.set_exception(found)
                else:
                    answer.set_result(found)

            def work() -> None:
                found = _look_up(host, port)
                # The loop may have ended meanwhile: then nobody waits.
                with suppress(RuntimeError):
                    loop.call_soon_threadsafe(tell, found)

            threading.Thread(target=work, name="sealog-lookup", daemon=True).start()
            return await answer

    def _forget(self, name: tuple[str, int], done: "asyncio.Task[list[str]]") -> None:
        self._asked.pop(name, None)
        if not done.cancelled():
            # Nobody may be waiting for it any more.
            done.exception()


class Judged(httpcore.AsyncNetworkBackend):
    """The network as one destination sees it."""

    def __init__(self, place: Place, allowed: Allowed, resolve: Resolving) -> None:
        self._place = place
        self._allowed = allowed
        self._resolve = resolve
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the shape httpcore calls
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to an address of the host that may be connected to.

        Raises `Barred`, `Unresolved`, and what httpcore raises where none of them answers.
        """
        assert (host, port) == (self._place.host, self._place.port)
        failed: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        tried = (await self._open())[:ADDRESSES_TRIED_MAX]
        for left, address in zip(reversed(range(len(tried))), tried, strict=True):
            # The last may take what time there is.
            limit_s = min(timeout or CONNECT_S, CONNECT_S) if left else timeout
            try:
                return await self._network.connect_tcp(
                    str(address), port, limit_s, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        assert failed is not None
        raise failed

    async def sleep(self, seconds: float) -> None:
        """Wait between attempts; none are made here."""
        await asyncio.sleep(seconds)

    async def _open(self) -> list[Address]:
        """The addresses that may be connected to, one at least."""
        found = await self._found()
        barred = [addresses.bars(one, self._place, self._allowed) for one in found]
        free = [one for one, why in zip(found, barred, strict=True) if why is None]
        if not free:
            raise Barred(barred[0])
        return free

    async def _found(self) -> list[Address]:
        if self._place.literal is not None:
            return [self._place.literal]
        try:
            answered = await self._resolve(self._place.host, self._place.port)
            found = [ip_address(one) for one in answered]
        except (OSError, ValueError) as error:
            raise Unresolved("the host name does not resolve") from error
        if not found:
            raise Unresolved("the host name has no address")
        return list(dict.fromkeys(found))


def trust(authority: str | None = None) -> ssl.SSLContext:
    """How certificates are verified: by the public authorities, or only by those in a PEM text.

    Raises `ValueError` for a text that holds none.
    """
    if authority is None:
        import httpx  # noqa: PLC0415 - heavy, and only for its way to the authorities

        return httpx.create_ssl_context(trust_env=True)
    if not authority.strip():
        raise ValueError("there is no certificate in it")
    try:
        context = ssl.create_default_context(cadata=authority)
    except (ssl.SSLError, ValueError) as error:
        raise ValueError("this is no certificate in PEM") from error
    if not context.cert_store_stats()["x509"]:
        raise ValueError("there is no certificate in it")
    return context


def _look_up(host: str, port: int) -> list[str] | OSError:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        return error
    except UnicodeError:
        return OSError(f"{host} is no name")
    return [str(address[0]) for *_, address in found]
