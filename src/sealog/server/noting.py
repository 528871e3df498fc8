"""Counting what keys read: one call for every answer that holds events, or says that there are none."""

from collections.abc import Iterable, Mapping, Sequence

from starlette.types import Scope

from sealog.access.reads import Kind, Reads
from sealog.event.tenants import Tenant
from sealog.server.knocking import visit_of
from sealog.server.origins import Origins


class Noting:
    """Used from the event loop, before the answer is sent (decision 0013)."""

    def __init__(self, reads: Reads, origins: Origins) -> None:
        self._reads = reads
        self._origins = origins

    def note(
        self,
        scope: Scope,
        tenant: Tenant,
        kind: Kind,
        indexes: Sequence[int] = (),
        events: int | None = None,
    ) -> None:
        """Count one answer of one tenant; `indexes` of the events it holds.

        `events`: how many they are, where `indexes` are only the first and the last.
        """
        grant = visit_of(scope).grant
        assert grant is not None
        origin = self._origins.of(scope)
        self._reads.note(grant, tenant, kind, origin=origin, indexes=indexes, events=events)

    def note_all(
        self,
        scope: Scope,
        kind: Kind,
        found: Mapping[Tenant, Sequence[int]],
        named: Iterable[Tenant] = (),
    ) -> None:
        """Count one answer of several tenants: of those it holds events of, and of those named."""
        for tenant in {**dict.fromkeys(named), **found}:
            self.note(scope, tenant, kind, found.get(tenant, ()))
