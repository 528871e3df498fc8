"""Signatures of Standard Webhooks 1.0: Ed25519 (`v1a`) and HMAC-SHA256 (`v1`).

What is signed is `<webhook-id>.<webhook-timestamp>.<body>`. Several keys sign side by side while
one takes the place of another.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Iterable
from typing import Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealog.errors import Refused

Kind = Literal["ed25519", "hmac-sha256"]
KINDS: tuple[Kind, ...] = ("ed25519", "hmac-sha256")
OVERLAP_S = 86_400
"""How long a key that was replaced goes on signing beside the new one."""

SECRET_BYTES_MIN, SECRET_BYTES_MAX = 24, 64
_SECRET_BYTES = 32
_SEED_BYTES = 32
_PAIR_BYTES = 64
_PREFIXES: dict[Kind, str] = {"ed25519": "whsk_", "hmac-sha256": "whsec_"}


class Key(msgspec.Struct, frozen=True):
    """One key of one destination. `text` is secret."""

    text: str
    """`whsk_` with the base64 of an Ed25519 seed, or `whsec_` with that of an HMAC secret."""
    until_us: int | None = None
    """When it stops signing; None for the one in force."""


def draw_key(kind: Kind, draw: Callable[[int], bytes]) -> Key:
    """A new key of `draw`'s random bytes."""
    count = _SEED_BYTES if kind == "ed25519" else _SECRET_BYTES
    return Key(_PREFIXES[kind] + _base64(draw(count)))


def read_key(kind: Kind, text: str, pointer: str) -> Key:
    """A key that was handed to us, in the one form that is kept. Raises `Refused`."""
    prefix = _PREFIXES[kind]
    content = _content(text.removeprefix(prefix)) if text.startswith(prefix) else None
    if content is None:
        what = f"a key for {kind} is {prefix} and standard base64"
        raise Refused(what, code="bad-key", pointer=pointer)
    if kind == "hmac-sha256":
        if not SECRET_BYTES_MIN <= len(content) <= SECRET_BYTES_MAX:
            what = f"an HMAC secret has {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes"
            raise Refused(what, code="bad-key", pointer=pointer)
        return Key(prefix + _base64(content))
    seed = content[:_SEED_BYTES]
    if len(content) not in (_SEED_BYTES, _PAIR_BYTES) or (
        len(content) == _PAIR_BYTES and content[_SEED_BYTES:] != _public(seed)
    ):
        what = "an Ed25519 key is its seed of 32 bytes, with its public key behind it or not"
        raise Refused(what, code="bad-key", pointer=pointer)
    return Key(prefix + _base64(seed))


def public_key(key: Key) -> str | None:
    """`whpk_…` of an Ed25519 key, for whoever verifies; None for an HMAC secret."""
    if not key.text.startswith(_PREFIXES["ed25519"]):
        return None
    return "whpk_" + _base64(_public(_of(key)))


def in_force(keys: Iterable[Key], now_us: int) -> tuple[Key, ...]:
    """The keys that sign now, the newest first."""
    return tuple([key for key in keys if key.until_us is None or now_us < key.until_us])


def replaced(keys: Iterable[Key], key: Key, now_us: int) -> tuple[Key, ...]:
    """The keys after `key` took the place of the one in force, which signs for `OVERLAP_S` more."""
    until_us = now_us + OVERLAP_S * 1_000_000
    left = [
        msgspec.structs.replace(old, until_us=min(old.until_us or until_us, until_us))
        for old in in_force(keys, now_us)
        if old.text != key.text
    ]
    return (key, *left)


class Signer:
    """Signs for one destination."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = tuple([(key, _maker(key)) for key in keys])

    def signature(self, webhook_id: str, body: bytes, now_us: int) -> tuple[str, str]:
        """The values of `webhook-timestamp` and `webhook-signature`."""
        timestamp = str(now_us // 1_000_000)
        signed = f"{webhook_id}.{timestamp}.".encode() + body
        force = [sign for key, sign in self._keys if key.until_us is None or now_us < key.until_us]
        assert force, "a destination always has a key in force"
        return timestamp, " ".join([sign(signed) for sign in force])


def _maker(key: Key) -> Callable[[bytes], str]:
    content = _of(key)
    if key.text.startswith(_PREFIXES["ed25519"]):
        sign = Ed25519PrivateKey.from_private_bytes(content).sign
        return lambda signed: "v1a," + _base64(sign(signed))
    return lambda signed: "v1," + _base64(hmac.digest(content, signed, "sha256"))


def _of(key: Key) -> bytes:
    return base64.b64decode(key.text.partition("_")[2])


def _public(seed: bytes) -> bytes:
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _content(text: str) -> bytes | None:
    try:
        # Some tools leave the padding out.
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
