"""The limits of the API."""

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """What a request may be and may ask for."""

    body_bytes_max: int = 32 << 20
    """Bytes of an ingest body as sent; what it may be unpacked is `wire`'s to say."""
    bodies_bytes_max: int = 256 << 20
    """Bytes of bodies that may be on their way in at once, all requests together."""
    body_seconds_max: float = 60.0
    """How long a sender may take for one body."""
    form_bytes_max: int = 1 << 20
    """Bytes of a body that is not events: a tenant, a key."""
    page_max: int = 1_000
    """Events, tenants or keys on one page."""
    page_default: int = 50
    wait_seconds_max: int = 60
    """How long a feed may wait for something new."""
    waiting_max: int = 256
    """Feeds that may wait at once; one more is answered with what is there."""
    tails_per_key_max: int = 100
    """Tails that a key may have open at once; one more is a 429."""
    tail_quiet_s: float = 20.0
    """A tail without news sends a comment so often: proxies close what says nothing for a minute."""
    tail_seconds_max: float = 3_600.0
    """A tail ends after this, and its client comes back."""
    tail_stalled_s: float = 60.0
    """A tail ends where its client takes nothing for so long."""
    reading_threads: int = 8
    """Reads from the archive and the logs that run at once; more wait their turn."""
