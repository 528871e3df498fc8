"""Receivers on this machine that keep what they were sent, and answer as a test wants.

Not asyncio's own servers: a test looks at bytes, and some receivers misbehave on purpose.
"""

import asyncio
import datetime as dt
import ipaddress
import ssl
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Request(NamedTuple):
    """What came."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int


def answer(status, *headers, body=b""):
    """An answer as bytes."""
    lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class Receiver:
    """A server; `answers` are given in turn, the last for ever. One may be a coroutine function."""

    def __init__(self, *answers, context=None, greeting=b""):
        self.answers = list(answers) or [OK]
        self.requests = []
        self.connections = 0
        self._context = context
        self._greeting = greeting
        self._tasks = set()
        self.met = asyncio.Event()

    async def __aenter__(self):
        self._server = await asyncio.start_server(
            self._meet, "127.0.0.1", 0, ssl=self._context, limit=1 << 24
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _meet(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        self.connections += 1
        number = self.connections
        try:
            writer.write(self._greeting)
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *rest = head.strip().split("\r\n")
                headers = {
                    name.lower(): value for name, _, value in (h.partition(": ") for h in rest)
                }
                body = await reader.readexactly(int(headers["content-length"]))
                self.met.set()
                self.requests.append(Request(line, headers, body, number))
                said = self.answers[0]
                if len(self.answers) > 1:
                    self.answers.pop(0)
                if callable(said):
                    await said(writer)
                    return
                writer.write(said)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            pass
        finally:
            writer.close()


def certificate(folder, *names, days=30):
    """A self-signed certificate for names and addresses: its PEM text, and a server's context."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    begin = dt.datetime.now(dt.UTC) - dt.timedelta(days=60)
    end = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(
            x509.SubjectAlternativeName([_general(one) for one in names]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    file = folder / "receiver.pem"
    file.write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return pem.decode(), context


def _general(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
