"""`sealog migrate` and `sealog repair`: an older or damaged folder, while no server runs on it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import typer

from sealog.cli import printing

if TYPE_CHECKING:
    from sealog.archive.repairing import Repaired


def migrate(data: Path) -> None:
    """Bring an older folder to this program's format."""
    from sealog import app

    if not app.is_older(data):
        printing.say(f"{data} has the newest format")
        return
    with printing.progress() as shown:
        task = shown.add_task("events", total=None)
        damaged = app.migrate(
            data, lambda done, total: shown.update(task, completed=done, total=total)
        )
    for error in damaged:
        printing.say(f"WRONG  {error}")
    printing.say(f"{data} has the newest format now")
    if damaged:
        printing.say("what is damaged was left as it is: sealog repair")
        raise typer.Exit(printing.FAILED)


def repair(data: Path, backup: Path | None, *, as_json: bool) -> None:
    """Repair segment files; exit code 1 where some are damaged still."""
    from sealog import app

    with printing.progress(quiet=as_json) as shown:
        task = shown.add_task("events", total=None)
        found = app.repair(
            data, backup, lambda done, total: shown.update(task, completed=done, total=total)
        )
    if as_json:
        printing.as_json({"whole": _is_whole(found), **_plain(found)})
    else:
        for line in lines_of(found):
            printing.say(line)
    if not _is_whole(found):
        raise typer.Exit(printing.FAILED)


def lines_of(found: "Repaired") -> Iterator[str]:
    """What was done, for people."""
    for path in found.restored:
        yield f"restored  {path} from the backup"
    for path in found.rebuilt:
        yield f"rebuilt   {path} from its parts, as the next generation"
    for lost in found.lost:
        yield f"DAMAGED   {lost.what}"
        yield f"          put back {lost.path}: {lost.bytes} bytes, SHA-256 {lost.sha256}"
    for what in found.other:
        yield f"WRONG     {what}"
    done = len(found.restored) + len(found.rebuilt)
    yield f"{found.looked_at} segments: {done} repaired, {len(found.lost)} damaged still"
    if found.lost:
        yield "take them from a backup: sealog repair --from FOLDER"


def _is_whole(found: "Repaired") -> bool:
    return not (found.lost or found.other)


def _plain(found: "Repaired") -> dict[str, object]:
    values: dict[str, object] = msgspec.structs.asdict(found)
    for name in ("restored", "rebuilt"):
        values[name] = list(map(str, getattr(found, name)))
    values["lost"] = [
        {**msgspec.structs.asdict(lost), "path": str(lost.path)} for lost in found.lost
    ]
    return values
