"""What a tenant chose, on the way in: what is not recorded gets an answer that says so.

Step 5 of the path of an event. Whoever prepares, here or in a worker, has the choices of those
tenants alone that switched something off; for all others this is one look at an empty table.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec

from sealog.policy.recorded import Recorded

if TYPE_CHECKING:
    from sealog.intake.preparing import Understood

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


def leave_out(understood: "Understood", chosen: Chosen) -> None:
    """Take the drafts out that are not recorded, and put the answers in their places."""
    if chosen.keys().isdisjoint(understood.tenants()):
        return
    kept = []
    drafts = iter(understood.drafts)
    for place, answer in enumerate(understood.answers):
        if answer is not None:
            continue
        record, draft, name = next(drafts)
        recorded = chosen.get(name)
        if recorded is None or recorded(draft.dialect, draft.action, draft.alias):
            kept.append((record, draft, name))
        else:
            understood.answers[place] = NotRecorded(Type(name, draft.dialect, draft.action))
    understood.drafts = kept


def left_out(answers: Iterable[object]) -> dict[str, list[Named]]:
    """By tenant, the types of the records that were left out, one each."""
    found: dict[str, list[Named]] = {}
    for answer in answers:
        if type(answer) is NotRecorded:
            one = answer.not_recorded
            found.setdefault(one.tenant, []).append((one.dialect, one.action))
    return found
