"""Events to a URL, signed as Standard Webhooks 1.0 says, one request a record or one a batch.

Only a 2xx delivers. Nothing that is answered is kept, no redirect is followed, and a connection
lives no longer than one `send`: each begins with resolving the name and judging its addresses.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib import metadata

import httpcore
import msgspec

from sealog.delivery import enveloping
from sealog.delivery.addresses import Allowed, Place
from sealog.delivery.connecting import Barred, Judged, Resolving, Unresolved
from sealog.delivery.destination import (
    DELIVERED,
    About,
    Batching,
    Outcome,
    Outgoing,
    Verdict,
)
from sealog.delivery.signing import Key, Signer
from sealog.delivery.talking import Answer, Talk

TIMEOUT_S_DEFAULT = 20
RECORDS_A_SEND = 32
"""Of single requests."""
SEND_S = 5.0
"""No request is begun so long after the first: what was taken counts, and what is left is sent anew.
A slow receiver would else be sent again what it took, and an event might leave after it expired."""
BYTES_A_SEND = 4 << 20
BATCH_BYTES = 1 << 20

REFUSING = frozenset({400, 409, 413, 422})
"""What says that this very record will never be taken. All else may be how things stand just now,
or a mistake in the settings (401, 403, 404, 415), for which a trail is not put aside."""

_Request = tuple[str, bytes, bytes]
"""The webhook's id, the body, and the index or the span of indexes in it."""
_SECOND_US = 1_000_000
_DELAY_DIGITS_MAX = 9


class Form(msgspec.Struct, frozen=True):
    """What is sent how, as `destinations.parse` read it."""

    place: Place
    keys: tuple[Key, ...]
    bare: bool = False
    headers: tuple[tuple[str, str], ...] = ()
    timeout_s: float = TIMEOUT_S_DEFAULT
    records_max: int = 1


class World(msgspec.Struct, frozen=True):
    """What a webhook needs from outside."""

    allowed: Allowed
    trust: ssl.SSLContext
    resolve: Resolving
    clock_us: Callable[[], int]


class Webhook:
    """A `Destination`: one URL."""

    def __init__(self, form: Form, about: About, world: World) -> None:
        self._form = form
        self._about = about
        self._world = world
        self._signer = Signer(form.keys)
        self._network = Judged(form.place, world.allowed, world.resolve)
        headers = [
            ("host", _host(form.place)),
            ("user-agent", f"Sealog/{metadata.version('sealog')}"),
            ("accept", "*/*"),
            ("content-type", "application/json"),
            ("sealog-stream", about.stream),
            ("sealog-tenant", about.tenant),
            *form.headers,
        ]
        self._head = _head(form.place.target, headers)
        single = form.records_max == 1
        self.batching = Batching(
            RECORDS_A_SEND if single else form.records_max,
            BYTES_A_SEND if single else BATCH_BYTES,
        )

    async def send(self, records: Sequence[Outgoing]) -> list[Verdict]:
        """Deliver records in their order; see `Destination`."""
        loop = asyncio.get_running_loop()
        enough_s = loop.time() + SEND_S
        async with aclosing(self._talk()) as talk:
            if self._form.records_max > 1 and len(records) > 1:
                verdict = await self._attempt(talk, *self._batch(records))
                if verdict.outcome is Outcome.DELIVERED:
                    return [verdict] * len(records)
                if verdict.outcome is not Outcome.REFUSED:
                    return [verdict]
            # One at a time, also where a batch was refused: one of them must be the reason.
            verdicts: list[Verdict] = []
            for record in records[:RECORDS_A_SEND]:
                verdicts.append(await self._attempt(talk, *self._single(record)))
                if verdicts[-1].outcome in (Outcome.LATER, Outcome.GONE):
                    break
                if loop.time() >= enough_s:
                    break
        return verdicts

    async def check(self) -> Verdict:
        """Send a record of type `sealog.test` that holds nothing of the trail."""
        now_us = self._world.clock_us()
        tenant = self._about.tenant
        body = enveloping.bare_test(tenant) if self._form.bare else enveloping.test(tenant, now_us)
        webhook_id = f"{self._about.stream}-test-{now_us // _SECOND_US}"
        async with aclosing(self._talk()) as talk:
            return await self._attempt(talk, webhook_id, body, b"")

    async def close(self) -> None:
        """Nothing outlives a `send`."""

    def _talk(self) -> Talk:
        return Talk(self._network, self._form.place, self._world.trust)

    def _single(self, record: Outgoing) -> _Request:
        if self._form.records_max > 1:
            return self._batch([record])
        body = record.body if self._form.bare else enveloping.one(self._about.tenant, record)
        return record.id, body, b"%d" % record.index

    def _batch(self, records: Sequence[Outgoing]) -> _Request:
        first, last = records[0], records[-1]
        body = enveloping.some(self._about.tenant, records)
        if len(records) == 1:
            return first.id, body, b"%d" % first.index
        return f"{first.id}-{last.index}", body, b"%d-%d" % (first.index, last.index)

    async def _attempt(self, talk: Talk, webhook_id: str, body: bytes, index: bytes) -> Verdict:
        """One request, over within its timeout."""
        verdict = await self._asked(talk, self._request(webhook_id, body, index))
        if isinstance(verdict, Verdict):
            # Nothing is known of what would come next over this connection.
            await talk.aclose()
            return verdict
        # What was answered stands: the rest only decides over the connection.
        await talk.rest()
        return judge(verdict.status, verdict.headers, self._world.clock_us())

    def _request(self, webhook_id: str, body: bytes, index: bytes) -> bytes:
        timestamp, signature = self._signer.signature(webhook_id, body, self._world.clock_us())
        return (
            b"%b%bcontent-length: %d\r\nwebhook-id: %b\r\nwebhook-timestamp: %b\r\n"
            b"webhook-signature: %b\r\n\r\n%b"
        ) % (
            self._head,
            b"sealog-index: %b\r\n" % index if index else b"",
            len(body),
            webhook_id.encode(),
            timestamp.encode(),
            signature.encode(),
            body,
        )

    async def _asked(self, talk: Talk, request: bytes) -> Answer | Verdict:
        """The head of what is answered, or why nothing is."""
        try:
            async with asyncio.timeout(self._form.timeout_s):
                return await talk.ask(request)
        except (TimeoutError, httpcore.TimeoutException):
            return _later("timeout", f"no answer within {self._form.timeout_s:g} s")
        except Barred as error:
            return _later("address", f"the host's address is {error}")
        except Unresolved as error:
            return _later("dns", str(error))
        except httpcore.ConnectError as error:
            return _unconnected(error)
        except httpcore.ProtocolError as error:
            if str(error).startswith("Server disconnected"):
                return _later("connection", "the connection was closed without an answer")
            return _later("protocol", "what was answered is not HTTP/1.1")
        except (httpcore.NetworkError, OSError) as error:
            return _unconnected(error)


def judge(status: int, headers: Sequence[tuple[bytes, bytes]], now_us: int) -> Verdict:
    """What an answer means for the record."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return DELIVERED
    kind, reason = f"status-{status}", f"answered {status}{_phrase(status)}"
    if status == HTTPStatus.GONE:
        return Verdict(Outcome.GONE, kind, reason)
    if status in REFUSING:
        return Verdict(Outcome.REFUSED, kind, reason)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return _later(kind, f"{reason}; redirects are not followed")
    asked = next((value for name, value in headers if name.lower() == b"retry-after"), None)
    wait_s = None if asked is None else retry_after_s(asked, now_us)
    return Verdict(Outcome.LATER, kind, reason, wait_s)


def retry_after_s(value: bytes, now_us: int) -> float | None:
    """Seconds from now that a `Retry-After` asks for, as a number or a date; None if neither."""
    text = value.decode("latin-1").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:_DELAY_DIGITS_MAX]) if len(text) <= _DELAY_DIGITS_MAX else None
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    now = datetime.fromtimestamp(now_us / _SECOND_US, UTC)
    return max(0.0, (date - now).total_seconds())


def _later(kind: str, reason: str) -> Verdict:
    return Verdict(Outcome.LATER, kind, reason)


def _unconnected(error: BaseException) -> Verdict:
    """Why there was no connection, or no whole one, in words that hold nothing of the other side."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _later("tls", f"the certificate does not verify: {cause.verify_message}")
        if isinstance(cause, ssl.SSLError):
            what = (cause.reason or "no handshake").replace("_", " ").lower()
            return _later("tls", f"TLS failed: {what}")
        if isinstance(cause, ConnectionRefusedError):
            return _later("connect", "the connection was refused")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpcore.ConnectError):
        return _later("connect", "there was no connection")
    return _later("connection", "the connection broke")


def _head(target: str, headers: Sequence[tuple[str, str]]) -> bytes:
    """What is the same in every request, without the empty line behind it."""
    lines = [f"POST {target} HTTP/1.1", *[f"{name}: {value}" for name, value in headers]]
    # They were read strictly; a line end in one would make two requests of one.
    assert not any("\r" in line or "\n" in line for line in lines)
    return "\r\n".join([*lines, ""]).encode()


def _host(place: Place) -> str:
    host = f"[{place.host}]" if ":" in place.host else place.host
    is_usual = place.port == (443 if place.scheme == "https" else 80)
    return host if is_usual else f"{host}:{place.port}"


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""
