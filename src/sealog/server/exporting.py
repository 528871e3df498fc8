"""Exports: asking for one, seeing how far it is, fetching its file, ending it."""

import base64
import re
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from typing import IO, Any

import anyio.to_thread
import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sealog.access.grants import Grant
from sealog.errors import Busy, Refused
from sealog.event import times
from sealog.event.ids import check_tenant
from sealog.exports import columns, forms
from sealog.exports.exports import Exports, Wanted, no_export
from sealog.exports.forms import Form
from sealog.exports.jobs import EXPIRED, READY, Job
from sealog.server import asking, problems, statuses
from sealog.server.bodies import read_object
from sealog.server.knocking import Knocker, visit_of
from sealog.server.parts import Parts
from sealog.server.problems import BadParameter
from sealog.server.reading import Threads, covered
from sealog.server.settings import Settings

PATH = "/v1/exports"
CHUNK_BYTES = 256 << 10
OF_JOBS = asking.SHAPE_NAMES | {"tenant", "format", "columns"}

_ENCODE = msgspec.json.Encoder().encode
_JSON = "application/json"
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class Exporting:
    """The routes of exports."""

    def __init__(
        self, parts: Parts, settings: Settings, knocker: Knocker, threads: Threads
    ) -> None:
        self._parts = parts
        self._settings = settings
        self._knocker = knocker
        self._threads = threads

    @property
    def _exports(self) -> Exports:
        exports = self._parts.exports
        if exports is None:
            raise Busy("exports are made while a server runs")
        return exports

    async def all(self, request: Request) -> Response:
        """`/v1/exports`: ask for a file, or see those that were asked for."""
        return await (self.create if request.method == "POST" else self.jobs)(request)

    async def one(self, request: Request) -> Response:
        """`/v1/exports/{id}`: see how far one is, or end it."""
        return await (self.remove if request.method == "DELETE" else self.job)(request)

    async def create(self, request: Request) -> Response:
        """`POST /v1/exports`: ask for a file."""
        grant = self._knocker.knock(request.scope, "export")
        body = await read_object(request, self._settings.form_bytes_max)
        unknown = sorted(body.keys() - asking.FILTERS - OF_JOBS)
        if unknown:
            known = ", ".join(sorted(asking.FILTERS | OF_JOBS))
            odd = unknown[0][:100]
            raise BadParameter(odd, f"there is no {odd!r}; known are {known}", pointer=f"/{odd}")
        name: object = body.get("tenant", grant.only)
        if not isinstance(name, str):
            raise Refused("name the tenant", code="no-tenant", pointer="/tenant")
        tenant = covered(self._parts, grant, check_tenant(name))
        wanted = Wanted(
            _form(body),
            asking.asked_in_body(body, self._parts.clocks.us()),
            {name: value for name, value in body.items() if name not in OF_JOBS},
        )
        create = partial(self._exports.create, tenant, grant.key, wanted)
        job = await self._threads.run(create)
        headers = {"Location": f"{PATH}/{job.id}"}
        return Response(
            _ENCODE(self._shown(job)), statuses.ACCEPTED, headers=headers, media_type=_JSON
        )

    async def jobs(self, request: Request) -> Response:
        """`GET /v1/exports`: the jobs of the key's tenants, newest first."""
        grant = self._knocker.knock(request.scope, "export")
        params = request.query_params
        asking.check_names(params, {"tenant", "limit", "cursor"})
        settings = self._settings
        most = asking.number(params, "limit", settings.page_default, settings.page_max, least=1)
        only = None
        if "tenant" in params:
            only = covered(self._parts, grant, check_tenant(params["tenant"])).number
        found = [
            job
            for job in self._exports.all()
            if self._covers(grant, job) and only in (None, job.tenant)
        ]
        names = [job.id for job in found]
        cursor = params.get("cursor")
        if cursor is not None:
            found = found[names.index(cursor) + 1 :] if cursor in names else []
        shown = [self._shown(job) for job in found[:most]]
        following = found[most - 1].id if len(found) > most else None
        content = _ENCODE({"exports": shown, "next_cursor": following})
        return Response(content, media_type=_JSON)

    async def job(self, request: Request) -> Response:
        """`GET /v1/exports/{id}`: how far one is."""
        return Response(_ENCODE(self._shown(self._find(request))), media_type=_JSON)

    async def remove(self, request: Request) -> Response:
        """`DELETE /v1/exports/{id}`: end it, or remove it once it is over."""
        job = self._find(request)
        await self._threads.run(lambda: self._exports.remove(job.id))
        return Response(status_code=statuses.NO_CONTENT)

    async def content(self, request: Request) -> Response:
        """`GET /v1/exports/{id}/content`: the file, or the piece of it that is asked for."""
        found = self._find(request)
        job, file = await self._threads.run(lambda: self._exports.open(found.id))
        sha256 = job.sha256 or b""
        tenant = self._parts.tenants.numbered(job.tenant)
        assert tenant is not None
        headers = {
            "Accept-Ranges": "bytes",
            "ETag": f'"{sha256.hex()}"',
            "Repr-Digest": f"sha-256=:{base64.b64encode(sha256).decode()}:",
            "Content-Disposition": f'attachment; filename="{_plain(tenant.name)}-{job.name}"',
            "Cache-Control": "private, no-transform",
        }
        asked = range_of(request.headers, headers["ETag"], job.bytes)
        if asked is None:
            file.close()
            return self._unsatisfiable(request, job)
        first, end = asked
        headers["Content-Length"] = str(end - first)
        status = statuses.OK
        if end - first < job.bytes:
            status = statuses.PARTIAL
            headers["Content-Range"] = f"bytes {first}-{end - 1}/{job.bytes}"
        media_type = forms.MEDIA_TYPES[job.format]
        if request.method == "HEAD":
            file.close()
            return Response(status_code=status, headers=headers, media_type=media_type)
        piece = _piece(file, (first, end), lambda: not self._has_expired(job.id))
        return StreamingResponse(piece, status, headers, media_type)

    def _has_expired(self, job_id: str) -> bool:
        job = self._exports.get(job_id)
        return job is not None and job.state == EXPIRED

    def _unsatisfiable(self, request: Request, job: Job) -> Response:
        error = Refused(f"the file has {job.bytes} bytes", code="bad-range")
        visit = visit_of(request.scope)
        response = problems.of_error(error, request.url.path, visit.request_id)
        response.headers["Content-Range"] = f"bytes */{job.bytes}"
        return response

    def _find(self, request: Request) -> Job:
        grant = self._knocker.knock(request.scope, "export")
        asking.check_names(request.query_params, ())
        job = self._exports.get(request.path_params["id"])
        if job is None or not self._covers(grant, job):
            raise no_export()
        return job

    def _covers(self, grant: Grant, job: Job) -> bool:
        tenant = self._parts.tenants.numbered(job.tenant)
        return tenant is not None and grant.covers(tenant.name)

    def _shown(self, job: Job) -> dict[str, Any]:
        tenant = self._parts.tenants.numbered(job.tenant)
        return {
            "id": job.id,
            "state": job.state,
            "tenant": None if tenant is None else tenant.name,
            "format": job.format,
            "columns": None if job.format == "ndjson" else job.columns,
            "dialect": job.dialect,
            "ecs_version": job.ecs_version,
            "query": job.asked,
            "size": job.size,
            "created": _time(job.created_us),
            "finished": _time(job.finished_us),
            "expires": _time(job.expires_us),
            "events_done": job.events,
            "events_estimated": job.events if job.state == READY else job.estimated,
            "bytes": job.bytes,
            "sha256": None if job.sha256 is None else job.sha256.hex(),
            "error": job.error,
        }


def range_of(headers: Headers, etag: str, size: int) -> tuple[int, int] | None:
    """The first byte that is asked for and the one after the last; None where there is none such.

    All of it for what is no single range (RFC 9110, 14.2), and where `If-Range` names another file.
    """
    match = _RANGE.fullmatch(headers.get("range", "").strip().lower())
    if match is None or match[0] == "bytes=-" or headers.get("if-range", etag) != etag:
        return 0, size
    if not match[1]:
        first, end = max(size - int(match[2]), 0), size
    else:
        first = int(match[1])
        end = min(int(match[2]) + 1, size) if match[2] else size
        if match[2] and int(match[2]) < first:
            return 0, size
    return (first, end) if first < end else None


async def _piece(
    file: IO[bytes], span: tuple[int, int], may_go_on: Callable[[], bool]
) -> AsyncIterator[bytes]:
    first, end = span
    try:
        file.seek(first)
        left = end - first
        # One that expires meanwhile is given out no further: the connection ends before its length.
        while left and may_go_on():
            chunk = await anyio.to_thread.run_sync(file.read, min(CHUNK_BYTES, left))
            if not chunk:
                return  # It was cut short: the connection ends before its length is reached.
            left -= len(chunk)
            yield chunk
    finally:
        file.close()


def _form(body: Mapping[str, Any]) -> Form:
    name, names = body.get("format", "ndjson"), body.get("columns")
    if not isinstance(name, str) or name not in forms.FORMATS:
        raise Refused(
            f"a format is one of {', '.join(forms.FORMATS)}", code="bad-format", pointer="/format"
        )
    shape = asking.shape(body, in_body=True)
    made = partial(Form, name, dialect=shape.dialect, ecs_version=shape.ecs_version)
    if names is None:
        return made()
    is_list = isinstance(names, list) and all(isinstance(one, str) for one in names)
    if name == "ndjson" or not is_list:
        raise Refused(
            "columns is a list of names, for CSV and Parquet",
            code="bad-columns",
            pointer="/columns",
        )
    return made(columns=columns.check(names))


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", name)


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else times.format_us(at_us)
