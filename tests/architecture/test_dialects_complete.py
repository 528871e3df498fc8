import pytest
from tests.architecture.tree import ROOT

from sealog.catalog.shelf import load
from sealog.dialects import registry

GOLDEN = ROOT / "tests" / "golden" / "dialects"


@pytest.mark.parametrize("dialect", registry.NAMES)
def test_every_dialect_has_samples(dialect):
    """Add `tests/golden/dialects/<name>/<case>.in.json`, and what it means beside it."""
    sent = {path.name.removesuffix(".in.json") for path in (GOLDEN / dialect).glob("*.in.json")}
    meant = {path.name.removesuffix(".ecs.json") for path in (GOLDEN / dialect).glob("*.ecs.json")}

    assert sent
    assert sent == meant


@pytest.mark.parametrize("dialect", registry.NAMES)
def test_every_dialect_but_the_native_one_has_a_catalog(dialect):
    """ECS has no types of its own: its actions are whatever its senders say."""
    assert (dialect in load().dialects) == (dialect != "ecs")


def test_there_are_no_samples_of_a_dialect_that_is_not_there():
    assert {path.name for path in GOLDEN.iterdir()} == set(registry.NAMES)
