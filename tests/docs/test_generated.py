import importlib.util

import pytest
from tests.architecture.tree import ROOT

SPEC = importlib.util.spec_from_file_location("sealog_docs", ROOT / "scripts" / "docs.py")
assert SPEC is not None
assert SPEC.loader is not None
docs = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(docs)

PAGES = docs.pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_says_what_the_program_says(name):
    path = ROOT / name

    assert path.read_text("utf-8") == PAGES[name], f"{name} is out of date: run `just docs`"


def test_help_is_what_people_agreed_on(golden):
    """Whoever changes an option sees here what its users will see."""
    shown = [f"$ {name} --help\n{text}\n" for name, text in docs.helps()]

    golden("cli/help.txt", "\n".join(shown).encode())


def test_every_setting_has_a_meaning_and_a_limit_or_a_kind():
    undescribed = [
        f"{name}.{key}"
        for name, section in docs.sections("", docs.config.Settings)
        for key, field in docs.scalars(section)
        if not field.description
    ]

    assert undescribed == []


def test_a_variable_is_named_as_the_program_reads_it(monkeypatch):
    monkeypatch.setenv(docs.variable("dialects.logichub", "day_first"), "false")

    assert docs.config.Settings().dialects.logichub.day_first is False
