"""`sealog retention clock` and `confirm-clock`: whether events expire by the clock (decision 0016)."""

import asyncio
import time
from typing import Annotated, Any

import msgspec
import typer

from sealog.cli import printing
from sealog.cli.connection import connected
from sealog.cli.options import DATA, AsJson, Config, Data, KeyOption, Server, Where
from sealog.cli.printing import failing
from sealog.errors import Refused
from sealog.event import times

PATH = "/v1/retention/clock"


def clock(
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Print whether the server's clock is believed: events expire by no other."""
    with failing():
        found = asyncio.run(_asked(Where(data, server, key, config)))
        _print(found, as_json=json)


def confirm_clock(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Say that the server's clock is right, by the one here, so that events expire again."""
    with failing():
        where = Where(data, server, key, config)
        found = asyncio.run(_asked(where))
        if not found["trusted"]:
            if not json:
                _print(found, as_json=False)
            if not (yes or json or typer.confirm(f"Here it is {_now()}. Is that the time?")):
                raise Refused("the clock was not confirmed")
            found = asyncio.run(_asked(where, {"clock": _now()}))
        _print(found, as_json=json)


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        printing.as_json(found)
        return
    printing.say(f"clock: {found['clock']}")
    printing.say(f"expected: {found['expected'] or 'not known'}")
    printing.say(f"trusted: {'yes' if found['trusted'] else 'no: nothing expires by it'}")
    if found["tenants_waiting"]:
        printing.say(f"tenants that wait for it: {found['tenants_waiting']}")


async def _asked(where: Where, said: dict[str, str] | None = None) -> dict[str, Any]:
    # Who owns the folder judges the clock: nobody can look on.
    async with connected(where, writing=True) as client:
        answer = await (client.get(PATH) if said is None else client.post(PATH, said))
        return msgspec.json.decode(answer.content, type=dict[str, Any])


def _now() -> str:
    text = times.format_us(time.time_ns() // 1_000, digits=3)
    assert text is not None
    return text
