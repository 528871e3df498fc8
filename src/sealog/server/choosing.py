"""What a tenant chose: its settings and its retention, each with its versions.

A version is put in force as a whole, by whoever says which one it is based on: as `version` in the
body or as `If-Match`. Nothing is answered before the change, and the event that tells of it, are
durable.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from sealog.errors import Conflict, Forbidden, Refused
from sealog.event import times
from sealog.event.tenants import Tenant
from sealog.policy import reading
from sealog.policy.policies import Change, Kind, Policies, Tell
from sealog.policy.reading import Asked, Destination
from sealog.policy.retention import DEFAULTS, Retention
from sealog.policy.settings import TenantSettings
from sealog.server import asking
from sealog.server.bodies import read_object
from sealog.server.foretelling import Foretold, foretold
from sealog.server.knocking import Knocker, visit_of
from sealog.server.parts import Parts
from sealog.server.problems import BadParameter
from sealog.server.reading import Threads, covered
from sealog.server.settings import Settings

SETTINGS = "/v1/settings"
RETENTION = "/v1/retention"
VERSIONS_MAX = 100

_ENCODE = msgspec.json.Encoder().encode
_JSON = "application/json"
_ETAG = re.compile(r'"([0-9]{1,15})"')
_CURSOR = re.compile(r"[0-9]{1,15}")


class Choosing:
    """The routes of settings and retention."""

    def __init__(
        self, parts: Parts, settings: Settings, knocker: Knocker, threads: Threads
    ) -> None:
        self._parts = parts
        self._settings = settings
        self._knocker = knocker
        self._threads = threads

    @property
    def _policies(self) -> Policies:
        return self._parts.policies

    async def settings(self, request: Request) -> Response:
        """`GET` and `PUT /v1/settings`."""
        if request.method != "PUT":
            return await self._show(request, "settings")
        tenant, body = await self._asked(request, ())

        def work() -> Response:
            before = self._policies.settings(tenant.number)
            service = self._parts.service

            def read_service(wanted: dict[str, Any]) -> Destination:
                return service(wanted, before)

            asked = reading.read_settings(body, read_service)
            wanted = asked.wanted
            assert isinstance(wanted, TenantSettings)
            _check_may_send(request, wanted, before)
            based = msgspec.structs.replace(wanted, version=_based_on(request, asked, before))
            by, actor, tell = self._telling(request)
            with _checked(request):
                self._policies.change_settings(tenant.number, based, by=by, actor=actor, tell=tell)
            more = {"told_once": asked.told} if asked.told else {}
            return self._shown(tenant, "settings", more)

        return await self._threads.run(work)

    async def retention(self, request: Request) -> Response:
        """`GET` and `PUT /v1/retention`; `dry_run=1` only says what would go, and when."""
        if request.method != "PUT":
            return await self._show(request, "retention")
        tenant, body = await self._asked(request, ("dry_run",))
        dry_run = request.query_params.get("dry_run", "0")
        if dry_run not in {"0", "1"}:
            raise BadParameter("dry_run", "dry_run is 1, or is not sent")

        def work() -> Response:
            now = self._policies.retention(tenant.number)
            asked = reading.read_retention(body)
            wanted = asked.wanted
            assert isinstance(wanted, Retention)
            if dry_run == "1":
                return self._foretold(tenant, now, wanted)
            based = msgspec.structs.replace(wanted, version=_based_on(request, asked, now))
            if not asked.confirm and wanted.rules != now.rules and based.version == now.version:
                self._check_nothing_goes(tenant, wanted)
            by, actor, tell = self._telling(request)
            with _checked(request):
                self._policies.change_retention(tenant.number, based, by=by, actor=actor, tell=tell)
            return self._shown(tenant, "retention")

        return await self._threads.run(work)

    async def settings_history(self, request: Request) -> Response:
        """`GET /v1/settings/history`: every version, newest first."""
        return await self._history(request, "settings")

    async def retention_history(self, request: Request) -> Response:
        """`GET /v1/retention/history`: every version, newest first."""
        return await self._history(request, "retention")

    async def _show(self, request: Request, kind: Kind) -> Response:
        tenant = self._tenant(request, (), "read", "admin")
        whole = _may_see_all(request)
        return await self._threads.run(lambda: self._shown(tenant, kind, whole=whole))

    async def _history(self, request: Request, kind: Kind) -> Response:
        tenant = self._tenant(request, ("limit", "cursor"), "read", "admin")
        params = request.query_params
        limit = asking.number(params, "limit", VERSIONS_MAX, VERSIONS_MAX, least=1)
        cursor = params.get("cursor")
        if cursor is not None and _CURSOR.fullmatch(cursor) is None:
            raise BadParameter("cursor", "a cursor is a page's next_cursor")
        below = None if cursor is None else int(cursor)

        def work() -> Response:
            found = self._policies.history(tenant.number, kind, limit + 1, below)
            page = found[:limit]
            following = str(page[-1].new.version) if len(found) > limit else None
            whole = _may_see_all(request)
            versions = [{**reading.shown(one.new, whole=whole), **_changed(one)} for one in page]
            return _answer({"versions": versions, "next_cursor": following})

        return await self._threads.run(work)

    async def _asked(
        self, request: Request, more: tuple[str, ...]
    ) -> tuple[Tenant, dict[str, Any]]:
        """Whose a change is, and what it says."""
        tenant = self._tenant(request, more, "admin")
        return tenant, await read_object(request, self._settings.form_bytes_max)

    def _tenant(self, request: Request, more: tuple[str, ...], *scopes: str) -> Tenant:
        grant = self._knocker.knock(request.scope, *scopes)
        params = request.query_params
        asking.check_names(params, ("tenant", *more))
        return covered(self._parts, grant, asking.one_tenant(params, grant.only))

    def _telling(self, request: Request) -> tuple[str, dict[str, Any], Tell]:
        """Who asks, by the key's id and as the event shows it, and how it is told."""
        grant = visit_of(request.scope).grant
        assert grant is not None
        recorder = self._parts.recorder
        actor = recorder.actor(grant, self._parts.origins.of(request.scope))
        return grant.key, actor, recorder.policy_changed

    def _shown(
        self,
        tenant: Tenant,
        kind: Kind,
        more: dict[str, Any] | None = None,
        *,
        whole: bool = True,
    ) -> Response:
        newest = self._policies.history(tenant.number, kind, 1)
        chosen = newest[0].new if newest else _NOTHING[kind]
        changed = _changed(newest[0]) if newest else {"changed": None, "changed_by": None}
        shown = reading.shown(chosen, whole=whole)
        body = {"tenant": tenant.name, **shown, **changed, **(more or {})}
        if kind == "retention":
            body["defaults"] = reading.shown_rules(DEFAULTS)
        return _answer(body, {"ETag": f'"{chosen.version}"'})

    def _foretold(self, tenant: Tenant, now: Retention, wanted: Retention) -> Response:
        going = self._going(tenant, wanted)
        if going is None:
            raise Refused("what would go cannot be told here yet", code="not-there-yet")
        rules = reading.shown_rules(wanted.rules)
        return _answer(
            {
                "tenant": tenant.name,
                "version": now.version,
                "rules": rules,
                "defaults": reading.shown_rules(DEFAULTS),
                **msgspec.to_builtins(going),
            }
        )

    def _check_nothing_goes(self, tenant: Tenant, wanted: Retention) -> None:
        """What is gone is gone: whoever makes something expire at once says that it is meant."""
        going = self._going(tenant, wanted)
        if going is not None and not going.at_once.events:
            return
        what = "events may" if going is None else f"{going.at_once.events} events would"
        raise Conflict(
            f"{what} expire at once: look with dry_run=1, and send confirm: true if that is meant",
            code="needs-confirmation",
            pointer="/confirm",
        )

    def _going(self, tenant: Tenant, wanted: Retention) -> Foretold | None:
        forecast = self._parts.forecast
        if forecast is None:
            return None
        now_us = self._parts.clocks.us()
        return foretold(forecast(tenant, wanted, now_us), now_us)


_NOTHING: dict[Kind, TenantSettings | Retention] = {
    "settings": TenantSettings(),
    "retention": Retention(),
}


def _may_see_all(request: Request) -> bool:
    grant = visit_of(request.scope).grant
    assert grant is not None
    return grant.may("admin") or grant.may("export")


def _check_may_send(request: Request, wanted: TenantSettings, before: TenantSettings) -> None:
    """Whoever has events sent somewhere could as well fetch them: that takes a scope of its own."""
    sends, sent = ((one.delivery, one.service, one.secrets) for one in (wanted, before))
    grant = visit_of(request.scope).grant
    assert grant is not None
    if wanted.service is not None and sends != sent and not grant.may("export"):
        raise Forbidden("a service needs the scope export too", code="missing-scope")


@contextmanager
def _checked(request: Request) -> Iterator[None]:
    """A version that is not in force any more, in the way that it was named."""
    try:
        yield
    except Conflict as conflict:
        if "if-match" not in request.headers:
            raise
        raise Refused(conflict.detail, code="stale-etag") from conflict


def _based_on(request: Request, asked: Asked, now: TenantSettings | Retention) -> int:
    """The version that a change is based on."""
    named = asked.wanted.version if asked.has_version else None
    header = request.headers.get("if-match")
    if header is None:
        if named is None:
            detail = "name the version it is based on: version in the body, or If-Match"
            raise Refused(detail, code="no-version")
        return named
    if header.strip() == "*":
        return now.version if named is None else named
    versions = [int(one) for one in _ETAG.findall(header)]
    if not versions:
        raise BadParameter("If-Match", 'If-Match is the ETag that was given, such as "3", or *')
    if named is not None:
        versions = [one for one in versions if one == named]
    if not versions:
        raise Refused("If-Match and version name different versions", code="stale-etag")
    return now.version if now.version in versions else versions[0]


def _changed(change: Change) -> dict[str, Any]:
    return {"changed": times.format_us(change.at_us), "changed_by": change.by}


def _answer(body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    more = {"Cache-Control": "private, no-cache", **(headers or {})}
    return Response(_ENCODE(body), headers=more, media_type=_JSON)
