"""Seals statements: the same way as every event, through the journal (docs/formats/statement.md)."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from sealog.catalog.shelf import Catalog
from sealog.errors import Corrupt
from sealog.event import stating
from sealog.event.batch import Batch, Outcome
from sealog.event.sealing import Moment, Sealer
from sealog.event.stating import DIALECT, Statement
from sealog.event.tenants import Tenant

Stated = tuple[Tenant, Sequence[Statement]]
"""A tenant and its statements, all of one action."""


class Journal(Protocol):
    """What stating needs of the journal."""

    def append(self, batches: list[Batch]) -> Future[list[Outcome]]:
        """See `journal.journal.Journal.append`."""
        ...


class Stater:
    """Seals statements; any thread may."""

    def __init__(
        self,
        journal: Journal,
        catalog: Catalog,
        clock: Callable[[], int],
        randomness: Callable[[int], bytes],
    ) -> None:
        self._journal = journal
        self._catalog = catalog
        self._clock = clock
        self._sealer = Sealer(randomness)
        self._sealing = threading.Lock()

    def state(self, stated: Sequence[Stated]) -> list[list[int]]:
        """Return when all of it is durable: of each tenant the index of each statement, in order.

        What was stated before keeps its index, and is not stated again. Raises `Busy` where the
        journal takes no more, or the disk nothing, and `Corrupt` where a name stands for another
        statement.
        """
        now = Moment.of(self._clock())
        with self._sealing:
            batches = [
                stating.sealed(self._sealer, tenant, statements, now, self._event(statements))
                for tenant, statements in stated
            ]
        outcomes = self._journal.append(batches).result()
        for batch, outcome in zip(batches, outcomes, strict=True):
            if outcome.conflicts:
                name = batch.ids[min(outcome.conflicts)]
                raise Corrupt(f"the statement {name} was sealed before, and said something else")
        return [outcome.indexes for outcome in outcomes]

    def _event(self, statements: Sequence[Statement]) -> Mapping[str, Any]:
        (action,) = {one.action for one in statements}
        known = self._catalog.find(DIALECT, action)
        assert known is not None
        return {
            "kind": known.kind,
            "category": known.category,
            "type": known.type,
            "outcome": known.outcome,
            "provider": DIALECT,
        }
