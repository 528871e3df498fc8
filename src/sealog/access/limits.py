"""How many requests a key may make: a token bucket per key. The time is an argument."""

import math

import msgspec

from sealog.errors import Limited


class Settings(msgspec.Struct, frozen=True):
    """How much a key may ask for."""

    requests_per_second: int = 5_000
    """Requests that a key may make per second, in the long run; the events in them do not count."""
    requests_burst: int = 10_000
    """Requests that a key may make at once after a pause."""


class Room(msgspec.Struct, frozen=True):
    """What is left to a key after a request."""

    remaining: int
    """Requests it may make at once now."""
    reset_s: int
    """Whole seconds until it may make a full burst again."""


class Limits:
    """The buckets of all keys. Made full; MUST be used from one thread."""

    def __init__(self, settings: Settings) -> None:
        assert settings.requests_per_second > 0
        assert settings.requests_burst > 0
        self._per_s = settings.requests_per_second
        self._burst = settings.requests_burst
        # key id → [tokens, when they were counted]; as many as there are keys.
        self._buckets: dict[str, list[float]] = {}

    def take(self, key: str, now_s: float) -> Room:
        """Count one request of a key. Raises `Limited`, which counts nothing, when none is left.

        `now_s` is any clock that never runs backwards, in seconds.
        """
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = [float(self._burst), now_s]
        tokens = min(self._burst, bucket[0] + (now_s - bucket[1]) * self._per_s)
        bucket[1] = now_s
        if tokens < 1.0:
            bucket[0] = tokens
            msg = f"more than {self._per_s} requests a second"
            raise Limited(msg, retry_after_s=(1.0 - tokens) / self._per_s)
        bucket[0] = tokens = tokens - 1.0
        return Room(int(tokens), math.ceil((self._burst - tokens) / self._per_s))

    def forget(self, key: str) -> None:
        """Drop the bucket of a key that is revoked."""
        self._buckets.pop(key, None)

    @property
    def policy(self) -> tuple[int, int]:
        """Quota and window in seconds, as `RateLimit-Policy` names them."""
        return self._burst, math.ceil(self._burst / self._per_s)
