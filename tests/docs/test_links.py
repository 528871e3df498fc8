import re
from pathlib import Path

import pytest
import typer.main
from tests.architecture.tree import ROOT, files, python

from sealog.cli.main import app

PAGES = [path for path in files() if path.suffix == ".md"]
LINK = re.compile(r"\]\((?!https?:)([^)\s]*)\)")
CITED = re.compile(r"`((?:src|tests|docs|scripts|bench|\.ci)/[A-Za-z0-9_./-]+)`")
DOCS_IN_CODE = re.compile(r"\bdocs/[a-z0-9/._-]+\.(?:md|sh)\b")
WRITTEN_LATER = {"docs/performance.md"}
"""Measured last; named by the tools that measure."""


def text_of(page: Path) -> str:
    return (ROOT / page).read_text("utf-8")


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings make, as forges make them."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE):
        bare = re.sub(r"[^\w\- ]", "", heading.lower())
        found.add(bare.strip().replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_link_within_the_project_leads_somewhere(page):
    broken = []
    for link in LINK.findall(text_of(page)):
        path, _, anchor = link.partition("#")
        target = page if not path else Path(*normal(page.parent / path))
        if not (ROOT / target).exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


def normal(path: Path) -> list[str]:
    """The parts of a relative path without `..`."""
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return parts


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_file_that_a_page_cites_is_there(page):
    missing = [name for name in CITED.findall(text_of(page)) if not (ROOT / name).exists()]

    assert missing == []


def test_every_page_that_code_cites_is_there():
    missing = {
        name
        for path in python("src/", "tests/", "scripts/", "bench/")
        for name in DOCS_IN_CODE.findall(text_of(path))
        if not (ROOT / name).exists()
    }

    assert missing <= WRITTEN_LATER


def test_every_page_can_be_reached_from_the_readme():
    seen: set[Path] = set()
    ahead = [Path("README.md")]
    while ahead:
        page = ahead.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        for link in LINK.findall(text_of(page)):
            target = Path(*normal(page.parent / link.partition("#")[0])) if link[0] != "#" else page
            if (ROOT / target).is_file():
                ahead.append(target)

    unreached = {page for page in PAGES if page.parts[0] == "docs"} - seen

    assert {page.as_posix() for page in unreached} <= WRITTEN_LATER


OPTION = re.compile(r"--[a-z]|-[a-z]$")
SHELL = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[list[str]]:
    """Every `sealog …` in a page's shell examples, as words up to the end of the command."""
    found = []
    for block in SHELL.findall(text_of(page)):
        for line in block.replace("\\\n", " ").splitlines():
            for piece in re.split(r"\||&&|;|\$\(", line.partition(" # ")[0]):
                words = piece.replace('"', " ").replace(")", " ").split()
                if "sealog" in words[:3]:
                    found.append(words[words.index("sealog") + 1 :])
    return found


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_command_that_a_page_shows_is_one_of_ours(page):
    """Commands and options are those that `--help` lists."""
    for words in commands(page):
        node = typer.main.get_command(app)
        rest = list(words)
        while rest and not rest[0].startswith("-") and hasattr(node, "commands"):
            name = rest.pop(0)
            assert name in node.commands, f"there is no command {name!r}: {' '.join(words)}"
            node = node.commands[name]
        options = {option for parameter in node.params for option in parameter.opts} | {"--help"}
        for word in rest:
            if OPTION.match(word):
                assert word.partition("=")[0] in options, f"{word} in {' '.join(words)}"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_verb_that_a_page_names_is_in_the_justfile(page):
    verbs = set(
        re.findall(r"^([a-z]+)(?: [A-Z*]+)*:", (ROOT / "justfile").read_text(), re.MULTILINE)
    )

    named = set(re.findall(r"`(?:uv run )?just ([a-z]+)", text_of(page)))

    assert named <= verbs
