"""Which key a verification trusts."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from sealog.errors import Altered, Misconfigured
from sealog.ledger.notes import (
    SEED_BYTES,
    Checkpoint,
    Signer,
    Vkey,
    parse_vkey,
    peek_checkpoint,
    read_checkpoint,
    vkey_of,
)
from sealog.verify import report

SIGNING_KEY = "keys/signing-key"


class Trusted(msgspec.Struct, frozen=True):
    """Public keys that may have signed any log of the folder, and whether the caller named them."""

    public_keys: tuple[bytes, ...] = ()
    pinned: bool = False

    @property
    def sentence(self) -> str:
        """What a verdict rests on."""
        if self.pinned:
            return report.PINNED
        return report.FROM_FOLDER if self.public_keys else report.UNSIGNED

    def read(self, note: bytes, origin: str) -> Checkpoint:
        """The checkpoint in a note of the log of that origin. Raises `Altered` for any other.

        Without any key it is only read; that no signature was checked MUST be said once.
        """
        if not self.public_keys:
            return _of(peek_checkpoint(note), origin)
        try:
            vkeys: list[Vkey] = [vkey_of(origin, key) for key in self.public_keys]
        except Misconfigured as error:
            raise Altered(str(error)) from error
        return _of(read_checkpoint(note, vkeys), origin)


def _of(checkpoint: Checkpoint, origin: str) -> Checkpoint:
    if checkpoint.origin != origin:
        raise Altered(f"the checkpoint is of {checkpoint.origin}")
    return checkpoint


def pinned(vkeys: Iterable[str]) -> Trusted:
    """Trust the public keys of these vkeys, whatever the logs they name.

    Raises `Misconfigured` for a text that is no vkey.
    """
    return Trusted(tuple(parse_vkey(vkey.strip()).public_key for vkey in vkeys), pinned=True)


def of_folder(path: Path) -> Trusted:
    """Trust the key that the folder itself signs with; none where it does not hold it.

    Raises `Altered` for a file that holds no key.
    """
    try:
        seed = bytes.fromhex((path / SIGNING_KEY).read_text("ascii"))
    except FileNotFoundError:
        return Trusted()
    except (OSError, ValueError) as error:
        raise Altered(f"it does not read: {error}") from error
    if len(seed) != SEED_BYTES:
        raise Altered(f"it holds {len(seed)} bytes; a seed is {SEED_BYTES}")
    return Trusted((Signer(seed, "this.folder").vkey.public_key,))
