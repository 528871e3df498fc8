"""The commands that find and count events: their options, and their help."""

from typing import Annotated, Any

import typer

from sealog.cli.options import (
    DATA,
    AsJson,
    Config,
    Data,
    Dialect,
    EcsVersion,
    KeyOption,
    Server,
    Where,
)
from sealog.cli.printing import failing

Query = Annotated[
    str | None,
    typer.Argument(help="What to find, such as 'actor:ada -outcome:success': docs/query.md."),
]
Tenants = Annotated[list[str] | None, typer.Option("--tenant", help="Repeatable.")]
Since = Annotated[str | None, typer.Option("--from", help="-24h, yesterday, 2026-01-31, RFC 3339.")]
Until = Annotated[str | None, typer.Option("--to", help="Before this time.")]
Zone = Annotated[
    str | None, typer.Option("--zone", help="Whose days are meant, such as Europe/Berlin.")
]


def search(
    query: Query = None,
    tenant: Tenants = None,
    since: Since = None,
    until: Until = None,
    zone: Zone = None,
    action: Annotated[
        list[str] | None, typer.Option("--action", help="Native or alias; * stands for anything.")
    ] = None,
    category: Annotated[str | None, typer.Option(help="event.category.")] = None,
    outcome: Annotated[str | None, typer.Option(help="success, failure, unknown.")] = None,
    actor: Annotated[str | None, typer.Option(help="Id, name or e-mail.")] = None,
    session: Annotated[str | None, typer.Option(help="A session's id.")] = None,
    dialect: Dialect = None,
    ecs_version: EcsVersion = None,
    oldest: Annotated[bool, typer.Option("--oldest", help="The oldest first.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Events on the page.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended.")] = None,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Find events, newest first."""
    from sealog.cli import searching

    with failing():
        asked = _asked(query, tenant, since, until, zone) | {
            "action": action,
            "category": category,
            "outcome": outcome,
            "actor": actor,
            "session": session,
            "dialect": dialect,
            "ecs_version": ecs_version,
            "order": "oldest" if oldest else None,
            "limit": limit,
            "cursor": cursor,
        }
        searching.search(Where(data, server, key, config), asked, as_json=json)


def count(
    query: Query = None,
    tenant: Tenants = None,
    since: Since = None,
    until: Until = None,
    zone: Zone = None,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Count events."""
    from sealog.cli import counting

    with failing():
        asked = _asked(query, tenant, since, until, zone)
        counting.count(Where(data, server, key, config), asked, as_json=json)


def facets(
    query: Query = None,
    field: Annotated[
        list[str] | None, typer.Option("--field", help="Of which field; repeatable.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, max=100, help="Values of each field.")] = 10,
    tenant: Tenants = None,
    since: Since = None,
    until: Until = None,
    zone: Zone = None,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Show the most frequent values of fields: action, actor and outcome unless others are named."""
    from sealog.cli import counting

    with failing():
        fields = field or ["action", "actor", "outcome"]
        asked = _asked(query, tenant, since, until, zone) | {"field": fields, "top": top}
        counting.facets(Where(data, server, key, config), asked, as_json=json)


def histogram(
    query: Query = None,
    interval: Annotated[str, typer.Option(help="1m, 1h, 1d, 1w, 1mo, 1y or auto.")] = "auto",
    tenant: Tenants = None,
    since: Since = None,
    until: Until = None,
    zone: Zone = None,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Show how many events happened when."""
    from sealog.cli import counting

    with failing():
        asked = _asked(query, tenant, since, until, zone) | {"interval": interval}
        counting.histogram(Where(data, server, key, config), asked, as_json=json)


def _asked(
    query: str | None,
    tenant: list[str] | None,
    since: str | None,
    until: str | None,
    zone: str | None,
) -> dict[str, Any]:
    return {"q": query, "tenant": tenant, "from": since, "to": until, "zone": zone}
