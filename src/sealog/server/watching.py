"""What operators watch: metrics without content, liveness and readiness."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from sealog.errors import Busy
from sealog.server.parts import Parts

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_JSON = "application/json"


class Metrics:
    """Counts requests and records. Labels are routes, methods and statuses: never what was sent."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "sealog_requests",
            "Requests answered.",
            ("route", "method", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "sealog_request_seconds",
            "Time to answer a request.",
            ("route",),
            buckets=SECONDS,
            registry=registry,
        )
        records = Counter(
            "sealog_records",
            "Records of ingest requests, by what became of them.",
            ("result",),
            registry=registry,
        )
        self.accepted = records.labels("accepted")
        self.repeated = records.labels("repeated")
        self.refused = records.labels("refused")
        self.not_recorded = records.labels("not-recorded")
        # Looking a label up costs more than counting; there are few of them.
        self._counts: dict[tuple[str, str, int], Counter] = {}
        self._timers: dict[str, Histogram] = {}

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request. `route` is a template, never a path."""
        key = (route, method, status)
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = self._requests.labels(route, method, str(status))
        count.inc()
        timer = self._timers.get(route)
        if timer is None:
            timer = self._timers[route] = self._seconds.labels(route)
        timer.observe(seconds)


class Watching:
    """The three routes for operators' machines; they need no key and tell nothing of tenants."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def healthz(self, _request: Request) -> Response:
        """The process answers."""
        return Response(b'{"status":"ok"}', media_type=_JSON)

    async def readyz(self, _request: Request) -> Response:
        """The server can do its work, or says why not."""
        reason = self._parts.ready()
        if reason is None:
            return Response(b'{"status":"ready"}', media_type=_JSON)
        raise Busy(reason)

    def metrics(self, _request: Request) -> Response:
        """All metrics, for Prometheus."""
        return Response(generate_latest(self._parts.registry), media_type=METRICS_TYPE)
