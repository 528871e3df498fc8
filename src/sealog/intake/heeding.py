"""What tenants chose holds where events come in, now and whenever it is changed."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from sealog.access.tenants import Tenants
from sealog.policy.policies import Kind
from sealog.policy.settings import TenantSettings


class Chosen(Protocol):
    """What tenants chose; see `policy.policies.Policies`."""

    def settings(self, tenant: int) -> TenantSettings:
        """What the tenant of that number chose."""
        ...

    def chosen(self) -> Mapping[int, TenantSettings]:
        """The settings of every tenant that ever chose any."""
        ...

    def watch(self, watcher: Callable[[int, Kind], None]) -> Callable[[], None]:
        """Call it with a tenant's number once a change is in force."""
        ...


class Heeding(Protocol):
    """Who goes by it; see `intake.accept.Intake`."""

    def choose(self, chosen: Mapping[str, TenantSettings]) -> None:
        """From now on the tenants of these names have these settings."""
        ...


def heed(policies: Chosen, tenants: Tenants, intake: Heeding) -> None:
    """Tell intake what every tenant chose, and go on telling it."""

    def choose(numbers: Iterable[int]) -> None:
        found = ((tenants.numbered(number), policies.settings(number)) for number in numbers)
        intake.choose({tenant.name: one for tenant, one in found if tenant is not None})

    def changed(number: int, kind: Kind) -> None:
        if kind == "settings":
            choose([number])

    choose(policies.chosen())
    policies.watch(changed)
