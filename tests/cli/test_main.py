import re

import msgspec
import pytest
from tests.cli.made import ecs, lines, script

COMMANDS = ["serve", "demo", "init", "ingest", "search", "count", "facets", "histogram", "tail",
            "export", "reconcile", "verify", "migrate", "repair", "prove", "catalog", "tenants",
            "keys", "settings", "retention", "streams"]  # fmt: skip
BELOW = [("tenants", "list"), ("tenants", "create"), ("keys", "create"), ("keys", "list"),
         ("keys", "revoke"), *[("settings", name) for name in ("show", "set", "history")],
         *[("retention", name) for name in ("show", "set", "history", "clock", "confirm-clock")],
         *[("streams", name) for name in ("list", "show", "create", "change", "pause", "resume",
           "replay", "check", "rotate", "parked", "retry", "drop", "delete")]]  # fmt: skip


@pytest.mark.parametrize("command", [(name,) for name in COMMANDS] + BELOW, ids=" ".join)
def test_every_command_explains_itself(sealog, command):
    ran = sealog(*command, "--help")

    assert ran.code == 0
    assert ran.out.startswith("Usage: ")


def test_the_help_lists_every_command_with_a_sentence(sealog):
    listed = re.findall(
        r"^  (\w+) +\S", sealog("--help").out.partition("Commands:")[2], re.MULTILINE
    )

    assert listed == COMMANDS


def test_help_of_each_option_says_what_it_is(sealog):
    """Only what its name says already goes without."""
    for command in ("serve", "ingest", "search", "facets", "tail", "export", "verify", "prove"):
        text = sealog(command, "--help").out.partition("Options:")[2]
        bare = [line for line in text.splitlines() if re.fullmatch(r"  --[\w-]+( [A-Z]+)?", line)]
        assert bare == []


@pytest.mark.parametrize(
    "command",
    [(), ("nothing",), ("ingest",), ("search", "--nothing"), ("export",), ("prove", "--index", "0"),
     ("tenants",), ("keys", "revoke"), ("prove", "--tenant", "a", "--index", "-1")],
    ids=str,
)  # fmt: skip
def test_what_is_typed_wrong_exits_with_2(sealog, command):
    assert sealog(*command).code == 2


def test_a_first_verified_event_with_the_installed_script(tmp_path):
    """What the manual shows, typed in one after the other."""

    def sealog(*args, stdin=b""):
        ran = script(*args, cwd=tmp_path, stdin=stdin)
        assert ran.code == 0, ran.err
        return ran

    taken = sealog("ingest", "-", "--tenant", "acme", stdin=lines(ecs(1), ecs(2)))
    found = sealog("search", "--tenant", "acme", "--json").value["events"]
    exported = sealog("export", "--tenant", "acme").out.splitlines()
    sealog("prove", "--tenant", "acme", "--id", "e-2", "-o", "proof.json")
    [tenant] = sealog("tenants", "list", "--json").value["tenants"]
    proof = sealog("verify", "proof.json", "--key", tenant["vkey"])
    folder = sealog("verify")
    key = sealog("keys", "create", "--tenant", "acme", "--json").value
    keys = sealog("keys", "list", "--json").value["keys"]

    assert taken.out == "2 new, 0 already there, 0 refused\n"
    assert [event["event"]["id"] for event in found] == ["e-2", "e-1"]
    assert [msgspec.json.decode(line)["sealog"]["index"] for line in exported] == [0, 1]
    assert "index 1 of the 2 entries" in proof.out
    assert folder.out.splitlines()[-1] == "verified"
    assert [one["id"] for one in keys] == [key["id"]]


def test_what_programs_read_is_plain(tmp_path):
    """No colour and no wrapping, whatever the terminal says of itself."""
    ran = script("catalog", "--json", cwd=tmp_path)

    assert ran.code == 0
    assert ran.out.count("\n") == 1
    assert "\x1b" not in ran.out
    assert {"chatvisor", "closer"} <= msgspec.json.decode(ran.out).keys()


def test_a_reader_that_has_enough_ends_an_export_quietly(tmp_path):
    script("ingest", "-", "--tenant", "acme", cwd=tmp_path,
           stdin=lines(*[ecs(number, message="x" * 500) for number in range(3_000)]))  # fmt: skip

    command = "sealog export --tenant acme | head -n 1"
    ran = pipeline(command, tmp_path)

    assert ran.stderr == b""
    assert msgspec.json.decode(ran.stdout)["event"]["id"] == "e-0"


def pipeline(command, folder):
    import subprocess

    from tests.cli.made import SCRIPT, environment

    path = f"{SCRIPT.parent}:/usr/bin:/bin"
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment() | {"PATH": path}, capture_output=True
    )
