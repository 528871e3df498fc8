"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

Data = Annotated[
    Path,
    typer.Option(
        "--data", envvar="SEALOG_DATA", help="The data folder; writing makes it where missing."
    ),
]
Server = Annotated[
    str | None,
    typer.Option("--server", envvar="SEALOG_SERVER", help="Work on a server at this URL instead."),
]
KeyOption = Annotated[
    str | None,
    typer.Option("--key", envvar="SEALOG_KEY", help="The key for --server, slk_…"),
]
Config = Annotated[
    Path | None, typer.Option("--config", help="A configuration file; sealog.toml here if there.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
TenantOption = Annotated[str, typer.Option("--tenant", help="Whose trail.")]
Dialect = Annotated[
    str | None,
    typer.Option("--dialect", help="In whose shape: ecs, closer, easysend …; ecs without it."),
]
EcsVersion = Annotated[
    str | None, typer.Option("--ecs-version", help="Of the shape ecs: 8.11, which it is, or 1.9.")
]
Listen = Annotated[
    str | None, typer.Option("--listen", help="Address and port, such as 127.0.0.1:8321.")
]

DATA = Path("sealog-data")


class Where(msgspec.Struct, frozen=True):
    """What a command works on: a data folder, or a server."""

    data: Path = DATA
    server: str | None = None
    key: str | None = None
    config: Path | None = None
