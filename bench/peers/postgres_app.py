"""What a good engineer writes in a day: FastAPI, asyncpg, one table, the same indexes.

`uvicorn bench.peers.postgres_app:app`, with `DSN` in the environment. Batches are copied in, an id
that is there already is left out, and the answer comes when the transaction is durable. Nothing is
sealed, masked, checked for equal keys or kept per person.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
import msgspec
from fastapi import FastAPI, Request, Response

TABLE = """
CREATE TABLE events (
  tenant text NOT NULL, seq bigint GENERATED ALWAYS AS IDENTITY, id text NOT NULL,
  at timestamptz NOT NULL, action text, category text, outcome text, actor text, address text,
  body text NOT NULL, PRIMARY KEY (tenant, id));
CREATE INDEX ON events (tenant, at DESC, seq DESC);
CREATE INDEX ON events (tenant, actor, at DESC);
CREATE INDEX ON events (tenant, action, at DESC);
CREATE INDEX ON events (tenant, address, at DESC);
CREATE INDEX ON events USING gin (to_tsvector('simple', body));
"""
COLUMNS = ("tenant", "id", "at", "action", "category", "outcome", "actor", "address", "body")
ARRIVING = (
    f"CREATE TEMP TABLE IF NOT EXISTS arriving ON COMMIT DELETE ROWS AS SELECT {', '.join(COLUMNS)}"
    " FROM events WITH NO DATA"
)
INSERT = (
    f"INSERT INTO events ({', '.join(COLUMNS)}) SELECT {', '.join(COLUMNS)} FROM arriving"
    " ON CONFLICT DO NOTHING"
)
FILTERS = {
    "actor": "actor = ${}",
    "action": "action = ${}",
    "address": "address = ${}",
    "from": "at >= ${}",
    "to": "at < ${}",
    "q": "to_tsvector('simple', body) @@ phraseto_tsquery('simple', ${})",
}


class _Event(msgspec.Struct, frozen=True):
    id: str
    action: str | None = None
    category: list[str] = []
    outcome: str | None = None


class _Id(msgspec.Struct, frozen=True):
    id: str | None = None


class _Ip(msgspec.Struct, frozen=True):
    ip: str | None = None


class _Record(msgspec.Struct, frozen=True):
    event: _Event
    organization: _Id
    at: datetime = msgspec.field(name="@timestamp")
    user: _Id = _Id()
    source: _Ip = _Ip()


_READ = msgspec.json.Decoder(_Record).decode


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DSN"], min_size=4, max_size=16, init=_init) as pool:
        app.state.pool = pool
        yield


async def _init(connection: Any) -> None:
    await connection.execute(ARRIVING)


app = FastAPI(lifespan=_lifespan, openapi_url=None)


@app.post("/v1/events")
async def take(request: Request) -> Response:
    """NDJSON in, an answer per record out, durable."""
    lines = [line for line in (await request.body()).split(b"\n") if line]
    rows = []
    for line in lines:
        one = _READ(line)
        event = one.event
        rows.append(
            (
                one.organization.id,
                event.id,
                one.at,
                event.action,
                ",".join(event.category),
                event.outcome,
                one.user.id,
                one.source.ip,
                line.decode(),
            )
        )
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        if len(rows) == 1:
            values = ", ".join(f"${place}" for place in range(1, len(COLUMNS) + 1))
            await connection.execute(
                f"INSERT INTO events ({', '.join(COLUMNS)}) VALUES ({values})"
                " ON CONFLICT DO NOTHING",
                *rows[0],
            )
        else:
            await connection.copy_records_to_table("arriving", records=rows, columns=COLUMNS)
            await connection.execute(INSERT)
    results = [{"id": row[1], "tenant": row[0]} for row in rows]
    return Response(msgspec.json.encode({"results": results}), media_type="application/json")


@app.get("/v1/events")
async def search(request: Request) -> Response:
    """A page, newest first."""
    values: list[Any] = [request.query_params["tenant"]]
    where = ["tenant = $1"]
    for name, condition in FILTERS.items():
        value = request.query_params.get(name)
        if value is not None:
            values.append(datetime.fromisoformat(value) if name in ("from", "to") else value)
            where.append(condition.format(len(values)))
    found = await request.app.state.pool.fetch(
        f"SELECT body FROM events WHERE {' AND '.join(where)} ORDER BY at DESC, seq DESC LIMIT 50",
        *values,
    )
    content = b'{"events":[' + b",".join(row["body"].encode() for row in found) + b"]}"
    return Response(content, media_type="application/json")


@app.get("/v1/facets")
async def facets(request: Request) -> Response:
    """The ten most frequent actions, categories and outcomes."""
    answer = {}
    for field in ("action", "category", "outcome"):
        rows = await request.app.state.pool.fetch(
            f"SELECT {field} AS value, count(*) AS count FROM events WHERE tenant = $1"
            " GROUP BY 1 ORDER BY 2 DESC LIMIT 10",
            request.query_params["tenant"],
        )
        answer[field] = [dict(row) for row in rows]
    return Response(msgspec.json.encode(answer), media_type="application/json")


@app.get("/v1/events/{event_id}")
async def one(event_id: str, request: Request) -> Response:
    """One event."""
    found = await request.app.state.pool.fetchrow(
        "SELECT body FROM events WHERE tenant = $1 AND id = $2",
        request.query_params["tenant"],
        event_id,
    )
    return Response(found["body"], media_type="application/json")
