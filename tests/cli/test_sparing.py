import os
import subprocess
import sys

import pytest

from sealog.cli.sparing import spare_memory

ASKED = """
from sealog.cli.sparing import spare_memory
spare_memory()
import pyarrow
print(pyarrow.default_memory_pool().backend_name)
"""


@pytest.mark.parametrize(
    ("given", "used"),
    [
        pytest.param({}, "system", id="nothing"),
        pytest.param({"ARROW_DEFAULT_MEMORY_POOL": "jemalloc"}, "jemalloc", id="another pool"),
    ],
)
def test_pyarrow_takes_memory_from_the_system_unless_told_otherwise(given, used):
    clean = {name: value for name, value in os.environ.items() if "MEMORY_POOL" not in name}

    said = subprocess.run(
        [sys.executable, "-c", ASKED], env=clean | given, capture_output=True, text=True, check=True
    )

    assert said.stdout == f"{used}\n"


def test_processes_that_we_start_spare_it_too():
    environment = {}

    spare_memory(environment)

    assert environment == {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "2"}


def test_what_the_operator_set_stands():
    environment = {"MALLOC_ARENA_MAX": "7"}

    spare_memory(environment)

    assert environment["MALLOC_ARENA_MAX"] == "7"
