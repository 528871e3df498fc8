import re
import subprocess
import tomllib

import pytest
from tests.architecture.tree import ROOT, files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# Put together here, so that this file passes its own test.
HOSTS = [
    "pypi" + ".org",
    "files.python" + "hosted.org",
    "registry.npm" + "js.org",
    "crates" + ".io",
    "proxy.golang" + ".org",
    "rubygems" + ".org",
]
MACHINE = re.compile(
    r"(?<![\w.:/])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me/[a-z]+|Us" + r"ers/[a-z]+)/"
)


def test_no_file_knows_a_package_registry_or_somebodys_machine():
    """Whoever builds this chooses where packages come from; paths are relative."""
    found = []
    for path in files():
        text = (ROOT / path).read_bytes().decode("utf-8", "replace")
        found += [(path, host) for host in HOSTS if host in text]
        found += [(path, place) for place in MACHINE.findall(text)]

    assert found == []


def test_the_lock_file_stays_out():
    """It names the hosts packages came from; pins stand in pyproject.toml (decision 0003)."""
    tracked = subprocess.run(
        ["git", "ls-files", "uv.lock"], cwd=ROOT, check=False, capture_output=True, text=True
    )

    assert tracked.stdout == ""
    assert "uv.lock" in (ROOT / ".gitignore").read_text().split()


@pytest.mark.parametrize("pin", PROJECT["tool"]["uv"]["constraint-dependencies"])
def test_every_pin_is_one_version(pin):
    """With a marker where two Pythons need two versions."""
    assert re.fullmatch(r"[a-z0-9._-]+==[0-9][0-9a-z.+!-]*(?: ?; ?.+)?", pin)


def test_a_package_is_pinned_twice_only_under_different_markers():
    """Two bare pins of one package can never both hold: nothing could be installed."""
    pins = PROJECT["tool"]["uv"]["constraint-dependencies"]
    bare = [pin.partition("==")[0] for pin in pins if ";" not in pin]
    every = [pin.partition("==")[0] for pin in pins]

    assert [name for name in bare if every.count(name) > 1] == []


def test_the_build_backend_is_pinned_too():
    pins = PROJECT["tool"]["uv"]["build-constraint-dependencies"]

    assert pins
    assert all(re.fullmatch(r"[a-z0-9._-]+==[0-9][0-9a-z.]*", pin) for pin in pins)


def test_every_dependency_is_pinned():
    """Direct ones of the program and of every group; transitive ones come from `just lock`."""
    wanted = [*PROJECT["project"]["dependencies"]]
    for group in PROJECT["dependency-groups"].values():
        wanted += group
    pinned = {pin.partition("==")[0] for pin in PROJECT["tool"]["uv"]["constraint-dependencies"]}

    names = {re.split(r"[\[<>=; ]", each)[0] for each in wanted}

    assert names <= pinned
