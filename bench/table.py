"""Medians with their spread, as a table."""

import statistics
from collections.abc import Sequence


def cell(values: Sequence[float], digits: int = 0) -> str:
    """`median (least to most)`."""
    numbers = [
        f"{value:,.{digits}f}" for value in (statistics.median(values), min(values), max(values))
    ]
    return f"{numbers[0]} ({numbers[1]} to {numbers[2]})"


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table in Markdown."""
    widths = [max(len(row[at]) for row in [columns, *rows]) for at in range(len(columns))]
    print(f"\n### {title}\n")
    for row in (columns, ["-" * width for width in widths], *rows):
        print(
            "| "
            + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
            + " |"
        )


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
