"""`sealog init`, `catalog`, `tenants` and `keys`."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from sealog.cli import printing
from sealog.cli.connection import Client, connected
from sealog.cli.options import Where
from sealog.errors import Misconfigured


class NewKey(msgspec.Struct, frozen=True):
    """A key to make: no tenants means all; scopes with commas between."""

    name: str
    tenants: tuple[str, ...]
    scopes: str


def write_config(file: Path) -> None:
    """Write a commented configuration file; never over one that is there."""
    from sealog import config

    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(config.written())
    except FileExistsError:
        raise Misconfigured(f"{file} is there already") from None
    printing.say(f"wrote {file}")


def show_catalog(dialect: str | None, *, as_json: bool) -> None:
    """Print the catalog, or one dialect of it."""
    from sealog.catalog.shelf import load

    published = load().published()
    if dialect is not None:
        if dialect not in published:
            raise Misconfigured(f"the catalog has {', '.join(published)}, not {dialect}")
        published = {dialect: published[dialect]}
    if as_json:
        printing.as_json(published)
        return
    for name, types in published.items():
        printing.table(
            f"{name}: {len(types)} event types",
            ("native", "action", "description"),
            [(one["native"], one["action"], one["description"]) for one in types],
        )


def list_tenants(where: Where, *, as_json: bool) -> None:
    """Print all tenants."""
    found = asyncio.run(_list_tenants(where))
    if as_json:
        printing.as_json({"tenants": found})
        return
    rows = [(one["name"], str(one["size"]), one["created"][:10]) for one in found]
    printing.table("", ("tenant", "events", "since"), rows)
    # One a line and as they are: `verify --key` takes a file of them.
    printing.say("verifier keys:")
    for one in found:
        printing.say(one["vkey"])


def create_tenant(where: Where, name: str, *, as_json: bool) -> None:
    """Make a tenant."""

    async def run() -> dict[str, Any]:
        async with connected(where, writing=True) as client:
            return _read((await client.post("/v1/tenants", {"name": name})).content)

    made = asyncio.run(run())
    if as_json:
        printing.as_json(made)
    else:
        printing.say(f"tenant {made['name']}")


def create_key(where: Where, wanted: NewKey, *, as_json: bool) -> None:
    """Make a key and show its secret, once. Named tenants are made where missing."""
    made = asyncio.run(_create_key(where, wanted))
    if as_json:
        printing.as_json(made)
        return
    printing.say(made["key"])
    printing.tell(f"key {made['id']}: it is not shown again")


def list_keys(where: Where, *, as_json: bool) -> None:
    """Print all keys without their secrets."""

    async def run() -> list[dict[str, Any]]:
        async with connected(where, writing=False) as client:
            return await _all(client, "/v1/keys", "keys")

    found = asyncio.run(run())
    if as_json:
        printing.as_json({"keys": found})
        return
    rows = [
        (
            one["id"],
            one["name"],
            "all" if one["tenants"] is None else " ".join(one["tenants"]),
            " ".join(one["scopes"]),
            one["created"][:10],
            (one["revoked"] or "")[:10],
        )
        for one in found
    ]
    columns = ("id", "name", "tenants", "scopes", "made", "revoked")
    printing.table("", columns, rows, whole={"id", "made", "revoked"}, spare={"revoked"})


def revoke_key(where: Where, key_id: str) -> None:
    """End a key."""

    async def run() -> None:
        async with connected(where, writing=True) as client:
            await client.delete(f"/v1/keys/{key_id}")

    asyncio.run(run())
    printing.say(f"key {key_id} is revoked")


async def _create_key(where: Where, wanted: NewKey) -> dict[str, Any]:
    scopes = [scope.strip() for scope in wanted.scopes.split(",") if scope.strip()]
    async with connected(where, writing=True) as client:
        for tenant in wanted.tenants if client.app is not None else ():
            await client.post("/v1/tenants", {"name": tenant})
        body = {"name": wanted.name, "tenants": list(wanted.tenants) or None, "scopes": scopes}
        return _read((await client.post("/v1/keys", body)).content)


async def _list_tenants(where: Where) -> list[dict[str, Any]]:
    async with connected(where, writing=False) as client:
        listed = await _all(client, "/v1/tenants", "tenants")
        return [await _tenant(client, one["name"]) for one in listed]


async def _all(client: Client, path: str, member: str) -> list[dict[str, Any]]:
    """Every page of a list."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = _read((await client.get(path, cursor=cursor)).content)
        found += page[member]
        cursor = page["next_cursor"]
        if not cursor:
            return found


async def _tenant(client: Client, name: str) -> dict[str, Any]:
    return _read((await client.get(f"/v1/tenants/{name}")).content)


def _read(content: bytes) -> dict[str, Any]:
    return msgspec.json.decode(content, type=dict[str, Any])
