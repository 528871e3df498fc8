"""`sealog verify` and `sealog prove`: for whoever trusts nobody."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import typer

from sealog.cli import printing
from sealog.cli.connection import connected
from sealog.cli.options import Where
from sealog.errors import Misconfigured

if TYPE_CHECKING:
    from sealog.verify.report import Report

FAULTS_SHOWN_MAX = 100


class Wanted(msgspec.Struct, frozen=True):
    """Which event to prove, and where to write the proof."""

    tenant: str
    index: int | None
    event: str | None
    output: Path | None


def verify(target: Path, keys: Sequence[str], against: Sequence[Path], *, as_json: bool) -> None:
    """Check a folder or a file; exit code 1 where anything is wrong."""
    if target.is_file():
        _verify_file(target, keys, as_json=as_json)
        return
    if not target.is_dir():
        raise Misconfigured(f"there is no {target}")
    with printing.progress(quiet=as_json) as shown:
        tasks: dict[str, int] = {}

        def progress(label: str, done: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = shown.add_task(label, total=total)
            shown.update(tasks[label], completed=done, total=total)  # type: ignore[arg-type]

        report = report_of(target, keys, against, progress)
    if as_json:
        printing.as_json({"holds": report.holds, **msgspec.structs.asdict(report)})
    else:
        for line in lines_of(report):
            printing.say(line)
    if not report.holds:
        raise typer.Exit(printing.FAILED)


def report_of(
    folder: Path,
    keys: Sequence[str] = (),
    against: Sequence[Path] = (),
    progress: Callable[[str, int, int], None] | None = None,
) -> "Report":
    """Verify a whole data folder."""
    from sealog.verify.folder import verify_folder

    notes = [path.read_bytes() for path in against]
    return verify_folder(folder, keys=_vkeys(keys), against=notes, progress=progress)


def lines_of(report: "Report") -> Iterator[str]:
    """A report for people; faults first."""
    for fault in report.faults[:FAULTS_SHOWN_MAX]:
        yield f"WRONG  {fault}"
    more = len(report.faults) - FAULTS_SHOWN_MAX + report.faults_left_out
    if more > 0:
        yield f"WRONG  and {more} more"
    for note in report.unfinished:
        yield f"note   {note}"
    if any(fault.where.startswith("archive/") for fault in report.faults):
        yield "segment files are mended by sealog repair, while no server runs on the folder"
    counts = report.counts
    yield (
        f"{len(report.tenants)} tenants: opened {counts.opened}, erased {counts.erased},"
        f" expired {counts.expired}, statement {counts.statement},"
        f" UNEXPLAINED {counts.unexplained}"
    )
    yield report.trust
    yield "verified" if report.holds else "NOT verified"


def prove(where: Where, wanted: Wanted) -> None:
    """Write the proof of one event."""
    if (wanted.index is None) == (wanted.event is None):
        raise Misconfigured("name the event by --index or by --id")
    content = asyncio.run(_prove(where, wanted))
    if wanted.output is None:
        sys.stdout.buffer.write(content)
        return
    wanted.output.write_bytes(content)
    printing.tell(f"wrote {wanted.output}: sealog verify {wanted.output}")


async def _prove(where: Where, wanted: Wanted) -> bytes:
    async with connected(where, writing=False) as client:
        index = wanted.index
        if index is None:
            path = f"/v1/events/{wanted.event}"
            event = (await client.get(path, tenant=wanted.tenant)).content
            index = msgspec.json.decode(event, type=_Event).sealog.index
        if client.app is not None and not client.app.is_looking:
            await asyncio.to_thread(client.app.settle)
        path = f"/v1/tenants/{wanted.tenant}/events/{index}/proof"
        return (await client.get(path)).content


class _Sealog(msgspec.Struct):
    index: int


class _Event(msgspec.Struct):
    sealog: _Sealog


def _verify_file(file: Path, keys: Sequence[str], *, as_json: bool) -> None:
    from sealog.verify.file import verify_file

    vkeys = _vkeys(keys)
    if len(vkeys) > 1:
        raise Misconfigured("a proof is of one log: give one --key")
    verdict = verify_file(file.read_bytes(), key=vkeys[0] if vkeys else None)
    if as_json:
        printing.as_json(verdict)
    else:
        for line in verdict.lines:
            printing.say(line)
    if not verdict.holds:
        raise typer.Exit(printing.FAILED)


def _vkeys(keys: Sequence[str]) -> list[str]:
    """Each `--key` is a vkey, or a file of them, one a line."""
    found: list[str] = []
    for key in keys:
        path = Path(key)
        if "+" in key and not path.is_file():
            found.append(key)
        elif path.is_file():
            lines = path.read_text("utf-8").splitlines()
            found += [line.strip() for line in lines if line.strip() and line[0] != "#"]
        else:
            raise Misconfigured(f"--key is a vkey or a file of them; there is no file {key}")
    return found
