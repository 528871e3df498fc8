"""Keys: who knocks, with which scopes, for which tenants.

A key's secret is shown once, when it is made; `state.db` holds its SHA-256 only. The secret has 256
random bits, so that its hash needs no salt and no slowness, and finding it in a dictionary tells an
attacker nothing that timing could sharpen.
"""

import base64
import hashlib
import threading
from collections.abc import Callable, Iterable

import msgspec
from sqlalchemy import Connection, insert, select, update

from sealog.access.grants import Grant
from sealog.access.tenants import Clock, Randomness
from sealog.errors import Refused
from sealog.event import ids
from sealog.storage.store import Store
from sealog.storage.tables import keys as table

SCOPES = ("ingest", "read", "export", "admin", "erase")
PREFIX = "slk_"
SECRET_BYTES = 32
ID_BYTES = 8
NAME_CHARS_MAX = 200
TENANTS_PER_KEY_MAX = 10_000
LENT = "key_of_the_folder"
"""The id of what is lent to whoever has the data folder."""


class Key(msgspec.Struct, frozen=True):
    """A key as operators see it."""

    id: str
    name: str
    tenants: tuple[str, ...] | None
    scopes: tuple[str, ...]
    created_us: int
    revoked_us: int | None = None


class Keys:
    """Every key of the installation. Finding is from memory, from any thread."""

    def __init__(
        self, store: Store, clock: Clock, randomness: Randomness, *, create_by_naming: bool = True
    ) -> None:
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._create_by_naming = create_by_naming
        self._keys: dict[str, Key] = {}
        self._hashes: dict[str, bytes] = {}
        # Holds keys in force only: what is not here does not open anything.
        self._grants: dict[bytes, Grant] = {}
        self._writing = threading.Lock()
        with store.reading() as connection:
            for row in connection.execute(select(table).order_by(table.c.created_us, table.c.id)):
                key_id, hashed, name, tenants, scopes, created_us, revoked_us = row
                named = None if tenants is None else _names(tenants)
                self._keep(Key(key_id, name, named, _names(scopes), created_us, revoked_us), hashed)

    def create(
        self, name: str, tenants: Iterable[str] | None, scopes: Iterable[str]
    ) -> tuple[Key, str]:
        """A new key and its secret, which nobody can ask for again; durable when this returns.

        `tenants` None is for all. Raises `Refused` for a name, a tenant or a scope that may not be.
        """
        key = Key(
            id="key_" + self._randomness(ID_BYTES).hex(),
            name=_checked_name(name),
            tenants=_checked_tenants(tenants),
            scopes=_checked_scopes(scopes),
            created_us=self._clock(),
        )
        drawn = base64.urlsafe_b64encode(self._randomness(SECRET_BYTES)).rstrip(b"=")
        secret = PREFIX + drawn.decode("ascii")
        hashed = hash_of(secret)
        row = {
            "id": key.id,
            "hash": hashed,
            "name": key.name,
            "tenants": None if key.tenants is None else _text(key.tenants),
            "scopes": _text(key.scopes),
            "created_us": key.created_us,
            "revoked_us": None,
        }
        with self._writing:
            self._write(lambda connection: connection.execute(insert(table), row).rowcount)
            self._keep(key, hashed)
        return key, secret

    def lend(self) -> str:
        """A secret for everything that is never stored: for whoever has the data folder itself.

        It is worthless outside this process, and when it ends.
        """
        secret = PREFIX + self._randomness(SECRET_BYTES).hex()
        grant = Grant(LENT, frozenset(SCOPES), None, may_create=True, is_lent=True)
        self._grants[hash_of(secret)] = grant
        return secret

    def find(self, secret: str) -> Grant | None:
        """What the key allows; None for one that never was or is revoked."""
        return self._grants.get(hash_of(secret))

    def is_valid(self, grant: Grant) -> bool:
        """Whether a grant that was found before is in force still."""
        key = self._keys.get(grant.key)
        # One that is lent is not stored, and ends with this process.
        return key is None or key.revoked_us is None

    def get(self, key_id: str) -> Key | None:
        """The key of that id, revoked or not."""
        return self._keys.get(key_id)

    def revoke(self, key_id: str) -> Key | None:
        """Make a key worthless, at once and durably when this returns; None if there is none.

        A key that was revoked before keeps its first time.
        """
        with self._writing:
            key = self._keys.get(key_id)
            if key is None or key.revoked_us is not None:
                return key
            revoked = msgspec.structs.replace(key, revoked_us=self._clock())
            # In memory first: should the disk fail, the key stays worthless until the next start.
            self._keep(revoked, self._hashes[key_id])
            change = update(table).where(table.c.id == key_id).values(revoked_us=revoked.revoked_us)
            self._write(lambda connection: connection.execute(change).rowcount)
        return revoked

    def all(self) -> list[Key]:
        """Every key in the order they were made, revoked ones included."""
        return list(self._keys.values())

    def _write(self, work: Callable[[Connection], int]) -> None:
        assert self._store.write(work).result() == 1

    def _keep(self, key: Key, hashed: bytes) -> None:
        self._keys[key.id] = key
        self._hashes[key.id] = hashed
        if key.revoked_us is not None:
            self._grants.pop(hashed, None)
            return
        self._grants[hashed] = Grant(
            key=key.id,
            scopes=frozenset(key.scopes),
            tenants=None if key.tenants is None else frozenset(key.tenants),
            may_create=key.tenants is None and self._create_by_naming,
        )


def hash_of(secret: str) -> bytes:
    """What `state.db` holds of a key: the SHA-256 of its secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _checked_name(name: str) -> str:
    if not name.strip() or len(name) > NAME_CHARS_MAX or not name.isprintable():
        msg = f"a key's name has 1 to {NAME_CHARS_MAX} printable characters"
        raise Refused(msg, code="bad-key-name", pointer="/name")
    return name


def _checked_tenants(tenants: Iterable[str] | None) -> tuple[str, ...] | None:
    if tenants is None:
        return None
    named = tuple(dict.fromkeys(ids.check_tenant(name) for name in tenants))
    if not 0 < len(named) <= TENANTS_PER_KEY_MAX:
        msg = f"a key is for all tenants or for 1 to {TENANTS_PER_KEY_MAX} named ones"
        raise Refused(msg, code="bad-tenants", pointer="/tenants")
    return named


def _checked_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    asked = set(scopes)
    unknown = sorted(asked.difference(SCOPES))
    if unknown or not asked:
        msg = f"the scopes of a key are one or more of {', '.join(SCOPES)}"
        raise Refused(msg, code="bad-scopes", pointer="/scopes")
    return tuple(scope for scope in SCOPES if scope in asked)


def _names(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])


def _text(names: tuple[str, ...]) -> str:
    return msgspec.json.encode(names).decode()
