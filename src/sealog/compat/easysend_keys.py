"""Who may ask for security logs: the one key that the product documents, or a key of Sealog's.

The header is `apiKey`, and no other (ES-21). The documented key is the operator's to choose, so it
may be weak: it is compared in constant time, and reads one tenant, nothing else.
"""

import hmac
from pathlib import Path

from sealog.access.grants import Grant
from sealog.access.keys import Keys, hash_of
from sealog.errors import Misconfigured, Unauthorised

VARIABLE = "EASYSEND_SECURITY_LOGS_API_KEY"
HEADER = b"apikey"
KEY = "key_of_easysend"
"""The id under which it is recorded that the documented key was used."""
CHARS_MAX = 4_096


def own_key(variable: str | None, file: Path | None) -> str | None:
    """The documented key: that of the variable, else the file's; None where there is neither.

    Raises `Misconfigured` for one that is empty, or that no header can hold.
    """
    name = VARIABLE
    if variable is None:
        if file is None:
            return None
        name = str(file)
        try:
            variable = file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(f"the key in {name} cannot be read: {error}") from error
    fits = variable.isascii() and variable.isprintable() and variable == variable.strip()
    if not fits or not 0 < len(variable) <= CHARS_MAX:
        raise Misconfigured(f"{name} holds no key: 1 to {CHARS_MAX} characters that a header takes")
    return variable


class Gate:
    """Tells whose logs a key reads."""

    def __init__(self, keys: Keys, tenant: str, own: str | None) -> None:
        """`tenant`: whose logs the documented key reads, and keys for several tenants."""
        self._keys = keys
        self._tenant = tenant
        self._own = None if own is None else hash_of(own)
        self._own_grant = Grant(KEY, frozenset({"read"}), frozenset({tenant}))

    def grant(self, given: bytes | None) -> Grant:
        """What the key in the header allows. Raises `Unauthorised` without one in force."""
        if not given:
            raise Unauthorised("send the key in the header apiKey", code="no-key")
        secret = given.decode("latin-1")
        if self._own is not None and hmac.compare_digest(hash_of(secret), self._own):
            return self._own_grant
        grant = self._keys.find(secret)
        if grant is None:
            raise Unauthorised(
                "the key in the header apiKey is unknown or revoked", code="wrong-key"
            )
        return grant

    def tenant(self, grant: Grant) -> str:
        """The tenant whose logs it reads. Raises `Unauthorised` where it may not."""
        if not grant.may("read"):
            raise Unauthorised("the key does not have the scope read", code="missing-scope")
        tenant = grant.only or self._tenant
        if not grant.covers(tenant):
            detail = "the key is for several tenants, none of which is the one that is served here"
            raise Unauthorised(detail, code="wrong-key")
        return tenant
