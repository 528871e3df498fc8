"""Sealed batches as intake makes them, from a few words."""

from hashlib import sha256

from sealog.event import tokens
from sealog.event.batch import Batch
from sealog.event.packs import Packer, Unpacker, repack
from sealog.event.record import Draft, Record
from sealog.event.sealing import Moment, Sealer
from sealog.event.tenants import Tenant

NOW_US = 1_795_262_400_000_000


class Counted:
    """Random bytes that count up: every event of a test has ids and salts of its own."""

    def __init__(self):
        self.drawn = 0

    def __call__(self, size):
        out = b""
        while len(out) < size:
            self.drawn += 1
            out += sha256(b"%d" % self.drawn).digest()
        return out[:size]


def tenant(number, name=None):
    return Tenant(
        number,
        name or f"tenant-{number}",
        sha256(b"log%d" % number).hexdigest()[:32],
        sha256(b"key%d" % number).digest(),
    )


def draft(name=None, *, at_us=NOW_US, content=b"{}", place=0, action="a.b"):
    tree = {"event": {"action": tokens.raw(action)}, "message": tokens.raw(content.decode())}
    made = Draft(tree, "ecs", action, action, id=name, at_us=at_us, clean=True)
    made.at_text = "" if at_us is None else Moment.of(at_us).text
    record = Record(place, content, content, {})
    return record, made


def batch(of, *names, sealer=None, at_us=NOW_US, content=b"{}"):
    """A batch of one tenant: an event for each name; None for one without an id of its own."""
    drafts = [
        (*draft(name, at_us=at_us, content=content, place=place), of)
        for place, name in enumerate(names)
    ]
    (made,) = (sealer or SEALER).seal(drafts, Moment.of(NOW_US))
    return made


def joined(*batches):
    """Batches of one tenant as one."""
    first = batches[0]
    events = [event for each in batches for pack in each.packs for event in UNPACKER.events(pack)]
    return Batch(
        first.tenant,
        list(range(len(events))),
        [name for each in batches for name in each.ids],
        [key for each in batches for key in each.id_keys],
        [print_ for each in batches for print_ in each.fingerprints],
        [entry for each in batches for entry in each.entries],
        repack(Packer(), events),
    )


SEALER = Sealer(Counted())
UNPACKER = Unpacker()


def entries_of(blocks):
    """The entries of blocks, each computed anew from the stored parts."""
    return [
        event.entry() for each in blocks for pack in each.packs() for event in UNPACKER.events(pack)
    ]
