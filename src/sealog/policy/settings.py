"""What a tenant chose: which events are recorded, and how they are delivered. Plain values."""

from typing import Any, Literal

import msgspec

from sealog.policy.matching import fits

Delivery = Literal["api", "api-and-service"]
RULES_MAX = 1_000


class Recording(msgspec.Struct, frozen=True):
    """For some types, whether they are recorded."""

    record: bool
    dialect: str | None = None
    """None: every dialect; Sealog's own events are recorded whatever any rule says."""
    action: str | None = None
    """A native name or an alias, `*` for anything; None: every type."""


class TenantSettings(msgspec.Struct, frozen=True):
    """One version of a tenant's settings. Version 0 is that of who chose nothing."""

    version: int = 0
    recorded: tuple[Recording, ...] = ()
    """The first that fits decides; what none fits is recorded."""
    delivery: Delivery = "api"
    service: dict[str, Any] | None = None
    """The destination of the service, in the form that streams take; what must stay secret is not
    in it."""
    secrets: dict[str, Any] = {}
    """The rest of it: never shown, never told, kept while this version is in force."""
    day_first: bool | None = None
    """For LogicHub's dates; None: as the installation has it."""

    def records(self, dialect: str, action: str, alias: str) -> bool:
        """Whether an event of this type is recorded."""
        for rule in self.recorded:
            if fits((rule.dialect, rule.action), dialect, action, alias):
                return rule.record
        return True
