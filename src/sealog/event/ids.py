"""Ids and sameness: who an event is, and whether it is the same thing sent again.

Derivations are for ever (docs/formats/ids.md). Everything is keyed by the tenant's own 32 random
bytes, so that neither an id nor a fingerprint says anything outside its tenant.
"""

import hashlib
import re
import uuid
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256

from sealog.errors import Refused

FINGERPRINT_BYTES = 16
ID_KEY_BYTES = 16
ID_BYTES_MAX = 256
KEYS_REMEMBERED = 4_096

MASK = "[masked]"
"""What stands in the place of a secret: an id that holds it no longer says which event it is."""

_TENANT = re.compile(r"[A-Za-z0-9._:@-]{1,128}")
_BLOCK_BYTES = 64
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))
_SECONDS_MAX = (1 << 40) - 1


def check_tenant(name: str) -> str:
    """Return a tenant's name if it may be one: 1–128 of `A–Z a–z 0–9 . _ : @ -`; else `Refused`."""
    if _TENANT.fullmatch(name) is None:
        msg = "a tenant id is 1 to 128 of A-Z a-z 0-9 . _ : @ -"
        raise Refused(msg, code="bad-tenant")
    return name


def may_be_id(name: str) -> bool:
    """Whether a sender's text may be an event's id: up to 256 bytes, no @, nothing of it masked."""
    return "@" not in name and len(name.encode()) <= ID_BYTES_MAX and MASK not in name


def _mac(tenant_key: bytes, tag: bytes, dialect: str, rest: bytes) -> bytes:
    return _mac_of(tenant_key, tag, dialect)(rest)


def _mac_of(tenant_key: bytes, tag: bytes, dialect: str) -> Callable[[bytes], bytes]:
    """HMAC-SHA256 (RFC 2104), what comes before the rest hashed once: twice as quick as `hmac`."""
    begun_inside, begun_outside = _begun(tenant_key, tag, dialect)
    inside_of, outside_of = begun_inside.copy, begun_outside.copy

    def mac(rest: bytes) -> bytes:
        inside = inside_of()
        inside.update(rest)
        outside = outside_of()
        outside.update(inside.digest())
        return outside.digest()

    return mac


@lru_cache(KEYS_REMEMBERED)
def _begun(key: bytes, tag: bytes, dialect: str) -> "tuple[hashlib._Hash, hashlib._Hash]":
    assert len(key) <= _BLOCK_BYTES
    padded = key.ljust(_BLOCK_BYTES, b"\x00")
    inner = padded.translate(_INNER_PAD) + tag + b"\x00" + dialect.encode() + b"\x00"
    return sha256(inner), sha256(padded.translate(_OUTER_PAD))


def fingerprint(tenant_key: bytes, dialect: str, record: bytes) -> bytes:
    """16 bytes over what was sent (never over parts), to tell a repeat from a conflict."""
    return printer(tenant_key, dialect)(record)[:FINGERPRINT_BYTES]


def printer(tenant_key: bytes, dialect: str) -> Callable[[bytes], bytes]:
    """What gives of many records what `fingerprint` gives of one, and bytes behind it."""
    return _mac_of(tenant_key, b"sealog/content/v1", dialect)


def id_from_request(tenant_key: bytes, dialect: str, request_key: str, position: int) -> str:
    """The id of the record at `position` of a request that carried an `Idempotency-Key`."""
    rest = b"\x01" + request_key.encode() + b"\x00" + position.to_bytes(4, "big")
    return _uuid8(_mac(tenant_key, b"sealog/id/v1", dialect, rest))


def id_from_record(tenant_key: bytes, dialect: str, record: bytes, repeats: int) -> str:
    """The id of a record in an imported file; `repeats` identical records came before it."""
    rest = b"\x02" + record + repeats.to_bytes(4, "big")
    return _uuid8(_mac(tenant_key, b"sealog/id/v1", dialect, rest))


def _uuid8(mac: bytes) -> str:
    """A UUIDv8 (RFC 9562, 5.8) of the first 16 bytes: version and variant set, the rest as is."""
    number = int.from_bytes(mac[:16], "big")
    number = number & ~(0xF000 << 64) | (0x8000 << 64)
    number = number & ~(0xC000 << 48) | (0x8000 << 48)
    return str(uuid.UUID(int=number))


def uuid7(at_ms: int, randomness: bytes) -> str:
    """A UUIDv7 (RFC 9562, 5.7) from a time and 10 random bytes, which the caller draws."""
    text = (
        at_ms.to_bytes(6, "big")
        + bytes([0x70 | (randomness[0] & 0x0F), randomness[1]])
        + bytes([0x80 | (randomness[2] & 0x3F)])
        + randomness[3:10]
    ).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def id_key(tenant_key: bytes, event_id: str, at_us: int | None) -> bytes:
    """The 16 bytes under which an id is remembered: event time in seconds, then a keyed hash.

    The time leads (0 without one), so that new ids are written next to each other.
    """
    return keyer(tenant_key)(event_id, at_us)


def keyer(tenant_key: bytes) -> Callable[[str, int | None], bytes]:
    """What gives of many ids of a tenant what `id_key` gives of one."""
    copy_of = _keyed(tenant_key).copy

    def key(event_id: str, at_us: int | None) -> bytes:
        seconds = 0 if at_us is None or at_us < 0 else min(at_us // 1_000_000, _SECONDS_MAX)
        keyed = copy_of()
        keyed.update(event_id.encode("utf-8", "replace"))
        return seconds.to_bytes(5, "big") + keyed.digest()

    return key


@lru_cache(KEYS_REMEMBERED)
def _keyed(tenant_key: bytes) -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=ID_KEY_BYTES - 5, key=tenant_key)
