"""`sealog demo`: weeks of synthetic history in five vocabularies, sealed, verified, served."""

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sealog.cli import history, printing
from sealog.cli.serving import address_of, check, run

if TYPE_CHECKING:
    from sealog.app import App

RECORDS_PER_TENANT = 800
RECORDS_PER_REQUEST = 400


def demonstrate(data: Path, listen: str | None, *, once: bool, seed: int) -> None:
    """Make the history where the folder has none, show it, verify it, and serve it."""
    from sealog import app, config

    settings = config.load(None)
    server = settings.server.model_copy(update={"listen": listen} if listen else {})
    bound = address_of(server.listen)
    check(bound[0], server)
    with app.running(data, settings) as running:
        if running.journal.sizes():
            printing.say(f"{data} has a history already; it is shown as it is.")
        else:
            printing.say("Making synthetic history: nobody in it exists.")
            now = datetime.fromtimestamp(app.clock_us() // 3_600_000_000 * 3_600, UTC)
            asyncio.run(_make(running, now, seed))
            running.settle()
        _show(running)
        _verify(data)
        if once:
            printing.say(f"Look again: {_command()} search --data {data}")
            return
        _, secret = running.keys.create("demo", None, ("ingest", "read", "export", "admin"))
        _invite(f"http://{server.listen}", secret, data)
        run(running, server, bound)


async def _make(running: "App", until: datetime, seed: int) -> None:
    from sealog.access.grants import Grant
    from sealog.errors import Refused
    from sealog.intake.source import Source

    grant = Grant("key_of_the_demo", frozenset({"ingest"}), None, may_create=True)
    with printing.progress() as shown:
        for dialect in history.DIALECTS:
            records = list(history.history(dialect, until, count=RECORDS_PER_TENANT, seed=seed))
            task = shown.add_task(dialect, total=len(records))
            source = Source(grant, dialect, tenant=f"demo-{dialect}", imported=True)
            for at in range(0, len(records), RECORDS_PER_REQUEST):
                piece = records[at : at + RECORDS_PER_REQUEST]
                answers = await running.intake.accept(b"\n".join(piece), source)
                refused = [answer for answer in answers if isinstance(answer, Refused)]
                assert not refused, refused[0].detail
                shown.advance(task, len(piece))


def _show(running: "App") -> None:
    from sealog.query.tree import Is, Query

    rows = []
    for tenant in running.tenants.all():
        size = running.journal.size(tenant.number)
        if size:
            running.archive.wait_for(tenant, size - 1, 10.0)
            first, last, odd = _span(running, tenant)
            found = running.archive.search(
                [tenant], Query(where=Is("outcome", "failure")), limit=1000
            )
            rows.append((tenant.name, str(size), first, last, str(len(found.events)), str(odd)))
    columns = ("tenant", "events", "first", "last", "failures", "with findings")
    printing.table("What is there (synthetic)", columns, rows)


def _span(running: "App", tenant: Any) -> tuple[str, str, int]:
    from sealog.cli.pages import at
    from sealog.event import parts, tokens
    from sealog.query.tree import Query

    times: list[str] = []
    odd = 0
    for _, opened in running.archive.scan(tenant, Query()):
        event = tokens.plain(tokens.encode(parts.joined([text for _, _, text in opened.parts])))
        times.append(at(event, "@timestamp"))
        odd += bool(event["sealog"].get("findings"))
    return min(times)[:10], max(times)[:10], odd


def _verify(data: Path) -> None:
    from sealog.cli import verifying

    report = verifying.report_of(data)
    for line in verifying.lines_of(report):
        printing.say(line)
    if report.faults:
        sys.exit(printing.FAILED)


def _command() -> str:
    """What to type: uv sets a variable for what it runs, which is not on the path outside it."""
    return "uv run sealog" if "UV" in os.environ else "sealog"


def _invite(address: str, secret: str, data: Path) -> None:
    authorised = f'-H "Authorization: Bearer {secret}"'
    printing.say()
    printing.say(f"address: {address}")
    printing.say(f"key: {secret}")
    printing.say()
    printing.say("Three things to try, in another terminal:")
    printing.say(
        f'  curl {authorised} "{address}/v1/events?tenant=demo-closer&action=agent_login&outcome=failure"'
    )
    printing.say(f'  curl {authorised} "{address}/v1/events?action=*.login*&limit=5"')
    command = _command()
    printing.say(
        f"  {command} prove --server {address} --key {secret} --tenant demo-logichub --index 0"
        f" -o proof.json && {command} verify proof.json"
    )
    printing.say(f"The folder is {data}; Ctrl-C ends the server, and nothing is lost.")
