import os

import pytest
import typer

from sealog.cli import printing
from sealog.errors import Busy, Corrupt, Misconfigured, Refused


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Misconfigured("no such thing"), 2),
        (Refused("no such thing"), 1),
        (Busy("no such thing"), 1),
        (Corrupt("no such thing"), 1),
        (OSError("no such thing"), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_raised_on_purpose_is_a_sentence_and_a_code(capsys, error, code):
    with pytest.raises(typer.Exit) as ended, printing.failing():
        raise error

    assert ended.value.exit_code == code
    assert capsys.readouterr() == ("", "sealog: no such thing\n")


def test_a_bug_is_not_dressed_up():
    with pytest.raises(ZeroDivisionError), printing.failing():
        raise ZeroDivisionError


def test_json_is_one_plain_line(capfdbinary):
    printing.as_json({"key": "slk_é", "lines": "a\nb"})

    assert capfdbinary.readouterr().out == b'{"key":"slk_\xc3\xa9","lines":"a\\nb"}\n'


def test_what_is_said_does_not_wait_in_a_buffer(tmp_path, monkeypatch):
    """A server prints its first key and then runs for weeks."""
    with (tmp_path / "out").open("w") as out:
        monkeypatch.setattr("sys.stdout", out)

        printing.say("first key: slk_x")

        assert (tmp_path / "out").read_text() == "first key: slk_x\n"


def test_a_table_takes_nothing_for_markup(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")

    printing.table("[red]title", ("name",), [("[link=x]y[/link]",)])

    assert "[link=x]y[/link]" in capsys.readouterr().out


def test_a_wide_cell_wraps_and_loses_nothing(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "24")

    printing.table("", ("key",), [("0123456789" * 5,)])

    shown = capsys.readouterr().out
    assert "".join(filter(str.isdigit, shown)) == "0123456789" * 5


def test_a_column_with_nothing_in_it_can_be_spared(capsys):
    columns = ("id", "parked", "last error")

    printing.table("", columns, [("a", "", ""), ("b", "2", "")], spare={"parked", "last error"})

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert (lines[0], lines[2:]) == (["id", "parked"], [["a"], ["b", "2"]])


def test_the_name_of_a_column_stays_on_one_line(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")

    printing.table("", ("action", "outcome"), [("x" * 100, "-")])

    assert capsys.readouterr().out.splitlines()[0].split() == ["action", "outcome"]


def test_progress_is_silent_where_nobody_watches(capsys):
    with printing.progress() as shown:
        task = shown.add_task("a", total=2)
        shown.advance(task, 2)

    assert capsys.readouterr() == ("", "")


def test_whoever_has_read_enough_ends_a_command_quietly(tmp_path, monkeypatch):
    """`sealog export … | head` is no failure."""
    with (tmp_path / "err").open("w") as err:
        monkeypatch.setattr("sys.stderr", err)

        with pytest.raises(typer.Exit) as ended, printing.failing():
            raise BrokenPipeError(os.strerror(32))

    assert ended.value.exit_code == 0
    assert (tmp_path / "err").read_text() == ""
