"""What a tenant chose, on the way in: what is not recorded gets an answer that says so.

Step 5 of the path of an event. Whoever prepares, here or in a worker, has the choices of those
tenants alone that switched something off; for all others this is one look at an empty table.
"""

from collections.abc import Iterable, Mapping

import msgspec

from sealog.policy.recorded import Recorded
from sealog.policy.settings import Recording

Chosen = Mapping[str, Recorded]
"""Tenant's name → what it records."""
Named = tuple[str, str]
"""Dialect and native name of a type."""


class Type(msgspec.Struct, frozen=True):
    """The type that is not recorded."""

    tenant: str
    dialect: str
    action: str
    """The native name."""


class NotRecorded(msgspec.Struct, frozen=True):
    """The answer to a record that its tenant chose not to record: nothing of it was kept."""

    not_recorded: Type


def changed(before: Chosen, rules: Mapping[str, tuple[Recording, ...]]) -> Chosen:
    """What some tenants record now, in a table of its own."""
    after = dict(before)
    for tenant, some in rules.items():
        after.pop(tenant, None)
        if some:
            after[tenant] = Recorded(some)
    return after


def left_out(answers: Iterable[object]) -> dict[str, list[Named]]:
    """By tenant, the types of the records that were left out, one each."""
    found: dict[str, list[Named]] = {}
    for answer in answers:
        if type(answer) is NotRecorded:
            one = answer.not_recorded
            found.setdefault(one.tenant, []).append((one.dialect, one.action))
    return found
