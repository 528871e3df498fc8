import pytest
from tests.dialects.samples import GOLDEN

from sealog.catalog.shelf import load
from sealog.dialects import registry
from sealog.errors import Refused


@pytest.mark.parametrize("name", registry.NAMES)
def test_every_dialect_is_found_by_its_name(name):
    assert registry.of(name, load()).name == name


def test_there_are_six_dialects():
    assert registry.NAMES == ("ecs", "closer", "easysend", "chatvisor", "supsis", "logichub")


@pytest.mark.parametrize("name", ["", "Closer", "elastic", "closer " * 100])
def test_an_unknown_name_is_refused_with_all_there_are(name):
    with pytest.raises(Refused) as refusal:
        registry.of(name, load())

    assert refusal.value.code == "unknown-dialect"
    assert all(known in refusal.value.detail for known in registry.NAMES)
    assert len(refusal.value.detail) < 200


@pytest.mark.parametrize("name", [name for name in registry.NAMES if name != "ecs"])
def test_every_dialect_of_a_product_has_samples(name):
    assert list((GOLDEN / name).glob("*.in.json"))
