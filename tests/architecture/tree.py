"""The files of the project, as the architecture tests look at them."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src" / "sealog"


@cache
def files() -> tuple[Path, ...]:
    """Every file that is, or is about to be, kept in the repository, relative to it."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=False,
        capture_output=True,
    )
    if listed.returncode == 0:
        names = [Path(name) for name in listed.stdout.decode().split("\0") if name]
    else:
        # No repository, an unpacked archive: everything but what tools left.
        found = [path.relative_to(ROOT) for path in ROOT.rglob("*") if path.suffix != ".pyc"]
        names = [name for name in found if not any(map(is_left_by_a_tool, name.parts))]
    return tuple(sorted(name for name in names if (ROOT / name).is_file()))


def is_left_by_a_tool(name: str) -> bool:
    return name == "uv.lock" or (name.startswith(".") and name not in (".ci", ".gitignore"))


def python(*folders: str) -> list[Path]:
    """Python files in these folders of the repository, relative to it."""
    return [f for f in files() if f.suffix == ".py" and f.as_posix().startswith(folders)]


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file, given relative to the repository."""
    return ast.parse((ROOT / path).read_text("utf-8"))


def texts(suffixes: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """Every file with one of these suffixes, and its text."""
    for path in files():
        if path.suffix in suffixes:
            yield path, (ROOT / path).read_text("utf-8")
