"""An export counts as read by the key that asked for it, whoever fetches it."""

from collections.abc import Callable

from sealog.access.grants import Grant
from sealog.access.reads import Kind, Reads
from sealog.event.tenants import Tenant
from sealog.exports.exports import Finished


def noting(reads: Reads, tenants: Callable[[int], Tenant | None]) -> Callable[[Finished], None]:
    """What notes a finished export where reading is counted (decision 0013)."""

    def note(done: Finished) -> None:
        tenant = tenants(done.tenant)
        if tenant is None:
            return
        ends = () if done.first is None or done.last is None else (done.first, done.last)
        by = Grant(done.key, frozenset(), None)
        reads.note(by, tenant, Kind.EXPORTS, indexes=ends, events=done.events)

    return note
