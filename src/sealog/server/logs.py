"""The sealed log over HTTP, as C2SP tlog-tiles has it, and the proofs cut from it."""

import base64

from starlette.requests import Request
from starlette.responses import Response

from sealog.access.reads import Kind
from sealog.errors import Missing
from sealog.event.tenants import Tenant
from sealog.ledger.files import parse_tile
from sealog.server import asking
from sealog.server.knocking import Knocker
from sealog.server.noting import Noting
from sealog.server.parts import Parts
from sealog.server.problems import BadParameter
from sealog.server.reading import Threads, covered, index_of, no_event

CHECKPOINT = "checkpoint"
CHECKPOINT_TYPE = "text/plain; charset=utf-8"
TILE_TYPE = "application/octet-stream"
CHECKPOINT_CACHE = "no-cache"
# What a tile of a given width holds never changes.
TILE_CACHE = "max-age=31536000, immutable"


class Logs:
    """The routes of sealed logs and proofs."""

    def __init__(self, parts: Parts, knocker: Knocker, threads: Threads) -> None:
        self._parts = parts
        self._noting = Noting(parts.reads, parts.origins)
        self._knocker = knocker
        self._threads = threads

    async def resource(self, request: Request) -> Response:
        """`GET /logs/{log_id}/…`: a checkpoint, a tile or a bundle; what is not there is a 404."""
        tenant, public = self._admitted(request)
        path: str = request.path_params["resource"]
        scope = "public" if public else "private"
        if path == CHECKPOINT:
            note = await self._threads.run(lambda: self._parts.ledger.checkpoint(tenant))
            if note is None:
                raise Missing("this log has no checkpoint yet", code="no-checkpoint")
            headers = {"Cache-Control": f"{scope}, {CHECKPOINT_CACHE}"}
            return Response(note, headers=headers, media_type=CHECKPOINT_TYPE)
        tile = parse_tile(path)
        content = await self._threads.run(lambda: self._parts.ledger.tile(tenant, tile))
        headers = {"Cache-Control": f"{scope}, {TILE_CACHE}"}
        return Response(content, headers=headers, media_type=TILE_TYPE)

    async def proof(self, request: Request) -> Response:
        """`GET /v1/tenants/{tenant}/events/{index}/proof`: a file that proves an event offline."""
        grant = self._knocker.knock(request.scope, "read", "export")
        tenant = covered(self._parts, grant, request.path_params["tenant"])
        index = index_of(request)

        def work() -> bytes:
            opened = self._parts.archive.get(tenant, index)
            if opened is None:
                raise no_event(index)
            return self._parts.ledger.event_proof(tenant, index, opened)

        content = await self._threads.run(work)
        self._noting.note(request.scope, tenant, Kind.PROOFS, (index,))
        name = f'attachment; filename="sealog-proof-{tenant.log_id[:8]}-{index}.json"'
        headers = {"Content-Disposition": name}
        return Response(content, headers=headers, media_type="application/json")

    async def consistency(self, request: Request) -> Response:
        """`GET /v1/tenants/{tenant}/consistency`: that a newer tree begins with an older one."""
        grant = self._knocker.knock(request.scope, "read", "export")
        tenant = covered(self._parts, grant, request.path_params["tenant"])
        params = request.query_params
        asking.check_names(params, {"old", "new"})
        for name in ("old", "new"):
            if name not in params:
                raise BadParameter(name, f"{name} is needed: the size of a tree")
        old = asking.number(params, "old", 0, asking.INDEX_MAX)
        new = asking.number(params, "new", 0, asking.INDEX_MAX)
        if old > new:
            raise BadParameter("old", "old is at most new")
        path = await self._threads.run(lambda: self._parts.ledger.consistency(tenant, old, new))
        hashes = b",".join(b'"' + base64.b64encode(one) + b'"' for one in path)
        content = b'{"old":%d,"new":%d,"hashes":[%b]}' % (old, new, hashes)
        return Response(content, media_type="application/json")

    def _admitted(self, request: Request) -> tuple[Tenant, bool]:
        """The tenant of a log, and whether anybody may read it.

        Without a key nobody learns which logs exist, save the public ones.
        """
        registration = self._parts.tenants.logged(request.path_params["log_id"])
        if registration is not None and registration.public:
            return registration.tenant, True
        grant = self._knocker.knock(request.scope, "read", "export")
        if registration is None or not grant.covers(registration.tenant.name):
            raise Missing("there is no such log for this key", code="no-such-log")
        return registration.tenant, False
