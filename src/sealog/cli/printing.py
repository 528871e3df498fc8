"""What people see goes through Rich; what programs read is plain, on one line, never coloured."""

import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import typer

from sealog.errors import Misconfigured, Refused, SealogError

if TYPE_CHECKING:
    from rich.progress import Progress

SOME_REFUSED = 3
USAGE = 2
FAILED = 1


def say(text: str = "") -> None:
    """One line for programs or people, on standard output, as it is."""
    sys.stdout.write(text + "\n")
    # A key or an address is of no use in a buffer while the server runs.
    sys.stdout.flush()


def tell(text: str) -> None:
    """A word to the person at the terminal, apart from the output."""
    sys.stderr.write(text + "\n")


def as_json(value: Any) -> None:
    """A value as one line of JSON."""
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.flush()


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    whole: Collection[str] = (),
    spare: Collection[str] = (),
) -> None:
    """Rows for people; wide cells wrap, and nothing in them is taken for markup.

    `whole`: columns whose cells stay on one line, however narrow the terminal. `spare`: columns
    that are left out where no row has anything in them.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    lines = [tuple(row) for row in rows]
    kept = [
        at
        for at, column in enumerate(columns)
        if column not in spare or any(line[at] for line in lines)
    ]
    shown = Table(
        title=title or None,
        title_justify="left",
        header_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for at in kept:
        name = columns[at]
        shown.add_column(name, overflow="fold", no_wrap=name in whole, min_width=len(name))
    for line in lines:
        shown.add_row(*[escape(line[at]) for at in kept])
    Console().print(shown)


@contextmanager
def progress(*, quiet: bool = False) -> Iterator["Progress"]:
    """A progress display on standard error; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    disable = quiet or not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=disable) as shown:
        yield shown


@contextmanager
def failing() -> Iterator[None]:
    """Turn what Sealog raises on purpose into a sentence and an exit code."""
    try:
        yield
    except BrokenPipeError:
        # Whoever read our output has enough.
        sys.stderr.close()
        raise typer.Exit(0) from None
    except (Misconfigured, Refused) as error:
        tell(f"sealog: {error}")
        raise typer.Exit(USAGE if isinstance(error, Misconfigured) else FAILED) from error
    except (SealogError, OSError) as error:
        tell(f"sealog: {error}")
        raise typer.Exit(FAILED) from error
