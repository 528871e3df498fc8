"""What an installation is called and the one key it signs with."""

import hmac
import os
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
from sqlalchemy import Connection, insert, select

from sealog.errors import Misconfigured
from sealog.event.tenants import Tenant
from sealog.ledger.notes import SEED_BYTES, Signer, Vkey, vkey_of
from sealog.storage.files import write_durably
from sealog.storage.store import Store
from sealog.storage.tables import installation as table

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,199}(?:/[A-Za-z0-9._-]{1,100}){0,5}")


class Installation(msgspec.Struct, frozen=True):
    """A name, fixed when the data folder was made, and the seed of its signing key."""

    name: str
    seed: bytes

    def origin(self, tenant: Tenant) -> str:
        """The origin of a tenant's log, which also names the key that signs it."""
        return f"{self.name}/{tenant.log_id}"

    def signer(self, tenant: Tenant) -> Signer:
        """Signs the checkpoints of one tenant's log."""
        return Signer(self.seed, self.origin(tenant))

    def vkey(self, tenant: Tenant) -> Vkey:
        """What verifies them."""
        return vkey_of(self.origin(tenant), self.signer(tenant).vkey.public_key)

    def secret(self, purpose: str) -> bytes:
        """32 bytes for one purpose of this installation, from which the seed cannot be found."""
        return hmac.digest(self.seed, b"sealog/secret/v1\x00" + purpose.encode(), "sha256")


def open_installation(
    store: Store,
    keys: Path,
    randomness: Callable[[int], bytes],
    *,
    name: str | None = None,
) -> Installation:
    """Read the installation's name and key, or fix them in a new folder.

    `name`: what the configuration asks for, None or empty for no wish; it can only be chosen once. Raises `Misconfigured`
    where it differs from what was fixed, or where the key is missing from a folder that had one.
    """
    kept = store.write(lambda connection: _settle_name(connection, name, randomness)).result()
    if name and name != kept:
        raise Misconfigured(f"this folder's installation name is {kept}; it cannot become {name}")
    return Installation(kept, _seed(store, keys / "signing-key", randomness))


def read_installation(store: Store, keys: Path) -> Installation:
    """The installation of a folder that exists; writes nothing."""
    with store.reading() as connection:
        value = connection.execute(select(table.c.value).where(table.c.name == "name")).scalar()
    if value is None:
        raise Misconfigured("this folder has no installation name: nothing was ever written to it")
    return Installation(value.decode(), _read_seed(keys / "signing-key"))


def _settle_name(
    connection: Connection, wanted: str | None, randomness: Callable[[int], bytes]
) -> str:
    found = connection.execute(select(table.c.value).where(table.c.name == "name")).scalar()
    if found is not None:
        return str(found.decode())
    chosen = wanted or f"sealog.invalid/{randomness(8).hex()}"
    if _NAME.fullmatch(chosen) is None:
        raise Misconfigured(
            f"{chosen!r} is no installation name: a host name, then path segments,"
            " without scheme, spaces, + or a slash at the end"
        )
    connection.execute(insert(table).values(name="name", value=chosen.encode()))
    return chosen


def _seed(store: Store, path: Path, randomness: Callable[[int], bytes]) -> bytes:
    if not path.exists():
        with store.reading() as connection:
            signed = connection.exec_driver_sql("SELECT count(*) FROM signed").scalar()
        if signed:
            # A new key would sign other logs under the same origins.
            raise Misconfigured(f"{path} is missing, and {signed} logs were signed with it")
        write_durably(path, randomness(SEED_BYTES).hex().encode() + b"\n", mode=0o600)
    return _read_seed(path)


def _read_seed(path: Path) -> bytes:
    try:
        if path.stat().st_mode & 0o077 and os.geteuid() == path.stat().st_uid:
            raise Misconfigured(f"{path} may be read by others: chmod 600 it")
        text = path.read_text("ascii").strip()
        seed = bytes.fromhex(text)
    except FileNotFoundError:
        raise Misconfigured(f"{path} is missing") from None
    except ValueError:
        raise Misconfigured(f"{path} does not hold the hex digits of a seed") from None
    if len(seed) != SEED_BYTES:
        raise Misconfigured(f"{path} holds {len(seed)} bytes; a seed is {SEED_BYTES}")
    return seed
