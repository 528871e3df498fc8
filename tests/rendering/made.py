"""Events as they are stored, made of records the way that a request goes; and what becomes of them."""

import hashlib

import msgspec

from sealog.access.grants import Grant
from sealog.catalog.shelf import load
from sealog.dialects.dialect import Settings
from sealog.event.packs import Opened, Packer, Unpacker
from sealog.event.parts import EVENT_ENTRY, PART_NAMES, digest
from sealog.event.tenants import Tenant
from sealog.intake.preparing import Job, Preparer
from sealog.intake.source import Source
from sealog.rendering.rendering import Renderer

NOW_US = 1_800_000_000_000_000
TENANT = Tenant(1, "acme", "a" * 32, b"a" * 32)
GRANT = Grant("key_1", frozenset({"ingest"}), frozenset({"acme"}))


class Counted:
    """Randomness that is the same in every run."""

    def __init__(self):
        self._drawn = 0

    def __call__(self, size):
        self._drawn += 1
        return hashlib.shake_256(self._drawn.to_bytes(8, "big")).digest(size)


def packs(dialect, body, framing=None, preparer=None):
    """A body as it rests; nothing of it may be refused."""
    preparer = preparer or Preparer(load(), Counted())
    source = Source(GRANT, dialect, framing=framing, tenant="acme")
    prepared = preparer.prepare(Job(body, source, Settings(), NOW_US), {"acme": TENANT}.get)
    assert all(answer is None for answer in prepared.answers), prepared.answers
    (batch,) = prepared.batches
    return batch.packs


def stored(dialect, body, framing=None, preparer=None):
    """The same, event by event."""
    found = packs(dialect, body, framing, preparer)
    return [event for pack in found for event in Unpacker().events(pack)]


def one(dialect, record, framing=None):
    """One record as it is stored."""
    body = record if isinstance(record, bytes) else msgspec.json.encode(record)
    (event,) = stored(dialect, body, framing)
    return event


def without(opened, *names):
    """An event some of whose parts were erased."""
    numbers = {PART_NAMES.index(name) for name in names}
    return Opened(
        opened.kind,
        tuple(part for part in opened.parts if part[0] not in numbers),
        tuple((n, digest(n, salt, text)) for n, salt, text in opened.parts if n in numbers),
    )


def parts(*texts, kind=EVENT_ENTRY):
    """An event of given parts, in the order of their numbers; None where it has none."""
    return Opened(
        kind,
        tuple(
            (number, bytes([number]) * 16, text if isinstance(text, bytes) else encoded(text))
            for number, text in enumerate(texts)
            if text is not None
        ),
    )


def encoded(value):
    return msgspec.json.encode(value)


def shown(opened, dialect, index=0, **more):
    """What it looks like in a dialect, as Python values."""
    return msgspec.json.decode(Renderer(dialect, **more).event(opened, index))


def packed(events):
    """Some events as one pack."""
    return Packer().pack(events, range(len(events)))
