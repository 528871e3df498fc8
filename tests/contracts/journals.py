"""A journal that holds everything in memory: what intake needs, and nothing durable."""

from collections.abc import Sequence
from concurrent.futures import Future

from sealog.errors import Busy
from sealog.event.batch import Batch, Outcome


class MemoryJournal:
    """Gives indexes and knows ids again; keeps to the contract in `test_journal`."""

    def __init__(self):
        self.entries: dict[int, list[bytes]] = {}
        self.appended: list[list[Batch]] = []
        self.busy = False
        self._known: dict[tuple[int, bytes], tuple[int, int, bytes]] = {}

    def append(self, batches: list[Batch]) -> Future[list[Outcome]]:
        if self.busy:
            raise Busy("told to be")
        self.appended.append(batches)
        done: Future[list[Outcome]] = Future()
        done.set_result([self._write(batch) for batch in batches])
        return done

    def append_all(
        self, requests: Sequence[list[Batch]]
    ) -> tuple[Future[list[Outcome]], dict[int, Busy]]:
        busy = {nth: Busy("told to be") for nth in range(len(requests))} if self.busy else {}
        let_in = [] if self.busy else [batch for batches in requests for batch in batches]
        if let_in:
            self.appended.append(let_in)
        done: Future[list[Outcome]] = Future()
        done.set_result([self._write(batch) for batch in let_in])
        return done, busy

    def entry(self, tenant, index):
        return self.entries[tenant.number][index]

    def _write(self, batch):
        entries = self.entries.setdefault(batch.tenant.number, [])
        indexes, repeated, conflicts = [], set(), set()
        for place, key in enumerate(batch.id_keys):
            seconds, name = key[:5], (batch.tenant.number, key[5:])
            known = self._known.get(name)
            if known is None:
                known = (len(entries), seconds, batch.fingerprints[place])
                self._known[name] = known
                entries.append(batch.entries[place])
            elif known[1:] == (seconds, batch.fingerprints[place]):
                repeated.add(place)
            else:
                conflicts.add(place)
            indexes.append(known[0] if known[1] == seconds else -1)
        return Outcome(indexes, frozenset(repeated), frozenset(conflicts))
