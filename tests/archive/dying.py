"""Ways for the process to end while segments are replaced by others, one for each step."""

from pathlib import Path

import pytest

from sealog.archive import joining, listing, splitting
from sealog.archive.merging import Merger
from sealog.archive.waiting import Waiting


class Died(Exception):
    """The process ended here."""


def reading_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "write_columns", _dying)
    monkeypatch.setattr(splitting, "write_columns", _dying)


def writing_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    def add(writer: joining.PartsWriter, _: object) -> None:
        writer._file.write(b"half")
        writer._file.flush()
        raise Died

    monkeypatch.setattr(joining.PartsWriter, "add", add)


def before_the_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining.Draft, "place", _dying)


def between_the_names(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.replace

    def replace(path: Path, target: Path) -> Path:
        if path.name.endswith(".arrow.new"):
            raise Died
        return real(path, target)

    monkeypatch.setattr(Path, "replace", replace)


def before_the_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Merger, "replace", _dying)


def in_the_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "add", _dying)


def after_the_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Waiting, "replace", _dying)


def before_the_old_files_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Merger, "sweep", lambda _: 0)
    monkeypatch.setattr(Merger, "consider", _dying)


def _dying(*_: object, **__: object) -> None:
    raise Died


STEPS = [
    reading_columns,
    writing_parts,
    before_the_names,
    between_the_names,
    before_the_transaction,
    in_the_transaction,
    after_the_transaction,
    before_the_old_files_go,
]
