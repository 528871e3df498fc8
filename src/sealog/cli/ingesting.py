"""`sealog ingest`: files in, sealed when it ends."""

import asyncio
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import typer

from sealog.cli import pieces, printing
from sealog.cli.connection import Client, connected
from sealog.cli.options import Where
from sealog.errors import Misconfigured, Refused

REFUSALS_SHOWN_MAX = 20
REFUSALS_KEPT_MAX = 1_000
SEALED_WITHIN_S = 60.0
BUSY_TRIES = 20
_ALL_REFUSED = 422
_CONFLICT = 409
_BUSY = 503
_UNAUTHORISED = 401
_FORBIDDEN = 403
_WRONG_VALUES = ("/problems/unknown-dialect", "/problems/bad-tenant")
"""Faults of the command, not of the file."""
_PLACE = re.compile(r"record [0-9]+ \([a-z]+ [0-9]+\): ")
"""Where in the request the server found it."""


class Wanted(msgspec.Struct, frozen=True):
    """What to take in, and as what."""

    files: tuple[str, ...]
    dialect: str
    tenant: str | None
    as_json: bool


class Tally(msgspec.Struct):
    """What came of it."""

    accepted: int = 0
    repeated: int = 0
    refused: int = 0
    not_recorded: int = 0
    """Their tenant chose not to record their types."""
    refusals: list[dict[str, Any]] = []
    newest: dict[str, int] = {}
    """Tenant → its highest index given here."""


class _Receipt(msgspec.Struct):
    tenant: str | None = None
    index: int | None = None
    repeated: bool = False
    refused: dict[str, Any] | None = None
    not_recorded: dict[str, Any] | None = None


class _Results(msgspec.Struct):
    results: list[_Receipt]


_RESULTS = msgspec.json.Decoder(_Results)


def ingest(where: Where, wanted: Wanted) -> None:
    """Take the files in, in order; exit code 3 where some records were refused."""
    tally = asyncio.run(_ingest(where, wanted))
    if wanted.as_json:
        printing.as_json(tally)
    else:
        new = tally.accepted - tally.repeated
        left_out = f", {tally.not_recorded} not recorded" if tally.not_recorded else ""
        printing.say(
            f"{new} new, {tally.repeated} already there, {tally.refused} refused{left_out}"
        )
        for refusal in tally.refusals[:REFUSALS_SHOWN_MAX]:
            printing.tell(f"{refusal['file']} record {refusal['record']}: {refusal['detail']}")
        if tally.refused > REFUSALS_SHOWN_MAX:
            printing.tell(f"and {tally.refused - REFUSALS_SHOWN_MAX} more; --json lists them")
    if tally.refused:
        raise typer.Exit(printing.SOME_REFUSED)


async def _ingest(where: Where, wanted: Wanted) -> Tally:
    tally = Tally()
    async with connected(where, writing=True) as client:
        with printing.progress(quiet=wanted.as_json) as shown:
            for name in wanted.files:
                with _opened(name) as (path, stream, size):
                    task = shown.add_task(name, total=size)
                    for piece in pieces.cut(path, stream):
                        await _send(client, wanted, name, piece, tally)
                        shown.advance(task, len(piece.body))
        await _settle(client, tally)
    return tally


@contextmanager
def _opened(name: str) -> Iterator[tuple[Path | None, BinaryIO, int | None]]:
    """A file's path, its bytes, and how many there are; nothing but bytes of standard input."""
    if name == "-":
        yield None, sys.stdin.buffer, None
        return
    path = Path(name)
    with path.open("rb") as stream:
        yield path, stream, path.stat().st_size


async def _send(
    client: Client, wanted: Wanted, name: str, piece: pieces.Piece, tally: Tally
) -> None:
    headers = {"sealog-import": "1", "content-type": "application/octet-stream"}
    if piece.repeats:
        pairs = (f"{place}={count}" for place, count in piece.repeats.items())
        headers["sealog-repeats"] = ",".join(pairs)
    params = {"tenant": wanted.tenant} if wanted.tenant else {}
    path = f"/v1/ingest/{wanted.dialect}"
    tries = 0
    while True:
        response = await client.http.post(path, content=piece.body, params=params, headers=headers)
        tries += 1
        if response.status_code != _BUSY or tries >= BUSY_TRIES:
            break
        await asyncio.sleep(float(response.headers.get("retry-after", "1")))
    if not response.is_success:
        _check_command(response.content)
        if response.status_code not in (_ALL_REFUSED, _CONFLICT):
            raise Refused(f"{name}: {_detail(response.content)} (HTTP {response.status_code})")
    try:
        answers = _RESULTS.decode(response.content).results
    except msgspec.DecodeError:
        # A refusal of the file as a whole comes as one problem document.
        raise Refused(f"{name}: {_detail(response.content)}") from None
    for place, answer in enumerate(answers):
        _count(tally, answer, name, piece.first + place)


def _check_command(content: bytes) -> None:
    """Raise `Misconfigured` where the request was refused for what the command line named."""
    try:
        problem = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError:
        return
    if problem.get("type") in _WRONG_VALUES:
        raise Misconfigured(str(problem.get("detail")))


def _count(tally: Tally, answer: _Receipt, name: str, record: int) -> None:
    if answer.refused is not None:
        tally.refused += 1
        if len(tally.refusals) < REFUSALS_KEPT_MAX:
            tally.refusals.append({"file": name, **_in_file(answer.refused, record)})
        return
    if answer.not_recorded is not None:
        tally.not_recorded += 1
        return
    assert answer.tenant is not None
    assert answer.index is not None
    tally.accepted += 1
    tally.repeated += answer.repeated
    tally.newest[answer.tenant] = max(tally.newest.get(answer.tenant, -1), answer.index)


def _in_file(problem: dict[str, Any], record: int) -> dict[str, Any]:
    """A problem that counts records from the file's first, not from the request's."""
    problem["detail"] = _PLACE.sub("", str(problem.get("detail", "")), count=1)
    for fault in problem.get("errors", ()):
        fault["detail"] = _PLACE.sub("", str(fault.get("detail", "")), count=1)
    return {**problem, "record": record}


def _detail(content: bytes) -> str:
    try:
        problem = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError:
        return content[:300].decode("utf-8", "replace")
    return str(problem.get("detail") or problem.get("title"))


def _checkpoint_path(content: bytes) -> str | None:
    return str(msgspec.json.decode(content, type=dict[str, Any])["checkpoint"])


async def _settle(client: Client, tally: Tally) -> None:
    """Wait until everything that was given an index is sealed, signed and synced."""
    if client.app is not None:
        await asyncio.to_thread(client.app.settle)
        return
    until = time.monotonic() + SEALED_WITHIN_S
    for tenant, index in tally.newest.items():
        shown = await client.http.get(f"/v1/tenants/{tenant}")
        path = _checkpoint_path(shown.content) if shown.is_success else None
        while True:
            shown = await client.http.get(path) if path else shown
            if path is None or shown.status_code in (_UNAUTHORISED, _FORBIDDEN):
                # A key that may only ingest does not see the log; its receipts are durable.
                break
            if shown.is_success and int(shown.text.split("\n")[1]) > index:
                break
            if time.monotonic() > until:
                raise Refused(f"the log of {tenant} is not signed up to index {index} yet")
            await asyncio.sleep(0.1)
