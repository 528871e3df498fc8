"""The customer organisation a trail belongs to, as every room below the doors knows it."""

import msgspec


class Tenant(msgspec.Struct, frozen=True, gc=False):
    """A tenant that exists durably.

    `number` is its row in `state.db`; `log_id` the 32 hex digits that name its folders and end its
    log's origin; `key` the 32 random bytes that key its ids and fingerprints, deleted with it.
    """

    number: int
    name: str
    log_id: str
    key: bytes
