import pytest

from sealog.event.tenants import Tenant


def test_a_tenant_is_the_same_wherever_it_passes():
    acme = Tenant(1, "acme", "ab" * 16, bytes(32))

    assert acme == Tenant(1, "acme", "ab" * 16, bytes(32))
    assert len({acme, Tenant(1, "acme", "ab" * 16, bytes(32))}) == 1
    with pytest.raises(AttributeError):
        acme.name = "other"
