"""What retention stands on, as fakes that are seen through: an archive, and a journal of statements."""

from hashlib import sha256

import msgspec

from sealog.errors import Corrupt
from sealog.event.tenants import Tenant

NOON_US = 1_795_176_000_000_000
HOUR_US = 3_600_000_000


class Due(msgspec.Struct, frozen=True):
    ranges: tuple[tuple[int, int], ...]
    kept: tuple[str, ...] = ("172800s",)


class Gone(msgspec.Struct, frozen=True):
    events: int
    bytes: int


class Died(Exception):
    """The program ends here."""


def tenant(number):
    return Tenant(number, f"t{number}", sha256(b"%d" % number).hexdigest()[:32], b"k" * 32)


class Shelf:
    """Stands for the archive. `events`: tenant → index → when it expires."""

    def __init__(self):
        self.events = {}
        self.dropped = []
        self.looked = []
        self.damaged = set()
        self.dies_at_drop = False
        self.hidden = set()
        self.waited = 0

    def put(self, number, **expiring):
        self.events.setdefault(number, {}).update(
            {int(index.strip("_")): at for index, at in expiring.items()}
        )

    def due(self, now_us):
        return [n for n, held in self.events.items() if any(at <= now_us for at in held.values())]

    def expired_until(self, tenant, now_us):
        self.looked.append(tenant.number)
        if tenant.number in self.damaged:
            raise Corrupt("a segment is damaged")
        gone = sorted(i for i, at in self.events[tenant.number].items() if at <= now_us)
        if gone:
            yield Due(tuple((index, index) for index in gone))

    def wait_for(self, tenant, _index, _timeout_s):
        self.waited += 1
        return tenant.number not in self.hidden

    def drop(self, tenant, statement, ranges):
        if self.dies_at_drop:
            raise Died
        gone = [index for first, last in ranges for index in range(first, last + 1)]
        held = self.events[tenant.number]
        there = [index for index in gone if held.pop(index, None) is not None]
        self.dropped.append((tenant.number, statement, there))
        return Gone(len(there), 100 * len(there))


class Sealed:
    """Stands for the journal: statements by tenant and name, each at one index."""

    def __init__(self):
        self.stated = {}
        self.said = {}
        self.dies = ""

    def state(self, several):
        if self.dies == "before":
            raise Died
        found = []
        for tenant, statements in several:
            theirs = self.stated.setdefault(tenant.number, {})
            for one in statements:
                theirs.setdefault(one.name, 1_000 + len(theirs))
                assert self.said.setdefault((tenant.number, one.name), one.says) == one.says
            found.append([theirs[one.name] for one in statements])
        if self.dies == "after":
            raise Died
        return found
