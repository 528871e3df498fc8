"""Tenants, keys and the catalog: the small routes, with FastAPI."""

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path, Query
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive

from sealog.access.grants import Grant
from sealog.access.keys import NAME_CHARS_MAX, SCOPES, TENANTS_PER_KEY_MAX, Key
from sealog.access.reads import Origin
from sealog.access.tenants import Registration
from sealog.errors import Forbidden, Missing, SealogError
from sealog.event import times
from sealog.server import statuses
from sealog.server.knocking import Knocker, visit_of
from sealog.server.parts import Parts
from sealog.server.reading import Threads, covered
from sealog.server.settings import Settings

TENANT_PATTERN = r"^[A-Za-z0-9._:@-]{1,128}$"

TenantName = Annotated[str, Field(pattern=TENANT_PATTERN, examples=["acme"])]
"""A tenant's name in bodies and answers."""
Scope = Literal["ingest", "read", "export", "admin", "erase"]
TenantPath = Annotated[str, Path(examples=["acme"])]
_Row = tuple[str, str, Callable[..., Any], Sequence[str], dict[str, Any]]
_Catalog = dict[str, list[dict[str, Any]]]
Cursor = Annotated[str | None, Query(min_length=1, max_length=128)]


class Closed(BaseModel):
    """A body of which nothing is unknown."""

    model_config = ConfigDict(extra="forbid")


class NewTenant(Closed):
    """A tenant to make."""

    name: TenantName


class TenantChange(Closed):
    """What may be changed of a tenant."""

    public: bool
    """Whether its sealed log may be read without a key."""


class TenantShown(Closed):
    """A tenant."""

    name: TenantName
    log_id: str
    created: str
    public: bool


class TenantDetail(TenantShown):
    """A tenant and its sealed log."""

    size: int
    """Events and statements accepted: the index the next one will have."""
    origin: str
    vkey: str
    """The key that verifies its checkpoints (C2SP signed-note)."""
    checkpoint: str
    """Where its newest checkpoint is."""


class TenantList(Closed):
    """Tenants by name."""

    tenants: list[TenantShown]
    next_cursor: str | None


class NewKey(Closed):
    """A key to make."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_CHARS_MAX, examples=["billing"])]
    tenants: Annotated[list[TenantName], Field(min_length=1, max_length=TENANTS_PER_KEY_MAX)] | None
    """The tenants it is for; null for all, those to come included."""
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=20, examples=[["ingest"]])]


class KeyShown(Closed):
    """A key without its secret."""

    id: str
    name: str
    tenants: list[str] | None
    scopes: list[str]
    created: str
    revoked: str | None


class KeyMade(KeyShown):
    """A new key with its secret, which is shown this once."""

    key: str


class KeyList(Closed):
    """Keys in the order they were made."""

    keys: list[KeyShown]
    next_cursor: str | None


class Administering:
    """The routes for who runs the installation."""

    def __init__(
        self, parts: Parts, settings: Settings, knocker: Knocker, threads: Threads
    ) -> None:
        self._parts = parts
        self._knocker = knocker
        self._threads = threads
        self._settings = settings
        # It never changes, and to write it out takes long.
        self._catalog = msgspec.json.encode(parts.catalog)

    def router(self) -> APIRouter:
        """All of them, for FastAPI."""
        router = APIRouter(prefix="/v1")
        there = {statuses.OK: {"model": TenantShown, "description": "It was there."}}
        routes: tuple[_Row, ...] = (
            ("GET", "/catalog", self.catalog, SCOPES, {"response_model": _Catalog}),
            ("GET", "/tenants", self.tenants, ("read", "admin"), {}),
            (
                "POST",
                "/tenants",
                self.make_tenant,
                ("admin",),
                {"status_code": statuses.CREATED, "responses": there},
            ),
            ("GET", "/tenants/{tenant}", self.tenant, ("read", "admin"), {}),
            ("PATCH", "/tenants/{tenant}", self.change_tenant, ("admin",), {}),
            ("GET", "/keys", self.keys, ("admin",), {}),
            ("POST", "/keys", self.make_key, ("admin",), {"status_code": statuses.CREATED}),
            (
                "DELETE",
                "/keys/{id}",
                self.revoke_key,
                ("admin",),
                {"status_code": statuses.NO_CONTENT},
            ),
        )
        for method, path, endpoint, scopes, more in routes:
            router.add_api_route(
                path,
                endpoint,
                methods=[method],
                operation_id=endpoint.__name__,
                tags=[path.split("/")[1]],
                route_class_override=knocked(self._knocker, scopes, self._settings),
                **more,
            )
        return router

    async def catalog(self) -> Response:
        """The documented event types of every dialect: names, descriptions, fields, ECS mapping."""
        return Response(self._catalog, media_type="application/json")

    async def tenants(
        self,
        request: Request,
        limit: Annotated[int | None, Query(ge=1, le=1_000)] = None,
        cursor: Cursor = None,
    ) -> TenantList:
        """The tenants that the key is for, by name."""
        grant = grant_of(request)
        most = min(limit or self._settings.page_default, self._settings.page_max)
        names = sorted(
            tenant.name
            for tenant in self._parts.tenants.all()
            if grant.covers(tenant.name) and (cursor is None or tenant.name > cursor)
        )
        page = [self._registration(grant, name) for name in names[:most]]
        following = names[most - 1] if len(names) > most else None
        return TenantList(tenants=[_tenant_shown(one) for one in page], next_cursor=following)

    async def make_tenant(
        self, request: Request, wanted: NewTenant, response: Response
    ) -> TenantShown:
        """Make a tenant; naming one that is there gives that one."""
        grant = grant_of(request)
        if not grant.covers(wanted.name):
            raise Forbidden("the key is for other tenants", code="other-tenant")
        if self._parts.tenants.get(wanted.name) is not None:
            response.status_code = statuses.OK
        await self._threads.run(lambda: self._made([wanted.name], request))
        return _tenant_shown(self._registration(grant, wanted.name))

    async def tenant(self, request: Request, tenant: TenantPath) -> TenantDetail:
        """One tenant, the size of its sealed log, and the key that verifies it."""
        grant = grant_of(request)
        found = self._registration(grant, tenant)
        return TenantDetail(
            **_tenant_shown(found).model_dump(),
            size=self._parts.size(found.tenant.number),
            origin=self._parts.ledger.origin(found.tenant),
            vkey=self._parts.ledger.vkey(found.tenant),
            checkpoint=f"/logs/{found.tenant.log_id}/checkpoint",
        )

    async def change_tenant(
        self, request: Request, tenant: TenantPath, change: TenantChange
    ) -> TenantShown:
        """Open a tenant's sealed log to those without a key, or close it."""
        grant = grant_of(request)
        name = self._registration(grant, tenant).tenant.name
        tenants = self._parts.tenants
        changed = partial(tenants.set_public, name, public=change.public)
        return _tenant_shown(await self._threads.run(changed))

    async def keys(
        self,
        request: Request,
        limit: Annotated[int | None, Query(ge=1, le=1_000)] = None,
        cursor: Cursor = None,
    ) -> KeyList:
        """The keys for no other tenants than this key's own, revoked ones included."""
        grant = grant_of(request)
        most = min(limit or self._settings.page_max, self._settings.page_max)
        keys = [key for key in self._parts.keys.all() if _within(grant, key.tenants)]
        names = [key.id for key in keys]
        first = names.index(cursor) + 1 if cursor in names else 0 if cursor is None else len(keys)
        page = keys[first : first + most]
        following = page[-1].id if len(keys) > first + most else None
        return KeyList(keys=[KeyShown(**_key_shown(key)) for key in page], next_cursor=following)

    async def make_key(self, request: Request, wanted: NewKey) -> KeyMade:
        """Make a key. Its secret is in this answer and nowhere else.

        A key gives what it has and no more: its own tenants, its own scopes. Tenants that are named
        and not there are made.
        """
        grant = grant_of(request)
        if not _within(grant, wanted.tenants):
            raise Forbidden("a key can be for tenants of this key only", code="other-tenant")
        beyond = sorted(set(wanted.scopes).intersection(SCOPES).difference(grant.scopes))
        if beyond:
            detail = f"this key does not have the scope {', '.join(beyond)} itself"
            raise Forbidden(detail, code="more-than-own")

        def work() -> tuple[Key, str]:
            key, secret = self._parts.keys.create(wanted.name, wanted.tenants, wanted.scopes)
            try:
                self._made(wanted.tenants or (), request)
                self._parts.recorder.key_created(key, grant, self._origin(request))
            except SealogError:
                # Nobody has its secret yet: it is as if it had not been made.
                self._parts.keys.revoke(key.id)
                raise
            return key, secret

        key, secret = await self._threads.run(work)
        return KeyMade(**_key_shown(key), key=secret)

    async def revoke_key(self, request: Request, id: Annotated[str, Path()]) -> None:  # noqa: A002 - its name in the path
        """Make a key worthless at once. It stays listed."""
        grant = grant_of(request)
        key = self._parts.keys.get(id)
        if key is None or not _within(grant, key.tenants):
            raise Missing("there is no such key", code="no-such-key")

        def work() -> None:
            revoked = self._parts.keys.revoke(id)
            assert revoked is not None
            # Told again where it was revoked before: once the answer was lost, or the event.
            self._parts.recorder.key_revoked(revoked, grant, self._origin(request))

        await self._threads.run(work)
        self._parts.limits.forget(id)

    def _made(self, names: Sequence[str], request: Request) -> None:
        """Make the tenants that are missing, and tell each that it was made."""
        parts = self._parts
        for tenant in parts.tenants.make(names).values():
            # An empty log is that of a new one, or of one whose event was lost with the answer.
            if not parts.size(tenant.number):
                found = parts.tenants.registration(tenant.name)
                assert found is not None
                by, origin = grant_of(request), self._origin(request)
                parts.recorder.tenant_created(tenant, found.created_us, by, origin)

    def _origin(self, request: Request) -> Origin:
        return self._parts.origins.of(request.scope)

    def _registration(self, grant: Grant, name: str) -> Registration:
        covered(self._parts, grant, name)
        found = self._parts.tenants.registration(name)
        assert found is not None
        return found


def knocked(knocker: Knocker, scopes: Sequence[str], settings: Settings) -> type[APIRoute]:
    """A route that reads and judges nothing of a request before its key is known to be right."""

    class Knocked(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            answer = super().get_route_handler()

            async def knock_first(request: Request) -> Response:
                knocker.knock(request.scope, *scopes)
                receive = _limited(request.receive, settings.form_bytes_max)
                return await answer(Request(request.scope, receive))

            return knock_first

    return Knocked


def _limited(receive: Receive, limit: int) -> Receive:
    left = limit

    async def receive_some() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            # The one kind of error that FastAPI lets through while it reads a body.
            raise HTTPException(statuses.BODY_TOO_LARGE, f"a body here is at most {limit} bytes")
        return message

    return receive_some


def grant_of(request: Request) -> Grant:
    """What the key of a request allows that has knocked."""
    grant = visit_of(request.scope).grant
    assert grant is not None
    return grant


def _within(grant: Grant, tenants: tuple[str, ...] | list[str] | None) -> bool:
    """Whether a key for these tenants reaches no further than the grant."""
    if grant.tenants is None:
        return True
    return tenants is not None and grant.tenants.issuperset(tenants)


def _tenant_shown(found: Registration) -> TenantShown:
    return TenantShown(
        name=found.tenant.name,
        log_id=found.tenant.log_id,
        created=_time(found.created_us),
        public=found.public,
    )


def _key_shown(key: Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "tenants": None if key.tenants is None else list(key.tenants),
        "scopes": list(key.scopes),
        "created": _time(key.created_us),
        "revoked": None if key.revoked_us is None else _time(key.revoked_us),
    }


def _time(at_us: int) -> str:
    text = times.format_us(at_us)
    assert text is not None
    return text
