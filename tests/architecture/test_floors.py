import os
import subprocess
import sys
import tomllib

from tests.architecture.tree import ROOT, SRC

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]


def test_every_room_uses_only_the_rooms_below_it():
    """The contracts of import-linter, as `just imports` runs them."""
    command = "from importlinter.cli import lint_imports_command as c; c()"

    run = subprocess.run(
        [sys.executable, "-c", command, "--no-cache"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(SRC.parent)},
        check=False,
        capture_output=True,
        text=True,
    )

    assert run.returncode == 0, run.stdout + run.stderr


def test_every_room_that_is_there_stands_on_a_floor():
    """A room without a floor is free to import anything: the list names each."""
    floors = next(each for each in CONTRACTS if each["type"] == "layers")
    assert floors["exhaustive"]
    named = {room.strip("() ") for layer in floors["layers"] for room in layer.split("|")}

    rooms = {path.parent.name for path in SRC.glob("*/__init__.py")}
    rooms |= {path.stem for path in SRC.glob("*.py") if path.stem != "__init__"}

    assert rooms <= named


def test_rooms_that_compute_are_kept_from_the_outside():
    """Time, randomness, files and sockets are arguments there."""
    pure = next(each for each in CONTRACTS if each["type"] == "forbidden")

    assert set(pure["source_modules"]) == {
        "sealog.event",
        "sealog.wire",
        "sealog.dialects",
        "sealog.catalog",
        "sealog.refine",
        "sealog.merkle",
        "sealog.query",
        "sealog.rendering",
    }
    assert {"asyncio", "socket", "httpx", "sqlite3", "random", "time", "os"} <= set(
        pure["forbidden_modules"]
    )
