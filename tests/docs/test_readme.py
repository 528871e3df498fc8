"""The README's lines do what it says, typed as they stand."""

import os
import re
import shlex
import subprocess
import sys

from tests.architecture.tree import ROOT

README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
# `uv run sealog …` runs the program of this very checkout, with this very Python.
UV = f"""
uv() {{ shift 2; {shlex.quote(sys.executable)} -c 'from sealog.cli.main import main; main()' "$@"; }}
set -euo pipefail
"""


def test_the_first_block_is_the_two_commands():
    """On a machine with Python and pip alone."""
    commands = [line.partition("#")[0].strip() for line in BLOCKS[0].splitlines()]

    assert commands == [
        "pip install uv && uv run sealog demo",
        "pip install uv && uv run just test",
    ]


def test_continuous_integration_runs_the_command_of_the_readme():
    assert "pip install uv && uv run just test" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_five_lines_lead_to_a_first_verified_event(tmp_path):
    assert len(BLOCKS[1].splitlines()) == 5
    environment = {key: value for key, value in os.environ.items() if "SEALOG" not in key}

    run = subprocess.run(
        ["bash", "-c", UV + BLOCKS[1]],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200"},
        capture_output=True,
        check=False,
        text=True,
    )

    assert run.returncode == 0, run.stderr
    assert "1 new, 0 already there, 0 refused" in run.stdout
    assert "invoice.delete" in run.stdout
    assert "an event stands at index 1 of the 2 entries" in run.stdout
    assert "opened 2, erased 0, expired 0, statement 0, UNEXPLAINED 0" in run.stdout
    assert run.stdout.endswith("verified\n")


def test_it_opens_with_one_sentence_and_says_early_what_it_does_not_do():
    """No wall of badges, no plans: what it is, the commands, the proof, the limits."""
    assert "![" not in README
    assert "roadmap" not in README.lower()
    headings = re.findall(r"^## (.+)$", README, re.MULTILINE)
    assert headings == [
        "A first verified event",
        "What it does not protect against",
        "Where to read on",
    ]
