import ast
import re

import pytest
from tests.architecture.tree import ROOT, parsed, python

from sealog import errors
from sealog.dialects import registry
from sealog.server import statuses

DOCS = ROOT / "docs"
ERRORS = (DOCS / "operate" / "errors.md").read_text("utf-8")
FINDINGS = (DOCS / "interfaces" / "findings.md").read_text("utf-8")
DIALECTS = (DOCS / "interfaces" / "dialects.md").read_text("utf-8")
PUT_TOGETHER = {"category-is-scalar", "type-is-scalar", "unknown-kind"}
HEADINGS = re.compile(r"^### `([^`]+)`$", re.MULTILINE)


def strings(node: ast.AST) -> set[str]:
    """The string constants that an expression may give, conditions left out."""
    if isinstance(node, ast.IfExp):
        return strings(node.body) | strings(node.orelse)
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()


def problem_codes() -> set[str]:
    """Every code that a problem document may carry, as the source has them."""
    found = set(statuses._CODES)
    for path in python("src/"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call):
                for keyword in node.keywords:
                    found |= strings(keyword.value) if keyword.arg == "code" else set()
            if isinstance(node, ast.arguments):
                for argument, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
                    if argument.arg == "code" and default is not None:
                        found |= strings(default)
            if path.parts[2:3] == ("server",):
                found |= codes_of_server(node)
    return found


def codes_of_server(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "code":
        return strings(node.value)
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_CODES_OF_HTTP":
        return {value for each in node.value.values for value in strings(each)}
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "_type" and node.args:
        return strings(node.args[0])
    return set()


def finding_codes() -> set[str]:
    """Every finding that is named where it is made."""
    return {
        code
        for path in python("src/")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Finding" and node.args
        for code in strings(node.args[0])
    }


def test_every_code_of_a_problem_has_its_section():
    """Add a section to docs/operate/errors.md: what it means, what to do."""
    assert problem_codes() - set(HEADINGS.findall(ERRORS)) == set()


def test_no_code_is_explained_that_is_never_given():
    assert set(HEADINGS.findall(ERRORS)) - problem_codes() - kinds_of_corrupt() == set()


def kinds_of_corrupt() -> set[str]:
    return {
        name
        for name, each in vars(errors).items()
        if isinstance(each, type) and issubclass(each, errors.Corrupt | errors.Misconfigured)
    }


def test_every_way_a_data_folder_can_be_wrong_has_its_section():
    assert kinds_of_corrupt() <= set(HEADINGS.findall(ERRORS))


def test_every_finding_is_explained():
    assert finding_codes() - set(HEADINGS.findall(FINDINGS)) == set()


def test_no_finding_is_explained_that_is_never_made():
    """Some are put together from a word and a place: the source holds the word."""
    source = "\n".join((ROOT / path).read_text("utf-8") for path in python("src/"))

    told = set(HEADINGS.findall(FINDINGS)) - PUT_TOGETHER
    made_up = [code for code in told if f'"{code}"' not in source]

    assert made_up == []


@pytest.mark.parametrize("dialect", registry.NAMES)
def test_every_dialect_is_explained(dialect):
    assert f"\n## {dialect}\n" in DIALECTS
    assert f"/v1/ingest/{dialect}" in DIALECTS


def test_every_room_is_in_the_drawing():
    text = (DOCS / "architecture.md").read_text("utf-8")
    rooms = {path.parts[2] for path in python("src/") if len(path.parts) > 3}

    assert [room for room in sorted(rooms) if f"`{room}`" not in text] == []


def test_decisions_are_numbered_without_gaps_and_of_one_shape():
    """Context, choice, what we gave up: one page each."""
    decisions = sorted((DOCS / "decisions").glob("*.md"))

    assert [path.name[:4] for path in decisions] == [
        f"{n:04}" for n in range(1, len(decisions) + 1)
    ]
    for path in decisions:
        text = path.read_text("utf-8")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
            "Context",
            "Choice",
            "What we gave up",
        ], path.name


def test_every_decision_that_code_cites_is_written_down():
    written = {path.name[:4] for path in (DOCS / "decisions").glob("*.md")}
    cited = {
        number
        for path in python("src/", "tests/", "scripts/", "bench/")
        for number in re.findall(r"decision (\d{4})", (ROOT / path).read_text("utf-8"))
    }

    assert cited <= written


def test_the_architecture_lists_every_decision():
    text = (DOCS / "architecture.md").read_text("utf-8")

    assert [p.name for p in (DOCS / "decisions").glob("*.md") if p.name not in text] == []
