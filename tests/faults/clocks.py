"""The clock of servers that are told another time than the machine's."""

import subprocess

import pytest


class Clock:
    """The clock of the servers of a test, by Debian's faketime; what only counts on is left alone."""

    def __init__(self, library, path):
        self._path = path
        self.preset = {
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": str(path),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        self.set(0)

    def set(self, ahead_s):
        """So many seconds before the machine's clock."""
        beside = self._path.with_suffix(".new")
        beside.write_text(f"{ahead_s:+d}\n")
        beside.replace(self._path)


def libfaketime():
    """Where the library is; skips the test where it is not."""
    try:
        listed = subprocess.run(
            ["dpkg", "-L", "libfaketime"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("there is no libfaketime here: `just tools`")
    (library,) = [line for line in listed.splitlines() if line.endswith("libfaketimeMT.so.1")]
    return library
