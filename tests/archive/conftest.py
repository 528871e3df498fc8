"""A data folder with an archive, for each test of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.archive.made import Home, still


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    it = Home(tmp_path / "data")
    yield it
    it.close()


@pytest.fixture
def lasting(tmp_path: Path) -> Iterator[Home]:
    """A home where events expire, and segments change only when a test says so."""
    it = Home(tmp_path / "data", rules={})
    still(it)
    yield it
    it.close()
