"""Whether retention believes the clock, and saying that it is right (decision 0016)."""

from typing import Annotated

import structlog
from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request

from sealog.errors import Busy, Conflict, Forbidden, Refused
from sealog.event import times
from sealog.server.administering import Closed, grant_of, knocked
from sealog.server.knocking import Knocker
from sealog.server.parts import Parts
from sealog.server.reading import Threads
from sealog.server.settings import Settings
from sealog.server.trust import Judgement, Trust

PATH = "/retention/clock"
DIFFERING_US = 300_000_000
"""Two who know the time do not differ by more."""

_log = structlog.get_logger("sealog.retention")


class ClockShown(Closed):
    """What retention thinks of the server's clock."""

    clock: str
    """What it says now."""
    expected: str | None
    """What it should say, as far as is known; null where nothing tells."""
    ahead_s: int | None
    """How many seconds it is ahead of that; below zero: behind."""
    trusted: bool
    """Whether events expire by it. More than an hour ahead it is not believed."""
    tenants_waiting: int
    """Tenants of which something should be gone, and is kept until the clock is confirmed."""


class ClockConfirmed(Closed):
    """Somebody says what the time is."""

    clock: Annotated[str, Field(max_length=64, examples=["2026-11-20T12:00:00Z"])]
    """The time, by a clock that you trust: the server's must be within five minutes of it."""


class Clocking:
    """The routes of the clock."""

    def __init__(
        self, parts: Parts, settings: Settings, knocker: Knocker, threads: Threads
    ) -> None:
        self._parts = parts
        self._settings = settings
        self._knocker = knocker
        self._threads = threads

    def router(self) -> APIRouter:
        """All of them, for FastAPI."""
        router = APIRouter(prefix="/v1")
        for method, endpoint, scopes in (
            ("GET", self.clock, ("read", "admin")),
            ("POST", self.confirm_clock, ("admin",)),
        ):
            router.add_api_route(
                PATH,
                endpoint,
                methods=[method],
                operation_id=endpoint.__name__,
                tags=["retention"],
                route_class_override=knocked(self._knocker, scopes, self._settings),
            )
        return router

    async def clock(self) -> ClockShown:
        """Whether retention believes the server's clock; else nothing expires by it."""
        trust = self._trust()
        return await self._threads.run(lambda: _shown(trust, trust.judge()))

    async def confirm_clock(self, request: Request, said: ClockConfirmed) -> ClockShown:
        """Say that the server's clock is right, so that retention goes on."""
        grant = grant_of(request)
        if grant.tenants is not None:
            raise Forbidden("only a key for all tenants may confirm the clock", code="other-tenant")
        moment = times.read(said.clock)
        if moment is None:
            raise Refused("clock is a time", code="bad-clock", pointer="/clock")
        now_us = self._parts.clocks.us()
        if abs(moment.at_us - now_us) > DIFFERING_US:
            raise Conflict(
                f"by the server's clock it is {times.format_us(now_us)}: put right whichever is wrong",
                code="clock-differs",
                pointer="/clock",
            )
        trust = self._trust()
        shown = await self._threads.run(lambda: _shown(trust, trust.confirm()))
        if not grant.is_lent:
            _log.warning("the clock was confirmed", key=grant.key, clock=shown.clock)
        return shown

    def _trust(self) -> Trust:
        trust = self._parts.trust
        if trust is None:
            raise Busy("events expire while a server runs")
        return trust


def _shown(trust: Trust, judged: Judgement) -> ClockShown:
    is_known = bool(judged.expected_us)
    return ClockShown(
        clock=times.format_us(judged.now_us) or "",
        expected=times.format_us(judged.expected_us) if is_known else None,
        ahead_s=(judged.now_us - judged.expected_us) // 1_000_000 if is_known else None,
        trusted=judged.is_trusted,
        tenants_waiting=trust.held(),
    )
