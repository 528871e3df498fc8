"""Where a request came from and what it asked for."""

import msgspec

from sealog.access.grants import Grant


class Source(msgspec.Struct, frozen=True):
    """Everything about a request but its body."""

    grant: Grant
    dialect: str = "ecs"
    encoding: str | None = None
    """`Content-Encoding`: gzip, zstd, or none."""
    framing: str | None = None
    """json, ndjson, concatenated, csv; None finds out from the bytes."""
    tenant: str | None = None
    """The request's tenant, which wins over the records' `organization.id`."""
    request_key: str | None = None
    """The `Idempotency-Key`."""
    imported: bool = False
    """A file import: ids are derived from content where the sender gives none."""
    repeats: dict[int, int] = {}
    """In an import: place → how many identical records came before it in the file."""
