"""`sealog settings` and `sealog retention`: what a tenant chose, and its versions."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from sealog.cli import clocking, printing
from sealog.cli.connection import Client, connected
from sealog.cli.options import (
    DATA,
    AsJson,
    Config,
    Data,
    KeyOption,
    Server,
    TenantOption,
    Where,
)
from sealog.cli.printing import failing
from sealog.errors import Misconfigured

settings = typer.Typer(help="What a tenant records, and how it is delivered.", no_args_is_help=True)
retention = typer.Typer(help="How long a tenant's events are kept.", no_args_is_help=True)
retention.command("clock")(clocking.clock)
retention.command("confirm-clock")(clocking.confirm_clock)

File = Annotated[
    str | None,
    typer.Argument(help="A file of JSON, as `show --json` prints it; - is standard input."),
]
Rules = Annotated[
    list[str] | None,
    typer.Option(
        "--rule",
        help="[DIALECT][:ACTION]=HOW, such as closer:agent_login*=90d or =forever; repeatable, in"
        " order, instead of a file.",
    ),
]
Recorded = Annotated[
    list[str] | None,
    typer.Option(
        "--rule",
        help="[DIALECT][:ACTION]=yes or no, such as easysend:Page*=no; repeatable, in order,"
        " instead of all that there are.",
    ),
]
_ON = {"yes": True, "no": False}
Make = Callable[[dict[str, Any]], dict[str, Any]]
"""What is in force → what is to be."""


@settings.command("show")
def show_settings(
    tenant: TenantOption,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Print what a tenant chose."""
    with failing():
        found = asyncio.run(_get(Where(data, server, key, config), "/v1/settings", tenant))
        _print(found, _settings_lines, as_json=json)


@settings.command("set")
def set_settings(
    tenant: TenantOption,
    file: File = None,
    rule: Recorded = None,
    delivery: Annotated[str | None, typer.Option(help="api or api-and-service.")] = None,
    webhook: Annotated[
        str | None, typer.Option(help="The service is a webhook at this URL.")
    ] = None,
    folder: Annotated[
        str | None, typer.Option(help="The service drops files into this folder of the server's.")
    ] = None,
    day_first: Annotated[
        bool | None,
        typer.Option("--day-first/--month-first", help="How LogicHub's 11/03/2020 is read."),
    ] = None,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Change what a tenant chose: all of it by a file, or some of it by options."""

    def make(now: dict[str, Any]) -> dict[str, Any]:
        wanted = _of_file(file) if file is not None else now
        wanted.setdefault("version", now["version"])
        if rule is not None:
            wanted["recorded"] = [_rule(one, "record", _switched) for one in rule]
        if delivery is not None:
            wanted["delivery"] = delivery
        if webhook is not None:
            wanted["service"] = {"kind": "webhook", "url": webhook}
        if folder is not None:
            wanted["service"] = {"kind": "folder", "path": folder}
        if day_first is not None:
            wanted["dialects"] = {"logichub": {"day_first": day_first}}
        return wanted

    with failing():
        if all(one is None for one in (file, rule, delivery, webhook, folder, day_first)):
            raise Misconfigured("say what to change: a file, --rule, --delivery …; see --help")
        changed = asyncio.run(_change(Where(data, server, key, config), "settings", tenant, make))
        _print(changed, _settings_lines, as_json=json)


@settings.command("history")
def settings_history(
    tenant: TenantOption,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Print every version, newest first, with who made it."""
    with failing():
        _history(Where(data, server, key, config), "settings", tenant, as_json=json)


@retention.command("show")
def show_retention(
    tenant: TenantOption,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Print how long a tenant's events are kept."""
    with failing():
        found = asyncio.run(_get(Where(data, server, key, config), "/v1/retention", tenant))
        _print(found, _retention_lines, as_json=json)


@retention.command("set")
def set_retention(
    tenant: TenantOption,
    file: File = None,
    rule: Rules = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="What expires at once may go, for ever.")
    ] = False,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Change how long a tenant's events are kept; see `dry-run` first."""
    make = _kept(file, rule)
    with failing():
        changed = asyncio.run(
            _change(
                Where(data, server, key, config),
                "retention",
                tenant,
                lambda now: make(now) | ({"confirm": True} if confirm else {}),
            )
        )
        _print(changed, _retention_lines, as_json=json)


@retention.command("dry-run")
def dry_run(
    tenant: TenantOption,
    file: File = None,
    rule: Rules = None,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Print what would go by other rules, and when; by those in force, where none are given."""
    make = _kept(file, rule, may_be_none=True)
    with failing():
        where = Where(data, server, key, config)
        told = asyncio.run(_change(where, "retention", tenant, make, dry_run="1"))
        _print(told, _foretold_lines, as_json=json)


@retention.command("history")
def retention_history(
    tenant: TenantOption,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Print every version, newest first, with who made it."""
    with failing():
        _history(Where(data, server, key, config), "retention", tenant, as_json=json)


def _kept(file: str | None, rules: Sequence[str] | None, *, may_be_none: bool = False) -> Make:
    def make(now: dict[str, Any]) -> dict[str, Any]:
        if file is not None and rules:
            raise Misconfigured("a file or --rule, not both")
        if file is not None:
            return {"version": now["version"], **_of_file(file)}
        if rules is None and not may_be_none:
            raise Misconfigured("say how long: --rule, or a file")
        if rules is not None:
            now = {**now, "rules": [_rule(one, "keep", _how_long) for one in rules]}
        return now

    return make


def _rule(text: str, member: str, read: Callable[[str], Any]) -> dict[str, Any]:
    """`[DIALECT][:ACTION]=HOW`; the last `=` divides, so that an action may hold one."""
    which, divider, how = text.rpartition("=")
    if not divider:
        raise Misconfigured(f"a rule is [DIALECT][:ACTION]=HOW, not {text!r}")
    dialect, _, action = which.partition(":")
    named = {"dialect": dialect.strip(), "action": action.strip()}
    return {
        **{name: value for name, value in named.items() if value not in ("", "*")},
        member: read(how.strip()),
    }


def _switched(how: str) -> bool:
    if how not in _ON:
        raise Misconfigured(f"a type is recorded, yes or no, not {how!r}")
    return _ON[how]


def _how_long(how: str) -> str | None:
    return None if how == "forever" else how


def _of_file(name: str) -> dict[str, Any]:
    content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Misconfigured(f"{name} is not one JSON object: {error}") from error


async def _get(where: Where, path: str, tenant: str, **params: str | None) -> dict[str, Any]:
    async with connected(where, writing=False) as client:
        return await _read(client, path, tenant, **params)


async def _change(
    where: Where, kind: str, tenant: str, make: Make, **params: str
) -> dict[str, Any]:
    async with connected(where, writing=True) as client:
        path = f"/v1/{kind}"
        wanted = make(await _read(client, path, tenant))
        changed = await client.put(path, wanted, tenant=tenant, **params)
        return msgspec.json.decode(changed.content, type=dict[str, Any])


async def _read(client: Client, path: str, tenant: str, **params: str | None) -> dict[str, Any]:
    found = await client.get(path, tenant=tenant, **params)
    return msgspec.json.decode(found.content, type=dict[str, Any])


def _history(where: Where, kind: str, tenant: str, *, as_json: bool) -> None:
    async def run() -> list[dict[str, Any]]:
        versions: list[dict[str, Any]] = []
        cursor: str | None = None
        async with connected(where, writing=False) as client:
            while True:
                page = await _read(client, f"/v1/{kind}/history", tenant, cursor=cursor)
                versions += page["versions"]
                cursor = page["next_cursor"]
                if cursor is None:
                    return versions

    found = asyncio.run(run())
    if as_json:
        printing.as_json({"versions": found})
        return
    lines = _settings_lines if kind == "settings" else _retention_lines
    for one in found:
        printing.say(_version(one))
        for line in lines(one):
            printing.say(f"  {line}")
    if not found:
        printing.tell("nothing was chosen yet")


def _print(
    found: dict[str, Any], lines: Callable[[dict[str, Any]], list[str]], *, as_json: bool
) -> None:
    if as_json:
        printing.as_json(found)
        return
    if found.get("changed"):
        printing.say(_version(found))
    for line in lines(found):
        printing.say(line)
    told = found.get("told_once", {})
    if "secret" in told:
        printing.say(f"secret: {told['secret']}")
        printing.tell("the secret is not shown again")


def _version(one: dict[str, Any]) -> str:
    return f"version {one['version']}, {one['changed']}, by {one['changed_by']}"


def _settings_lines(found: dict[str, Any]) -> list[str]:
    lines = [f"{_type(one)}={'yes' if one['record'] else 'no'}" for one in found["recorded"]]
    lines = [f"recorded: {line}" for line in lines] or ["recorded: everything"]
    lines.append(f"delivery: {found['delivery']}")
    if found["service"] is not None:
        service = found["service"]
        lines.append(f"service: {service['kind']} {service.get('url') or service.get('path')}")
        if "public_key" in service:
            lines.append(f"public_key: {service['public_key']}")
    day_first = found["dialects"]["logichub"]["day_first"]
    if day_first is not None:
        lines.append(f"logichub dates: {'day' if day_first else 'month'} first")
    return lines


def _retention_lines(found: dict[str, Any]) -> list[str]:
    lines = [_keep(one) for one in found["rules"]]
    return lines + [f"{_keep(one)} (default)" for one in found.get("defaults", [])]


def _keep(rule: dict[str, Any]) -> str:
    return f"{_type(rule)}={rule['keep'] or 'forever'}"


def _type(rule: dict[str, Any]) -> str:
    action = f":{rule['action']}" if "action" in rule else ""
    dialect: str = rule.get("dialect", "" if action else "*")
    return dialect + action


def _foretold_lines(told: dict[str, Any]) -> list[str]:
    at_once = told["at_once"]
    lines = [f"at once: {_events(at_once['events'])}"]
    for one in at_once["types"]:
        name = "others" if one["dialect"] is None else f"{one['dialect']}:{one['action']}"
        lines.append(f"  {one['events']} {name}")
    lines += [f"{one['day']}: {_events(one['events'])}" for one in told["later"]]
    if told["beyond"]:
        lines.append(f"later: {_events(told['beyond'])}")
    return lines


def _events(number: int) -> str:
    return "1 event" if number == 1 else f"{number:,} events"
