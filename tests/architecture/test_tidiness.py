import ast
import re
from pathlib import Path

import pytest
from tests.architecture.tree import ROOT, SRC, parsed, python

LINES_PER_FUNCTION_MAX = 60
LINES_PER_MODULE_MAX = 400
BANNED_NAMES = {"utils", "util", "helpers", "core", "manager", "managers", "common", "misc"}
BANNED_WORDS = {"manager", "utils", "util", "helper", "handle", "handler", "process"}
# What is handed to a library under the library's own word for it.
NAMED_BY_OTHERS = {"get_route_handler"}

# Tested by what uses them, because alone they say nothing.
WITHOUT_A_TEST_OF_THEIR_OWN = {
    "storage/migrations/env.py": "Alembic's door; every store that is opened goes through it",
    "storage/migrations/versions/first_0001.py": "run by every test that opens a store",
    "storage/migrations/versions/second_0002.py": "run by the test that opens an older store",
    "storage/migrations/versions/third_0003.py": "run by the test that opens an older store",
    "storage/migrations/versions/fifth_0005.py": "run by the test that opens an older store",
    "storage/migrations/versions/fourth_0004.py": "run by the test that opens an older store",
}

SOURCES = python("src/")
PROGRAMS = python("src/", "scripts/", "bench/")
ROOMS = sorted(path for path in SOURCES if path.name == "__init__.py")


@pytest.mark.parametrize("module", PROGRAMS, ids=str)
def test_functions_fit_on_a_screen(module):
    """Keep the branches in one parent; move straight-line work to helpers."""
    too_long = [
        f"{node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for node in functions(module)
        if node.end_lineno - node.lineno + 1 > LINES_PER_FUNCTION_MAX
    ]

    assert not too_long


@pytest.mark.parametrize("module", PROGRAMS, ids=str)
def test_modules_are_read_in_one_go(module):
    assert len((ROOT / module).read_text().splitlines()) <= LINES_PER_MODULE_MAX


@pytest.mark.parametrize("module", SOURCES, ids=str)
def test_every_module_has_its_test_module(module):
    """`src/sealog/<room>/<module>.py` is tested in `tests/<room>/test_<module>.py`."""
    name = (ROOT / module).relative_to(SRC)
    if name.name == "__init__.py" or only_declares(module):
        return

    if name.as_posix() in WITHOUT_A_TEST_OF_THEIR_OWN:
        return

    assert (ROOT / "tests" / name.parent / f"test_{name.name}").is_file()


def test_nothing_is_excused_that_is_gone():
    gone = [name for name in WITHOUT_A_TEST_OF_THEIR_OWN if not (SRC / name).is_file()]

    assert not gone


@pytest.mark.parametrize("room", ROOMS, ids=str)
def test_a_room_introduces_itself_in_one_sentence(room):
    """Nothing is re-exported: a name has one home."""
    body = parsed(room).body
    sentence = ast.get_docstring(parsed(room)) or ""

    assert len(body) == 1
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert ". " not in sentence


@pytest.mark.parametrize("module", PROGRAMS, ids=str)
def test_names_say_what_a_thing_is(module):
    """No `utils`, `core` or `manager`; nothing is merely handled or processed."""
    names = [node.name for node in functions(module)]
    names += [n.name for n in ast.walk(parsed(module)) if isinstance(n, ast.ClassDef)]

    vague = [name for name in names if words(name) & BANNED_WORDS and name not in NAMED_BY_OTHERS]

    assert not BANNED_NAMES & set(module.with_suffix("").parts)
    assert not vague


@pytest.mark.parametrize("module", python("src/", "tests/", "scripts/", "bench/"), ids=str)
def test_nothing_is_left_for_later_in_a_comment(module):
    """What is missing is said where people look for it, or done."""
    marks = re.compile(r"#.*\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")

    assert not marks.findall((ROOT / module).read_text())


@pytest.mark.parametrize("module", SOURCES, ids=str)
def test_errors_are_not_swallowed(module):
    """`except Exception` is written down with its reason, or raises again."""
    lines = (ROOT / module).read_text().splitlines()
    broad = [
        node
        for node in ast.walk(parsed(module))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
    ]

    silent = [
        node.lineno
        for node in broad
        if "noqa: BLE001 - " not in lines[node.lineno - 1]
        and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
    ]

    assert not silent


def functions(module: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = parsed(module)
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def only_declares(module: Path) -> bool:
    """Shapes, tables and protocols: no function in it does anything."""
    for function in functions(module):
        body = [node for node in function.body if not is_docstring(node)]
        if function.name != "__init__" and not all(map(is_ellipsis, body)):
            return False
    return True


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(getattr(node.value, "value", None), str)


def is_ellipsis(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and getattr(node.value, "value", None) is Ellipsis


def words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+", name)}
