"""`sealog streams`: where a tenant's events are sent to, and how that goes."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from sealog.cli import printing
from sealog.cli.connection import Client, connected
from sealog.cli.options import (
    DATA,
    AsJson,
    Config,
    Data,
    Dialect,
    EcsVersion,
    KeyOption,
    Server,
    TenantOption,
    Where,
)
from sealog.cli.printing import failing
from sealog.errors import Misconfigured

streams = typer.Typer(help="Where events are sent to, as they come.", no_args_is_help=True)

PATH = "/v1/streams"
PAGE = 1_000
StreamId = Annotated[str, typer.Argument(help="The stream's id, as `streams list` shows it.")]
Indexes = Annotated[
    list[int] | None, typer.Argument(help="Indexes, as `streams parked` shows them; without, all.")
]
From = Annotated[
    str | None,
    typer.Option("--from", help="now, beginning, an index, or a time with a zone; now without it."),
]
File = Annotated[
    str | None, typer.Option("--file", help="A file of JSON that says it all; - is standard input.")
]


@streams.command("list")
def list_streams(
    tenant: Annotated[str | None, typer.Option("--tenant", help="Only this one's.")] = None,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """List streams: their state, how far behind they are, what is wrong."""

    async def run(client: Client) -> list[dict[str, Any]]:
        return await _all(client, PATH, "streams", tenant=tenant)

    with failing():
        found = _ran(Where(data, server, key, config), run, writing=False)
        if json:
            printing.as_json({"streams": found})
            return
        if not found:
            printing.tell("there are no streams")
            return
        columns = ("id", "tenant", "name", "to", "state", "behind", "parked", "last error")
        rows = [_row(one, of_one=tenant is not None) for one in found]
        spare = {"tenant", "behind", "parked", "last error"}
        printing.table("", columns, rows, whole={"id"}, spare=spare)


@streams.command("show")
def show_stream(
    stream_id: StreamId,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
) -> None:
    """Print a stream as JSON; changed, `streams change` takes it back."""
    with failing():
        printing.as_json(_asked(Where(data, server, key, config), "GET", stream_id, writing=False))


@streams.command("create")
def create_stream(
    tenant: TenantOption,
    name: Annotated[str | None, typer.Option("--name", help="What to call it.")] = None,
    webhook: Annotated[str | None, typer.Option(help="Send to this URL.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Drop files into this folder.")] = None,
    query: Annotated[
        str | None, typer.Option("-q", "--query", help="Only what this finds.")
    ] = None,
    dialect: Dialect = None,
    ecs_version: EcsVersion = None,
    include: Annotated[list[str] | None, typer.Option(help="Only this field; repeatable.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="Not this field; repeatable.")] = None,
    mask: Annotated[
        list[str] | None, typer.Option(help="PATH=mask, hash or remove; repeatable.")
    ] = None,
    begins: From = None,
    file: File = None,
    only: Annotated[
        str | None, typer.Option("--only", help="Only check its destination, or only estimate it.")
    ] = None,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
) -> None:
    """Make a stream. A new signing secret is printed this once, with all of it, as JSON."""
    with failing():
        body: dict[str, Any] = {} if file is None else _read(file)
        body |= {"tenant": tenant, "name": name or body.get("name") or "stream"}
        if (webhook is not None) + (folder is not None) + ("destination" in body) != 1:
            raise Misconfigured("name one destination: --webhook, --folder or in --file")
        if webhook is not None:
            body["destination"] = {"kind": "webhook", "url": webhook}
        if folder is not None:
            body["destination"] = {"kind": "folder", "path": str(folder.absolute())}
        body |= _given(
            dialect=dialect,
            ecs_version=ecs_version,
            filter=None if query is None else {"q": query},
            fields=_given(include=include, exclude=exclude),
            mask=dict(map(_masking, mask or ())),
        )
        path = PATH
        if only is not None:
            if only not in ("check", "estimate"):
                raise Misconfigured("--only is check or estimate")
            path += "/" + only
        elif begins is not None:
            body["from"] = _place(begins)
        where = Where(data, server, key, config)
        printing.as_json(_ran(where, lambda client: _posted(client, path, body)))


@streams.command("change")
def change_stream(
    stream_id: StreamId,
    file: Annotated[str, typer.Argument(help="A file as `show` prints it; - is standard input.")],
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
) -> None:
    """Change a stream to what a file says; refused where it was changed since it was shown."""
    with failing():
        body = _read(file)

        async def run(client: Client) -> dict[str, Any]:
            return _value((await client.put(f"{PATH}/{stream_id}", body)).content)

        printing.as_json(_ran(Where(data, server, key, config), run))


@streams.command("pause")
def pause_stream(
    stream_id: StreamId,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
) -> None:
    """Send nothing until it is resumed; nothing is lost meanwhile."""
    with failing():
        _say(_asked(Where(data, server, key, config), "POST", f"{stream_id}/pause"))


@streams.command("resume")
def resume_stream(
    stream_id: StreamId,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
) -> None:
    """Send again, at once: also one that waits for another attempt, or was disabled."""
    with failing():
        _say(_asked(Where(data, server, key, config), "POST", f"{stream_id}/resume"))


@streams.command("replay")
def replay_stream(
    stream_id: StreamId,
    begins: Annotated[str, typer.Option("--from", help="An index, or a time with a zone.")],
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
) -> None:
    """Go on from another index or time: back, or past what is stuck."""
    with failing():
        body = {"from": _place(begins)}
        _say(_asked(Where(data, server, key, config), "POST", f"{stream_id}/replay", body))


@streams.command("check")
def check_stream(
    stream_id: StreamId,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
) -> None:
    """Send a test record to its destination; exit code 1 where it is not taken."""
    with failing():
        found = _asked(Where(data, server, key, config), "POST", f"{stream_id}/check")
        if found["taken"]:
            printing.say("taken")
            return
        error = found["error"]
        printing.tell(f"sealog: not taken: {error['kind']}: {error['reason']}")
        raise typer.Exit(printing.FAILED)


@streams.command("rotate")
def rotate_secret(
    stream_id: StreamId,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
) -> None:
    """Draw a new signing secret, printed this once; the old one signs beside it for a while."""
    with failing():
        printing.as_json(_asked(Where(data, server, key, config), "POST", f"{stream_id}/rotate"))


@streams.command("parked")
def list_parked(
    stream_id: StreamId,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """List what its destination refused for good, and why."""

    async def run(client: Client) -> list[dict[str, Any]]:
        return await _all(client, f"{PATH}/{stream_id}/parked", "parked")

    with failing():
        found = _ran(Where(data, server, key, config), run, writing=False)
        if json:
            printing.as_json({"parked": found})
            return
        rows = [
            (str(one["index"]), one["at"], str(one["attempts"]), one["reason"]) for one in found
        ]
        if not rows:
            printing.tell("nothing is parked")
            return
        printing.table("", ("index", "last attempt", "attempts", "reason"), rows)


@streams.command("retry")
def retry_parked(
    stream_id: StreamId,
    indexes: Indexes = None,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
) -> None:
    """Send parked records again, beside what comes."""
    with failing():
        where = Where(data, server, key, config)
        found = _asked(where, "POST", f"{stream_id}/parked/retry", _given(indexes=indexes))
        printing.say(f"sent again: {found['retried']}")


@streams.command("drop")
def drop_parked(
    stream_id: StreamId,
    indexes: Indexes = None,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
) -> None:
    """Give parked records up; they stay in the trail."""
    with failing():
        where = Where(data, server, key, config)
        found = _asked(where, "POST", f"{stream_id}/parked/drop", _given(indexes=indexes))
        printing.say(f"dropped: {found['dropped']}")


@streams.command("delete")
def delete_stream(
    stream_id: StreamId,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
) -> None:
    """Delete a stream. What it sent is where it was sent."""

    async def run(client: Client) -> None:
        await client.delete(f"{PATH}/{stream_id}")

    with failing():
        _ran(Where(data, server, key, config), run)
        printing.say(f"stream {stream_id} is deleted")


def _ran(where: Where, work: Callable[[Client], Awaitable[Any]], *, writing: bool = True) -> Any:
    async def run() -> Any:
        async with connected(where, writing=writing) as client:
            return await work(client)

    return asyncio.run(run())


def _asked(
    where: Where, method: str, path: str, body: Any = None, *, writing: bool = True
) -> dict[str, Any]:
    async def run(client: Client) -> dict[str, Any]:
        if method == "GET":
            return _value((await client.get(f"{PATH}/{path}")).content)
        return await _posted(client, f"{PATH}/{path}", {} if body is None else body)

    found: dict[str, Any] = _ran(where, run, writing=writing)
    return found


async def _posted(client: Client, path: str, body: Any) -> dict[str, Any]:
    return _value((await client.post(path, body)).content)


async def _all(client: Client, path: str, member: str, **params: Any) -> list[dict[str, Any]]:
    """Every page of a list."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = _value((await client.get(path, cursor=cursor, limit=PAGE, **params)).content)
        found += page[member]
        cursor = page["next_cursor"]
        if not cursor:
            return found


def _value(content: bytes) -> dict[str, Any]:
    return msgspec.json.decode(content, type=dict[str, Any])


def _say(stream: dict[str, Any]) -> None:
    printing.say(f"stream {stream['id']} is {stream['state']}, next is index {stream['next']}")


def _row(one: dict[str, Any], *, of_one: bool) -> Sequence[str]:
    error = one["last_error"]
    is_wrong = one["failures"] or one["state"] == "disabled"
    destination = one["destination"]
    return (
        one["id"],
        "" if of_one else one["tenant"] or "",
        one["name"],
        destination.get("url") or destination.get("path") or destination["kind"],
        one["state"],
        f"{one['lag_events']:,} ({one['lag_seconds'] or 0:,.0f} s)" if one["lag_events"] else "",
        str(one["parked"] or ""),
        f"{error['kind']}: {error['reason']}" if error is not None and is_wrong else "",
    )


def _read(file: str) -> dict[str, Any]:
    try:
        text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return _value(text)
    except OSError as error:
        raise Misconfigured(f"{file}: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{file} is not one JSON object") from error


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, [], {})}


def _masking(text: str) -> tuple[str, str]:
    path, equals, way = text.rpartition("=")
    if not equals:
        raise Misconfigured(f"--mask is PATH=mask, PATH=hash or PATH=remove, not {text!r}")
    return path, way


def _place(text: str) -> Any:
    if text in ("now", "beginning"):
        return text
    return {"index": int(text)} if text.isdecimal() else {"time": text}
