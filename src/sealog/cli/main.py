"""`sealog`: every command, its options, and its help. What a command needs is imported in it."""

from pathlib import Path
from typing import Annotated

import typer

from sealog.cli import choosing, comparing, finding, options, streaming
from sealog.cli.options import DATA, AsJson, Config, Data, KeyOption, Listen, Server, Where
from sealog.cli.printing import failing

app = typer.Typer(
    name="sealog",
    help="A self-hosted audit log: records in, sealed, searchable, provable.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
tenants = typer.Typer(help="The customers whose trails are kept.", no_args_is_help=True)
keys = typer.Typer(help="Keys for the API.", no_args_is_help=True)
app.add_typer(tenants, name="tenants")
app.add_typer(keys, name="keys")
app.add_typer(choosing.settings, name="settings")
app.add_typer(choosing.retention, name="retention")
app.add_typer(streaming.streams, name="streams")


def main() -> None:
    """The console script."""
    app()


@app.command()
def serve(
    data: Data = DATA,
    config: Config = None,
    listen: Listen = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(
            "--against", help="Refuse to start unless the logs grow from this checkpoint."
        ),
    ] = None,
    tls_certificate: Annotated[Path | None, typer.Option(help="A PEM certificate chain.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its PEM private key.")] = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy in front speaks TLS.")
    ] = False,
) -> None:
    """Run the server on a data folder until it is told to stop."""
    from sealog.cli import serving

    with failing():
        chosen = serving.Chosen(listen, tls_certificate, tls_key, behind_proxy)
        serving.serve(Where(data, config=config), chosen, against or [])


@app.command()
def demo(
    data: Data = Path("sealog-demo"),
    listen: Listen = None,
    once: Annotated[bool, typer.Option("--once", help="Exit instead of serving.")] = False,
    seed: Annotated[int, typer.Option(help="Another seed, another history.")] = 1,
) -> None:
    """Make five tenants with weeks of synthetic history, seal it, verify it, and serve it."""
    from sealog.cli import demonstration

    with failing():
        demonstration.demonstrate(data, listen, once=once, seed=seed)


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("sealog.toml"),
) -> None:
    """Write a configuration file with every setting, its meaning and its default."""
    from sealog.cli import administering

    with failing():
        administering.write_config(file)


@app.command()
def ingest(
    files: Annotated[list[str], typer.Argument(help="Files of records; - is standard input.")],
    dialect: Annotated[str, typer.Option("--dialect", help="Whose vocabulary.")] = "ecs",
    tenant: Annotated[
        str | None, typer.Option("--tenant", help="Whose trail; else each organization.id.")
    ] = None,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Take files in, and end when everything is sealed, signed and synced.

    A file taken in again adds nothing; a grown one adds what is new. Exit code 3: some records were
    refused.
    """
    from sealog.cli import ingesting

    with failing():
        wanted = ingesting.Wanted(tuple(files), dialect, tenant, json)
        ingesting.ingest(Where(data, server, key, config), wanted)


app.command()(finding.search)
app.command()(finding.count)
app.command()(finding.facets)
app.command()(finding.histogram)


@app.command()
def tail(
    query: finding.Query = None,
    tenant: Annotated[list[str] | None, typer.Option("--tenant", help="Repeatable.")] = None,
    action: Annotated[
        list[str] | None, typer.Option("--action", help="Native or alias; * stands for anything.")
    ] = None,
    category: Annotated[str | None, typer.Option(help="event.category.")] = None,
    outcome: Annotated[str | None, typer.Option(help="success, failure, unknown.")] = None,
    actor: Annotated[str | None, typer.Option(help="Id, name or e-mail.")] = None,
    session: Annotated[str | None, typer.Option(help="A session's id.")] = None,
    dialect: options.Dialect = None,
    ecs_version: options.EcsVersion = None,
    after: Annotated[
        str | None, typer.Option(help="An index, -1 for all; else from now on.")
    ] = None,
    server: Server = None,
    key: KeyOption = None,
    json: AsJson = False,
) -> None:
    """Print a server's events as they come, one line each, until stopped."""
    from sealog.cli import searching, tailing

    with failing(), searching.pointing(query):
        asked = {
            "q": query,
            "tenant": tenant,
            "action": action,
            "category": category,
            "outcome": outcome,
            "actor": actor,
            "session": session,
            "dialect": dialect,
            "ecs_version": ecs_version,
            "after": after,
        }
        tailing.tail(Where(server=server, key=key), asked, as_json=json)


@app.command()
def export(
    tenant: options.TenantOption,
    form: Annotated[str, typer.Option("--format", help="ndjson, csv or parquet.")] = "ndjson",
    dialect: options.Dialect = None,
    ecs_version: options.EcsVersion = None,
    no_statements: Annotated[
        bool, typer.Option("--no-statements", help="Leave Sealog's own statements out.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; standard output without it.")
    ] = None,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
) -> None:
    """Write a tenant's whole trail, in the order of its log."""
    from sealog.cli import exporting

    with failing():
        wanted = exporting.wanted(tenant, form, dialect, ecs_version)
        wanted.statements, wanted.output = not no_statements, output
        exporting.export(Where(data, server, key, config), wanted)


app.command()(comparing.reconcile)


@app.command()
def verify(
    target: Annotated[Path | None, typer.Argument(help="A proof's file, or a data folder.")] = None,
    data: Data = DATA,
    key: Annotated[
        list[str] | None,
        typer.Option("--key", help="Trust only this vkey, or the vkeys in this file."),
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option("--against", help="A checkpoint you hold: the log must grow from it."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Check a whole data folder, or one event's proof, and name what is wrong. Only reads."""
    from sealog.cli import verifying

    with failing():
        verifying.verify(target or data, key or [], against or [], as_json=json)


@app.command()
def migrate(data: Data = DATA) -> None:
    """Bring a data folder of an older format along; starting the server does the same.

    What was begun and cut off goes on from where it was. A damaged segment is left as it is and
    named.
    """
    from sealog.cli import mending

    with failing():
        mending.migrate(data)


@app.command()
def repair(
    data: Data = DATA,
    backup: Annotated[
        Path | None,
        typer.Option("--from", help="A backup: a copy of the data folder, or its files."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Repair damaged segment files, while no server runs on the folder.

    A columns file (.parquet) is derived again from its parts. A parts file (.arrow) must come from
    a backup: it is taken from --from if size and digest are right, else named with both. Whatever
    else `sealog verify` finds is left alone.
    """
    from sealog.cli import mending

    with failing():
        mending.repair(data, backup, as_json=json)


@app.command()
def prove(
    tenant: options.TenantOption,
    index: Annotated[int | None, typer.Option(help="The event's index.", min=0)] = None,
    event: Annotated[str | None, typer.Option("--id", help="Or its id.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file.")] = None,
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
) -> None:
    """Write a proof of one event that anyone can check offline: `sealog verify FILE`."""
    from sealog.cli import verifying

    with failing():
        wanted = verifying.Wanted(tenant, index, event, output)
        verifying.prove(Where(data, server, key, config), wanted)


@app.command()
def catalog(
    dialect: Annotated[str | None, typer.Argument(help="Only this one.")] = None,
    json: AsJson = False,
) -> None:
    """List every documented event type."""
    from sealog.cli import administering

    with failing():
        administering.show_catalog(dialect, as_json=json)


@tenants.command("list")
def list_tenants(
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """List the tenants, how much each has, and the key that verifies its log."""
    from sealog.cli import administering

    with failing():
        administering.list_tenants(Where(data, server, key, config), as_json=json)


@tenants.command("create")
def create_tenant(
    name: Annotated[str, typer.Argument(help="1-128 of A-Z a-z 0-9 . _ : @ -")],
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Make a tenant."""
    from sealog.cli import administering

    with failing():
        administering.create_tenant(Where(data, server, key, config), name, as_json=json)


@keys.command("create")
def create_key(
    tenant: Annotated[
        list[str] | None, typer.Option("--tenant", help="Repeatable; all tenants without it.")
    ] = None,
    scope: Annotated[str, typer.Option(help="ingest,read,export,admin,erase")] = "ingest,read",
    name: Annotated[str, typer.Option(help="What it is for.")] = "made on the command line",
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """Make a key; its secret is shown this once."""
    from sealog.cli import administering

    with failing():
        wanted = administering.NewKey(name, tuple(tenant or ()), scope)
        administering.create_key(Where(data, server, key, config), wanted, as_json=json)


@keys.command("list")
def list_keys(
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
    json: AsJson = False,
) -> None:
    """List the keys, never their secrets."""
    from sealog.cli import administering

    with failing():
        administering.list_keys(Where(data, server, key, config), as_json=json)


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The key's id, as `keys list` shows it.")],
    data: Data = DATA,
    server: Server = None,
    key: KeyOption = None,
    config: Config = None,
) -> None:
    """End a key at once."""
    from sealog.cli import administering

    with failing():
        administering.revoke_key(Where(data, server, key, config), key_id)
