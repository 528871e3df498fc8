"""Write the generated pages of docs/ from the program: `just docs`.

Imports `sealog` and nothing else of this project, so that what the pages say is what the program
does. `tests/docs/test_generated.py` compares them.
"""

import inspect
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer.main
from pydantic import BaseModel

from sealog import config
from sealog.catalog.entries import CatalogFile, EventType
from sealog.catalog.shelf import load
from sealog.cli.main import app
from sealog.dialects import registry
from sealog.query.fields import FIELDS

ROOT = Path(__file__).parent.parent
MADE = "<!-- Made by `just docs` from {source}. Do not edit. -->\n"
HELP_COLUMNS = 88
OUTCOMES = {
    "http-status": "HTTP status",
    "status": "status word",
    "success": "success",
    "failure": "failure",
    "unknown": "unknown",
}


def main() -> None:
    """Write every page."""
    for name, text in pages().items():
        (ROOT / name).write_text(text, "utf-8")
        print(f"wrote {name}")


def pages() -> dict[str, str]:
    """Path relative to the repository → what should stand there."""
    return {
        "docs/settings.md": settings_page(),
        "docs/dialects.md": dialects_page(),
        "docs/catalog.md": catalog_page(),
        "docs/cli.md": cli_page(),
        "docs/query.md": query_page(),
    }


def settings_page() -> str:
    """Every setting: its section, default, limits, variable and meaning."""
    lines = [
        MADE.format(source="src/sealog/config.py"),
        "# Settings",
        "",
        (
            "Settings stand in `sealog.toml` where Sealog is started, or in the file that `--config` names."
            " A variable wins over the file. `sealog init` writes a file with every setting, commented"
            " out. A key that is not listed here is refused before anything starts."
        ),
    ]
    for name, section in sections("", config.Settings):
        lines += ["", f"## `[{name}]`", "", " ".join((section.__doc__ or "").split())]
        lines += ["", "| key | default | allowed | variable |", "|---|---|---|---|"]
        fields = scalars(section)
        lines += [
            f"| `{key}` | {default_of(field)} | {allowed(field)} | `{variable(name, key)}` |"
            for key, field in fields
        ]
        lines += [""]
        lines += [
            f"* `{key}`: {' '.join((field.description or '').split())}" for key, field in fields
        ]
    return "\n".join(lines) + "\n"


def sections(name: str, section: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """Every section that has settings of its own, in order, by its name in the file."""
    for key, field in section.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, BaseModel):
            inner = f"{name}.{key}" if name else key
            if scalars(type(default)):
                yield inner, type(default)
            yield from sections(inner, type(default))


def scalars(section: type[BaseModel]) -> list[tuple[str, Any]]:
    """The settings that stand in a section itself."""
    return [
        (key, field)
        for key, field in section.model_fields.items()
        if not isinstance(field.get_default(call_default_factory=True), BaseModel)
    ]


def variable(section: str, key: str) -> str:
    """The variable that sets a key."""
    return "SEALOG_" + f"{section}.{key}".upper().replace(".", "__")


def default_of(field: Any) -> str:
    """A default as it would stand in the file."""
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{list(value)}`"
    return f"`{value}`" if isinstance(value, int | float) else f'`"{value}"`'


def allowed(field: Any) -> str:
    """The limits of a number, or the kind of value."""
    bounds = {
        name: getattr(each, name)
        for each in field.metadata
        for name in ("ge", "le")
        if hasattr(each, name)
    }
    if "ge" in bounds and "le" in bounds:
        return f"{bounds['ge']} to {bounds['le']}"
    if "ge" in bounds:
        return f"from {bounds['ge']}"
    if get_origin(field.annotation) is Literal:
        return " or ".join([f"`{value}`" for value in get_args(field.annotation)])
    annotation = str(field.annotation)
    if "tuple" in annotation:
        return "a list"
    if "bool" in annotation:
        return "`true`, `false`"
    return "a path" if "Path" in annotation else "text"


def dialects_page() -> str:
    """The dialects, as their modules and catalogs introduce them."""
    catalog = load()
    lines = [
        MADE.format(source="src/sealog/dialects and src/sealog/catalog/data"),
        "# Dialects",
        "",
        (
            "A dialect is one product's vocabulary and shape. Records are sent to"
            " `POST /v1/ingest/<dialect>`, or given to `sealog ingest --dialect <dialect>`; what is read"
            " of each, and which of its quirks are put right, stands in"
            " [interfaces/dialects.md](interfaces/dialects.md). Types are listed in [catalog.md](catalog.md)."
        ),
        "",
        "| dialect | product | its document | types |",
        "|---|---|---|--:|",
    ]
    for name in registry.NAMES:
        file = catalog.dialects.get(name)
        if file is None:
            lines += [f"| [`{name}`](#{name}) | native | Elastic Common Schema 8.11 | any |"]
        else:
            lines += [
                f"| [`{name}`](#{name}) | {file.product} | {file.document} | {len(file.types)} |"
            ]
    for name in registry.NAMES:
        lines += ["", f"## {name}", "", introduction(name)]
        file = catalog.dialects.get(name)
        if file is not None:
            lines += ["", " ".join(file.description.split())]
    return "\n".join(lines) + "\n"


def introduction(name: str) -> str:
    """The first sentence of a dialect's module."""
    module = import_module(type(registry.of(name, load())).__module__)
    return " ".join((inspect.getdoc(module) or "").partition("\n\n")[0].split())


def catalog_page() -> str:
    """Every documented event type."""
    lines = [
        MADE.format(source="src/sealog/catalog/data"),
        "# Catalog",
        "",
        (
            "Every event type that the documented products list. `event.action` is the native name,"
            " `sealog.action` the alias; a search takes either. Outcome says where `event.outcome` comes"
            " from: an HTTP status, the record's own status word, or the type itself. Of a data field"
            " that is declared to stand in another part than `rest`, the part is named. The same list as"
            " JSON: `sealog catalog --json`, or `GET /v1/catalog`."
        ),
    ]
    for file in load().dialects.values():
        lines += ["", f"## {file.dialect}", "", f"{file.product}, “{file.document}”."]
        for section in dict.fromkeys(each.section for each in file.types):
            types = [each for each in file.types if each.section == section]
            lines += ["", f"### {file.dialect}: {section}", ""]
            lines += [
                "| native | alias | category / type | outcome | what | data |",
                "|---|---|---|---|---|---|",
            ]
            lines += [type_row(file, each) for each in types]
    return "\n".join(lines) + "\n"


def type_row(file: CatalogFile, each: EventType) -> str:
    """One type as a row."""
    own = [(name, field) for name, field in each.fields.items() if name not in file.fields]
    data = ", ".join(
        f"`{name}`" + ("" if field.part == "rest" else f" ({field.part})") for name, field in own
    )
    kind = "" if each.kind == "event" else f" ({each.kind})"
    what = " ".join(filter(None, (each.description, each.note)))
    cells = (
        f"`{each.native}`",
        f"`{each.action}`",
        f"{', '.join(each.category)} / {', '.join(each.type)}{kind}",
        OUTCOMES[each.outcome],
        what,
        data,
    )
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def cli_page() -> str:
    """Every command's help."""
    lines = [
        MADE.format(source="src/sealog/cli/main.py"),
        "# Command line",
        "",
        (
            "`uv run sealog` in a checkout, `sealog` where it is installed. Commands work on a data folder"
            " (`--data`, made where missing) or on a running server (`--server` and `--key`), and answer"
            " alike. Exit codes: 0 all is well, 1 something failed, 2 the command or a setting is"
            " wrong, 3 some records were refused. With `--json`, standard output is one line of JSON."
        ),
    ]
    for name, text in helps():
        lines += ["", f"## `{name}`", "", "```", text, "```"]
    return "\n".join(lines) + "\n"


def query_page() -> str:
    """The page about queries, with the table of fields as it is."""
    page = (ROOT / "docs" / "query.md").read_text("utf-8")
    before, begun, rest = page.partition("<!-- fields: ")
    note, _, after = rest.partition("\n")
    _, ended, after = after.partition("<!-- /fields -->")
    rows = [
        f"| `{field.name}` | {field.kind.value} | {field.about} | {quoted(field.also)} |"
        for field in FIELDS.values()
    ]
    table = ["| field | kind | what | also |", "|---|---|---|---|", *rows]
    return f"{before}{begun}{note}\n" + "\n".join(table) + f"\n{ended}{after}"


def quoted(names: Iterable[str]) -> str:
    """Names as code, in a row."""
    return ", ".join(f"`{name}`" for name in names)


def helps() -> Iterator[tuple[str, str]]:
    """Every command's full name and help, groups first, in the order of `--help`."""

    def walk(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:
        context = command.context_class(
            command, info_name=name, parent=parent, terminal_width=HELP_COLUMNS
        )
        yield context.command_path, command.get_help(context).rstrip()
        for inner, below in getattr(command, "commands", {}).items():
            yield from walk(below, inner, context)

    yield from walk(typer.main.get_command(app), "sealog", None)


if __name__ == "__main__":
    main()
