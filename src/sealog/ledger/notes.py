"""Signed notes and checkpoints (C2SP signed-note and tlog-checkpoint; docs/formats/log.md).

A checkpoint is three lines that a key signed: whose log, how many entries, which root. Reading is
strict: whatever could be written in two ways has one way here, so that a checkpoint that was read
is, byte for byte, one that was signed.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sealog.errors import Altered, Misconfigured
from sealog.merkle.hashes import EMPTY_ROOT, HASH_BYTES

SEED_BYTES = 32
SIZE_MAX = (1 << 63) - 1
NOTE_BYTES_MAX = 1_000_000
SIGNATURES_MAX = 100

_ED25519 = b"\x01"
_PUBLIC_KEY_BYTES = 32
_KEY_ID_BYTES = 4
_LEAD = "— "
# Names end at a space in a signature line and at a plus in a vkey.
_NAME = re.compile(r"[^\s+\x00-\x1f]+")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_KEY_ID = re.compile(r"[0-9a-f]{8}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class Vkey(msgspec.Struct, frozen=True):
    """A verifier key: the name it signs under, its 4-byte id, its 32-byte Ed25519 public key."""

    name: str
    key_id: bytes
    public_key: bytes

    def __str__(self) -> str:
        key = base64_of(_ED25519 + self.public_key)
        return f"{self.name}+{self.key_id.hex()}+{key}"


class Checkpoint(msgspec.Struct, frozen=True):
    """What a log's key signed: its origin, its size in entries, its 32-byte root."""

    origin: str
    size: int
    root: bytes


class Signer:
    """Signs one log's checkpoints. The key's name is the log's origin.

    One seed serves a whole installation; as the name is part of a key's id, every log still has a
    vkey of its own.
    """

    def __init__(self, seed: bytes, name: str) -> None:
        if len(seed) != SEED_BYTES:
            raise Misconfigured(f"a signing key's seed is {SEED_BYTES} bytes, not {len(seed)}")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.vkey = vkey_of(name, self._key.public_key().public_bytes_raw())

    def sign_checkpoint(self, origin: str, size: int, root: bytes) -> bytes:
        """The signed note of a tree. MUST NOT be called for two trees that are not consistent."""
        assert origin == self.vkey.name, "a key signs for the log it is named after"
        assert 0 <= size <= SIZE_MAX
        assert len(root) == HASH_BYTES
        assert size > 0 or root == EMPTY_ROOT
        text = f"{origin}\n{size}\n{base64_of(root)}\n"
        return f"{text}\n{self._signature(text)}".encode()

    def _signature(self, text: str) -> str:
        signed = self.vkey.key_id + self._key.sign(text.encode())
        return f"{_LEAD}{self.vkey.name} {base64_of(signed)}\n"


def vkey_of(name: str, public_key: bytes) -> Vkey:
    """The verifier key of an Ed25519 public key under a name.

    Raises `Misconfigured` for a name that is empty or holds white space, `+` or control characters.
    """
    if _NAME.fullmatch(name) is None:
        raise Misconfigured(f"{name!r} cannot name a key: no spaces, no plus, not empty")
    return Vkey(name, _key_id(name, public_key), public_key)


def parse_vkey(text: str) -> Vkey:
    """Read `<name>+<8 hex key id>+<base64 of algorithm and key>`.

    Raises `Misconfigured` for anything else, for a key id that is not the key's own, and for any
    algorithm but Ed25519 (0x01).
    """
    fields = text.split("+", 2)
    if len(fields) != 3:  # noqa: PLR2004 - name, id, key
        raise Misconfigured("a vkey is <name>+<key id>+<key>")
    name, key_id, key = fields
    material = bytes_of_base64(key)
    if material is None or material[:1] != _ED25519 or len(material) != 1 + _PUBLIC_KEY_BYTES:
        raise Misconfigured("a vkey's last field is base64 of 01 and 32 bytes of Ed25519 key")
    vkey = vkey_of(name, material[1:])
    if _KEY_ID.fullmatch(key_id) is None or bytes.fromhex(key_id) != vkey.key_id:
        raise Misconfigured(f"the vkey says {key_id}, but its key's id is {vkey.key_id.hex()}")
    return vkey


def read_checkpoint(note: bytes, vkeys: Iterable[Vkey | str]) -> Checkpoint:
    """The checkpoint in a note that the log's own key, one of `vkeys`, has signed.

    The key's name MUST be the origin: all logs of an installation share one public key, and
    another log's checkpoint must not pass for this one's. Otherwise as `open_note`.
    """
    text, signers = open_note(note, vkeys)
    checkpoint = _parse(text)
    if checkpoint.origin not in signers:
        raise Altered(f"no trusted key signed this checkpoint of {checkpoint.origin}")
    return checkpoint


def open_note(note: bytes, vkeys: Iterable[Vkey | str]) -> tuple[str, set[str]]:
    """A note's text, and the names of the keys among `vkeys` that signed it: at least one.

    Signatures by keys not in `vkeys` are ignored; a wrong one by a key in `vkeys` spoils the note.
    Raises `Altered`, saying what is wrong; `Misconfigured` for a vkey that is none.
    """
    known = [parse_vkey(vkey) if isinstance(vkey, str) else vkey for vkey in vkeys]
    text, signatures = _split(note)
    signers: set[str] = set()
    for name, key_id, signature in signatures:
        for vkey in known:
            if (vkey.name, vkey.key_id) == (name, key_id):
                _verify(vkey, signature, text)
                signers.add(name)
    if not signers:
        raise Altered("no trusted key signed this note")
    return text, signers


def peek_checkpoint(note: bytes) -> Checkpoint:
    """What a note says, without asking who signed it: for messages and for choosing a key only."""
    return _parse(_split(note)[0])


def _split(note: bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """The signed text (with its last newline), and each signature's name, key id and bytes."""
    if len(note) > NOTE_BYTES_MAX:
        raise Altered(f"a note is at most {NOTE_BYTES_MAX} bytes")
    try:
        whole = note.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Altered("the note is not UTF-8") from error
    if _CONTROL.search(whole) is not None:
        raise Altered("the note holds a control character")
    # The last blank line: the text itself may hold others.
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not text or not lines.endswith("\n"):
        raise Altered("the note has no signatures after a blank line")
    signed = lines[:-1].split("\n")
    if len(signed) > SIGNATURES_MAX:
        raise Altered(f"a note has at most {SIGNATURES_MAX} signatures")
    return text + "\n", [_signature_line(line) for line in signed]


def _signature_line(line: str) -> tuple[str, bytes, bytes]:
    name, space, encoded = line.removeprefix(_LEAD).partition(" ")
    signed = bytes_of_base64(encoded)
    if (
        not line.startswith(_LEAD)
        or not space
        or _NAME.fullmatch(name) is None
        or signed is None
        or len(signed) <= _KEY_ID_BYTES
    ):
        raise Altered(f"not a signature line: {line[:80]!r}")
    return name, signed[:_KEY_ID_BYTES], signed[_KEY_ID_BYTES:]


def _parse(text: str) -> Checkpoint:
    # No extension lines: not every cosignature covers them, so no log here ever writes one.
    lines = text[:-1].split("\n")
    if len(lines) != 3:  # noqa: PLR2004 - origin, size, root
        raise Altered("a checkpoint has three lines: origin, size, root")
    origin, decimal, encoded = lines
    size = decimal_of(decimal)
    root = bytes_of_base64(encoded)
    if _NAME.fullmatch(origin) is None:
        raise Altered("a checkpoint's first line is its log's origin")
    if size is None:
        raise Altered("a checkpoint's second line is its size, a plain decimal")
    if root is None or len(root) != HASH_BYTES:
        raise Altered("a checkpoint's third line is its root, 32 bytes in base64")
    if size == 0 and root != EMPTY_ROOT:
        raise Altered("an empty log's root is SHA-256 of nothing")
    return Checkpoint(origin, size, root)


def decimal_of(text: str) -> int | None:
    """A number from 0 to 2^63 - 1 in its one decimal form, or None."""
    if _DECIMAL.fullmatch(text) is None:
        return None
    number = int(text)
    return number if number <= SIZE_MAX else None


def hash_of_base64(text: str) -> bytes | None:
    """A 32-byte hash from its one base64 form, or None."""
    value = bytes_of_base64(text)
    return value if value is not None and len(value) == HASH_BYTES else None


def bytes_of_base64(text: str) -> bytes | None:
    """The bytes of standard base64 in its one form (padded, no stray bits), or None."""
    try:
        value = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        return None
    return value if base64_of(value) == text else None


def base64_of(value: bytes) -> str:
    """Standard, padded base64."""
    return base64.b64encode(value).decode()


def _key_id(name: str, public_key: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:_KEY_ID_BYTES]


def _verify(vkey: Vkey, signature: bytes, text: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(vkey.public_key).verify(signature, text.encode())
    except (InvalidSignature, ValueError) as error:
        raise Altered(f"the signature of {vkey.name} does not fit what it signs") from error
