import re

import pytest
from tests.architecture.tree import ROOT

# Every statement of the five documents that says how their records are read and found.
NUMBERED = {
    "CL": (*range(10, 23), *range(30, 43)),
    "ES": (*range(1, 10), *range(40, 47)),
    "CV": (*range(1, 15), *range(20, 27)),
    "CP": (*range(1, 5), *range(10, 15), 20, 21),
    "LH": (1, 2, 3, 10, 11, 20, 30, 40, 50, 60, 70),
    "X": (1, 2, 3, 4, 5, 8),
}
# And what is odd about them.
QUIRKS = {
    "CL": range(1, 9),
    "ES": (1, 2, 3, 4, 5, 6, 8, 9),
    "CV": (1, 3, 5, 7),
    "CP": range(1, 4),
    "LH": range(1, 24),
}
IDS = [f"{document}-{number:02}" for document, numbers in NUMBERED.items() for number in numbers]
IDS += [f"{document}-Q{number}" for document, numbers in QUIRKS.items() for number in numbers]

NAMED = "\n".join(
    path.read_text("utf-8")
    for path in (ROOT / "tests").rglob("test_*.py")
    if "architecture" not in path.parts
)


@pytest.mark.parametrize("requirement", IDS)
def test_every_requirement_about_reading_is_named_by_a_test(requirement):
    """Put the id into the docstring, or the parameter's id, of the test that proves it."""
    assert re.search(rf"\b{requirement}(?![0-9])", NAMED)
