"""Who knocks: the key of a request, its scopes, and how much it has left."""

import base64
import binascii
import math
from collections.abc import Callable, Mapping

from starlette.types import Scope

from sealog.access.grants import Grant
from sealog.access.keys import Keys
from sealog.access.limits import Limits
from sealog.errors import Forbidden, Limited, Unauthorised

Header = tuple[bytes, bytes]


class Visit:
    """What is known of one request; stands in its ASGI scope under `sealog`."""

    __slots__ = ("grant", "headers", "more", "request_id")

    def __init__(self, request_id: str, headers: Mapping[bytes, bytes]) -> None:
        self.request_id = request_id
        self.headers = headers
        """Request headers by lower-case name; of several equal ones the last."""
        self.more: list[Header] = []
        """Headers that every answer to this request carries."""
        self.grant: Grant | None = None


def visit_of(scope: Scope) -> Visit:
    """The visit that the door opened for a request."""
    visit = scope["sealog"]
    assert isinstance(visit, Visit)
    return visit


class Knocker:
    """Lets a request in, or raises why not."""

    def __init__(self, keys: Keys, limits: Limits, clock_s: Callable[[], float]) -> None:
        """`clock_s`: monotonic seconds."""
        self._keys = keys
        self._limits = limits
        self._clock_s = clock_s
        quota, window = limits.policy
        self._policy: Header = (
            b"ratelimit-policy",
            b'"requests";q=%d;w=%d' % (quota, window),
        )

    def knock(self, scope: Scope, *scopes: str) -> Grant:
        """The grant of a request that needs one of these scopes.

        Raises `Unauthorised` without a key in force, `Limited` past its rate, `Forbidden` where it
        has none of the scopes; counts the request in the last case too.
        """
        visit = visit_of(scope)
        grant = self._keys.find(secret_of(visit.headers.get(b"authorization")))
        if grant is None:
            raise Unauthorised("the key is unknown or revoked", code="wrong-key")
        self.admit(scope, grant)
        if not any(map(grant.may, scopes)):
            wanted = " or ".join(scopes)
            raise Forbidden(f"the key does not have the scope {wanted}", code="missing-scope")
        return grant

    def admit(self, scope: Scope, grant: Grant) -> None:
        """Let in whoever has shown a key, however it came. Raises `Limited` past its rate."""
        visit = visit_of(scope)
        visit.grant = grant
        try:
            room = self._limits.take(grant.key, self._clock_s())
        except Limited as limited:
            wait = max(1, math.ceil(limited.retry_after_s))
            visit.more += (self._policy, (b"ratelimit", b'"requests";r=0;t=%d' % wait))
            raise
        left = b'"requests";r=%d;t=%d' % (room.remaining, room.reset_s)
        visit.more += (self._policy, (b"ratelimit", left))


def secret_of(authorization: bytes | None) -> str:
    """The key in an `Authorization` header: a bearer token, or the password of Basic.

    Raises `Unauthorised` where there is none.
    """
    if not authorization:
        raise Unauthorised("send a key: Authorization: Bearer slk_…", code="no-key")
    scheme, _, value = authorization.partition(b" ")
    scheme = scheme.lower()
    if scheme == b"bearer":
        return value.strip().decode("latin-1")
    if scheme == b"basic":
        try:
            pair = base64.b64decode(value.strip(), validate=True)
        except binascii.Error as error:
            raise Unauthorised("the Basic credentials are not base64", code="wrong-key") from error
        return pair.partition(b":")[2].decode("latin-1")
    raise Unauthorised("the scheme of Authorization is Bearer or Basic", code="no-key")
