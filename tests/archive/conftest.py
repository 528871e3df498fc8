"""A data folder with an archive, for each test of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.archive.made import Home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    it = Home(tmp_path / "data")
    yield it
    it.close()
