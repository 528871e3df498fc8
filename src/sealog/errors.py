"""Every way Sealog fails, sorted by who has to act.

`Refused`: the sender. `Busy`: the sender, later. `Misconfigured`: the operator, before start.
`Corrupt`: the operator, now. Only `server/statuses.py` knows what any of these is in HTTP, and
only `cli` which exit code it is.
"""


class SealogError(Exception):
    """Anything that Sealog raises on purpose."""


class Refused(SealogError):
    """The sender must change what was sent.

    `code` is a stable kebab-case word that programs may match; `record` is the 0-based place of the
    record in the request, `pointer` a JSON pointer (RFC 6901) into that record.
    """

    def __init__(
        self, detail: str, *, code: str = "malformed", record: int | None = None, pointer: str = ""
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.record = record
        self.pointer = pointer


class TooLarge(Refused):
    """A limit was passed: bytes, records, levels or keys. The detail names the limit."""


class UnsupportedType(Refused):
    """A content type or an encoding that intake does not take."""


class Unauthorised(Refused):
    """No key, or a wrong one."""


class Forbidden(Refused):
    """The key is right, but lacks the scope."""


class Missing(Refused):
    """It is not there, or belongs to another tenant: one answer for both."""


class Gone(Refused):
    """It was there, and is not any more."""


class Conflict(Refused):
    """The id is taken by something that differs."""


class Limited(Refused):
    """The key sent too much; `retry_after_s` says when there is room again."""

    def __init__(self, detail: str, *, retry_after_s: float) -> None:
        super().__init__(detail, code="rate-limited")
        self.retry_after_s = retry_after_s


class Busy(SealogError):
    """Nothing was kept; the same request may be sent again after `retry_after_s` seconds."""

    def __init__(self, detail: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class Misconfigured(SealogError):
    """The operator must change a setting, a file or a command before this can start."""


class Corrupt(SealogError):
    """What rests on disk is not what was written: the operator must look now."""


class Altered(Corrupt):
    """Bytes differ from what was sealed or noted."""


class Truncated(Corrupt):
    """Bytes that were noted as synced are missing."""


class Forked(Corrupt):
    """Going on would sign less than, or other than, what was signed before."""
