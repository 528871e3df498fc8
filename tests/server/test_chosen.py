"""What the document says of settings and retention is what is shown."""

from sealog.policy.reading import shown_retention, shown_settings
from sealog.policy.retention import Retention
from sealog.policy.settings import TenantSettings
from sealog.server import chosen

ONLY_SHOWN = {"tenant", "changed", "changed_by"}


def test_every_member_that_is_shown_is_described():
    settings = set(shown_settings(TenantSettings()))
    retention = set(shown_retention(Retention()))

    assert set(chosen.SETTINGS["properties"]) == settings | ONLY_SHOWN | {"told_once"}
    assert set(chosen.RETENTION["properties"]) == retention | ONLY_SHOWN | {"defaults", "confirm"}


def test_both_have_a_history_and_can_be_changed():
    assert {path: list(operations) for path, operations in chosen.paths().items()} == {
        "/v1/settings": ["get", "put"],
        "/v1/settings/history": ["get"],
        "/v1/retention": ["get", "put"],
        "/v1/retention/history": ["get"],
    }
