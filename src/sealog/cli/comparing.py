"""The command that compares what a receiver holds: its options, and its help."""

from typing import Annotated

import typer

from sealog.cli import options
from sealog.cli.options import DATA, AsJson, Config, Data, KeyOption, Server, Where
from sealog.cli.printing import failing


def reconcile(
    files: Annotated[
        list[str],
        typer.Argument(help="What is held: files, or folders of them; - is standard input."),
    ],
    tenant: options.TenantOption,
    stream: Annotated[
        str | None, typer.Option("--stream", help="The stream that sent it, by its id.")
    ] = None,
    query: Annotated[
        str | None, typer.Option("--query", "-q", help="Only what this finds was to be sent.")
    ] = None,
    dialect: Annotated[str, typer.Option("--dialect", help="In whose shape it was sent.")] = "ecs",
    ecs_version: Annotated[str, typer.Option("--ecs-version", help="8.11 or 1.9.")] = "8.11",
    first: Annotated[int, typer.Option("--from", min=0, help="The first index to expect.")] = 0,
    last: Annotated[
        int | None,
        typer.Option("--to", min=0, help="The last; without it the last that is held."),
    ] = None,
    allow_doubled: Annotated[
        bool, typer.Option("--allow-doubled", help="Exit 0 where events are only held twice.")
    ] = False,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """List what a receiver misses, holds twice, or holds altered, by index.

    Reads lines, arrays and pages of JSON, webhook bodies, a folder's files, and exports, also as
    .gz and .zst. Exit code 1: the receiver does not hold everything once and unaltered.
    """
    from sealog.cli import reconciling

    with failing():
        wanted = reconciling.Wanted(
            files=tuple(files),
            tenant=tenant,
            stream=stream,
            query=query,
            dialect=dialect,
            ecs_version=ecs_version,
            first=first,
            last=last,
            may_double=allow_doubled,
            as_json=json,
        )
        reconciling.reconcile(Where(data, server, key, config), wanted)
