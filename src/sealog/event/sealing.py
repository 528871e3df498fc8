"""From drafts to batches: stamp, split, salt, digest, commit and pack, once a batch.

Pure: the time, the random bytes and the tenants are arguments.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import repeat
from typing import Any

import msgspec
from msgspec import Raw

from sealog.event import forms, ids, parts, times, tokens
from sealog.event.batch import Batch
from sealog.event.findings import Finding
from sealog.event.packs import EVENTS_PER_PACK_MAX, Packer
from sealog.event.parts import (
    EVENT_ENTRY,
    SALT_BYTES,
    STATEMENT_ACTIONS,
    STATEMENT_ENTRY,
    Place,
    Stamps,
    Texts,
)
from sealog.event.record import Draft, Form, Record
from sealog.event.templates import Templates
from sealog.event.tenants import Tenant

ECS_VERSION = "8.11.0"
ROUTES_MAX = 4_096
ALIAS_CHARS_MAX = 256
SEALED_AT_ONCE = 64
"""Events that are cut together where all are there: so few that the processor's cache holds them."""

_ECS = tokens.raw({"version": ECS_VERSION})
_FACTS_HEAD, _ACTOR_HEAD, _TARGET_HEAD, _REST_HEAD = parts.PART_HEADS
_ACTOR_AT, _TARGET_AT, _REST_AT = parts.NUMBERS[1:]
_FACTS_AT = parts.EVENT_HEAD + parts.NUMBERS[0]
_STAMPED = ("ecs", "organization", "sealog")
_ENCODE = msgspec.json.Encoder().encode
_NO_ID = (b"null", b'""')
_MASK = ids.MASK.encode()


class Naming(msgspec.Struct, frozen=True):
    """How events without a sender's id are named in one request."""

    request_key: str | None = None
    """The `Idempotency-Key`."""
    repeats: Mapping[int, int] | None = None
    """In a file import: place → how many identical records came before it in the file; places
    that are not named have none before them. None outside an import."""
    derive_all: bool = False
    """Give every event a derived id and the finding `id-reused`: its own id is taken."""


class Moment(msgspec.Struct, frozen=True):
    """The one time of arrival of a batch."""

    us: int
    text: str

    @classmethod
    def of(cls, us: int) -> "Moment":
        """The moment `us` microseconds after 1970."""
        text = times.format_us(us)
        assert text is not None
        return cls(us, text)


Understood = tuple[Record, Draft, Tenant]
_Stamp = tuple[str, Finding | None, Moment, Raw]
"""An event's id, what was odd about it, and the time of arrival, as a token too."""


class Sealer:
    """Seals batches; one per thread, because compressing is not shared."""

    def __init__(self, randomness: Callable[[int], bytes]) -> None:
        self._randomness = randomness
        self._packer = Packer()
        self._routes: dict[tuple[tuple[str, int], ...], Place] = {}
        self._known_stamps: dict[tuple[str, str, str], dict[str, Raw]] = {}

    def seal(
        self,
        understood: Sequence[Understood],
        now: Moment,
        naming: Naming | Sequence[Naming] = Naming(),  # noqa: B008 - frozen
    ) -> list[Batch]:
        """One batch per tenant, in the order of the first event of each.

        The parts of every event are encoded once; those bytes are hashed and those are stored.
        `naming`: for all alike, or one per event where they come from several requests.
        """
        sealing = self.begin(now)
        namings = iter(repeat(naming) if isinstance(naming, Naming) else naming)
        for at in range(0, len(understood), SEALED_AT_ONCE):
            sealing.add(understood[at : at + SEALED_AT_ONCE], namings)
        return sealing.batches()

    def begin(self, now: Moment) -> "Sealing":
        """A request to be sealed some events at a time, all of which arrived `now`."""
        return Sealing(self, now)

    def names(
        self, understood: Sequence[Understood], namings: Iterator[Naming], now: Moment
    ) -> Iterator[tuple[str, Finding | None]]:
        """The id of each event, and what was odd about it."""
        drawn = self._randomness(10 * len(understood))
        for at, ((record, draft, tenant), naming) in enumerate(
            zip(understood, namings, strict=False)
        ):
            name, oddity = draft.id, None
            if name is None or naming.derive_all:
                name, oddity = _name(record, draft, tenant, naming)
            if name is None:
                name = ids.uuid7(now.us // 1000, drawn[10 * at : 10 * at + 10])
            yield name, oddity

    def cut(
        self,
        understood: Sequence[Understood],
        names: Sequence[tuple[str, Finding | None]],
        now: Moment,
    ) -> list[Texts]:
        """The parts of every event."""
        ingested = tokens.raw(now.text)
        token, latest_us = bytes(ingested), now.us + times.FUTURE_US
        cut = []
        for (record, draft, tenant), (name, oddity) in zip(understood, names, strict=True):
            texts: Texts | None = None
            if draft.form is not None:
                texts = self._formed(record, draft, tenant, (name, oddity, now, ingested))
            elif draft.shaped is not None:
                at_us = draft.at_us
                if oddity is None and at_us is not None and at_us <= latest_us:
                    texts = _shaped(draft, tenant, name, token)
                if texts is None:
                    draft.tree, draft.shaped = draft.shaped.tree(), None
            cut.append(texts or self._cut(record, draft, tenant, (name, oddity, now, ingested)))
        return cut

    def _formed(self, record: Record, draft: Draft, tenant: Tenant, stamp: _Stamp) -> Texts | None:
        """The parts of a draft that has a form; None where more is to be said of it."""
        name, oddity, now, ingested = stamp
        form, shaped = draft.form, draft.shaped
        assert form is not None
        assert shaped is not None
        if not form.is_written:
            form.written, form.is_written = self._written(form), True
        is_future = draft.at_us is None or draft.at_us > now.us + times.FUTURE_US
        if is_future or oddity or name != draft.id or "@" in tenant.name or form.written is None:
            assert draft.slow is not None
            full = draft.slow()
            draft.tree, draft.sent, draft.findings = full.tree, full.sent, full.findings
            draft.form = None
            return None
        return form.written.texts(
            (
                *shaped.values,
                _ENCODE(name),
                bytes(ingested),
                _ENCODE(draft.at_text),
                _ENCODE(tenant.name),
                draft.address,
                _ENCODE(record.received.decode()),
                _ENCODE(record.findings)[1:-1],
            )
        )

    def _written(self, form: Form) -> Templates | None:
        """The templates of a form: the parts of its marked event, sealed as any other."""
        first = form.slots
        marks = [forms.mark(slot) for slot in range(first, first + len(forms.STAMPED))]
        name, ingested, at, tenant, _, original, findings = marks
        record = msgspec.structs.replace(form.record, received=original.encode())
        draft = form.draft
        draft.id, draft.at_text = name, at
        draft.findings = [
            Finding(findings) if finding.code == forms.TOLD else finding
            for finding in draft.findings
        ]
        assert draft.at_us is not None
        moment = Moment(draft.at_us, ingested)
        whose = Tenant(0, tenant, "", b"")
        cut = self._cut(record, draft, whose, (name, None, moment, tokens.raw(ingested)))
        stamped = frozenset(range(first, first + len(marks)))
        return forms.written(cut, form.facts | stamped, first + len(marks) - 1)

    def _cut(self, record: Record, draft: Draft, tenant: Tenant, stamp: _Stamp) -> Texts:
        name, oddity, now, ingested = stamp
        findings = draft.findings
        if oddity is not None:
            findings = [*findings, oddity]
        if draft.at_us is not None and draft.at_us > now.us + times.FUTURE_US:
            findings = [*findings, Finding("future-time", "", "more than a day ahead of arrival")]
        tree = draft.tree
        for root in _STAMPED:
            if root in tree and not _inner(tree, root):
                del tree[root]
        event = _inner(tree, "event")
        event["id"] = Raw(_ENCODE(name))
        event["ingested"] = ingested
        at = now.text if draft.at_us is None else draft.at_text
        facts = self._stamps(tenant.name, draft.alias, draft.dialect)
        stamps = Stamps(at, facts)
        if draft.sent or findings or not draft.clean or name != draft.id:
            stamps = Stamps(at, facts, _beside(record, draft, name, findings))
        route = self._route(draft.declared)
        return parts.texts(parts.split(tree, route, stamps, action_known=draft.known))

    def commit(self, batch: Batch, cut: Sequence[tuple[bytes, Texts]]) -> None:
        """Salt, hash and pack a batch; the salts drawn at once are those of the packs, in order."""
        salts = self._randomness(SALT_BYTES * sum([4 - texts.count(b"") for _, texts in cut]))
        at = 0
        for first in range(0, len(cut), EVENTS_PER_PACK_MAX):
            begin, masks = at, bytearray()
            events = cut[first : first + EVENTS_PER_PACK_MAX]
            for kind, (facts, actor, target, rest) in events:
                # Facts are never empty.
                mask, after = 1, at + SALT_BYTES
                digests = _FACTS_AT + sha256(_FACTS_HEAD + salts[at:after] + facts).digest()
                if actor:
                    mask, at, after = mask | 2, after, after + SALT_BYTES
                    digests += _ACTOR_AT + sha256(_ACTOR_HEAD + salts[at:after] + actor).digest()
                if target:
                    mask, at, after = mask | 4, after, after + SALT_BYTES
                    digests += _TARGET_AT + sha256(_TARGET_HEAD + salts[at:after] + target).digest()
                if rest:
                    mask, at, after = mask | 8, after, after + SALT_BYTES
                    digests += _REST_AT + sha256(_REST_HEAD + salts[at:after] + rest).digest()
                at = after
                masks.append(mask)
                batch.entries.append(kind + sha256(digests).digest())
            told = b"".join([kind for kind, _ in events])
            columns = [
                list(filter(None, column))
                for column in zip(*[texts for _, texts in events], strict=True)
            ]
            indexes = range(first, first + len(events))
            batch.packs.append(
                self._packer.pack_columns(indexes, told, bytes(masks), columns, salts[begin:at])
            )

    def _route(self, declared: tuple[tuple[str, int], ...]) -> Place:
        route = self._routes.get(declared)
        if route is None:
            if len(self._routes) >= ROUTES_MAX:
                self._routes.clear()
            route = self._routes[declared] = parts.places(dict(declared))
        return route

    def _stamps(self, tenant: str, alias: str, dialect: str) -> dict[str, Raw]:
        """The facts that many events share."""
        key = (tenant, alias, dialect)
        stamps = self._known_stamps.get(key)
        if stamps is None:
            stamps = {
                "ecs": _ECS,
                "organization": tokens.raw({"id": tenant}),
                "sealog": tokens.raw({"action": alias, "dialect": dialect}),
            }
            # A sender of ECS names the action: a long one is not worth remembering.
            if len(alias) <= ALIAS_CHARS_MAX:
                if len(self._known_stamps) >= ROUTES_MAX:
                    self._known_stamps.clear()
                self._known_stamps[key] = stamps
        return stamps


class _Share(msgspec.Struct, frozen=True):
    """What a tenant has of a request, in one dialect."""

    batch: Batch
    waiting: list[tuple[bytes, Texts]]
    key: Callable[[str, int | None], bytes]
    print: Callable[[bytes], bytes]


class Sealing:
    """One request being sealed, some of its events at a time."""

    def __init__(self, sealer: Sealer, now: Moment) -> None:
        self._sealer = sealer
        self._now = now
        self._batches: dict[int, tuple[Batch, list[tuple[bytes, Texts]]]] = {}
        self._shares: dict[tuple[int, str], _Share] = {}

    def add(self, understood: Sequence[Understood], namings: Iterator[Naming]) -> None:
        """Name these events, in order, and cut them into their parts."""
        names = list(self._sealer.names(understood, namings, self._now))
        cut = self._sealer.cut(understood, names, self._now)
        for (record, draft, tenant), (name, _), texts in zip(understood, names, cut, strict=True):
            share = self._shares.get((tenant.number, draft.dialect))
            if share is None:
                share = self._share(tenant, draft.dialect)
            batch = share.batch
            share.waiting.append((_kind(draft), texts))
            batch.places.append(record.place)
            batch.ids.append(name)
            batch.id_keys.append(share.key(name, draft.at_us))
            batch.fingerprints.append(share.print(record.received)[: ids.FINGERPRINT_BYTES])

    def _share(self, tenant: Tenant, dialect: str) -> "_Share":
        found = self._batches.get(tenant.number)
        if found is None:
            found = Batch(tenant, [], [], [], [], [], []), []
            self._batches[tenant.number] = found
        batch, waiting = found
        hashers = ids.keyer(tenant.key), ids.printer(tenant.key, dialect)
        share = self._shares[tenant.number, dialect] = _Share(batch, waiting, *hashers)
        return share

    def batches(self) -> list[Batch]:
        """One batch per tenant, in the order of the first event of each; ends the sealing."""
        for batch, waiting in self._batches.values():
            self._sealer.commit(batch, waiting)
        return [batch for batch, _ in self._batches.values()]


def _shaped(draft: Draft, tenant: Tenant, name: str, ingested: bytes) -> Texts | None:
    """The parts of a clean draft that has a shape; None where more is to be said of it."""
    shaped, whose = draft.shaped, tenant.name
    assert shaped is not None
    if draft.sent or draft.findings or not draft.clean or "@" in whose:
        return None
    at, alias = draft.at_text.encode(), _ENCODE(draft.alias)
    return shaped.texts((_ENCODE(name), ingested, at, _ENCODE(whose), alias))


def _kind(draft: Draft) -> bytes:
    return STATEMENT_ENTRY if draft.action in STATEMENT_ACTIONS else EVENT_ENTRY


def _name(
    record: Record, draft: Draft, tenant: Tenant, naming: Naming
) -> tuple[str | None, Finding | None]:
    """The id of an event that has or derives one (docs/formats/ids.md), and what was odd."""
    if draft.id is not None and not naming.derive_all:
        return draft.id, None
    reused = None
    if draft.id is not None:
        reused = Finding("id-reused", "", "another record of this tenant has this id")
    if naming.repeats is None and not naming.derive_all:
        if naming.request_key is not None:
            key = naming.request_key
            return ids.id_from_request(tenant.key, draft.dialect, key, record.place), None
        # Who sends an id that cannot be used still sends the same thing again as the same bytes;
        # but what differed in a masked id alone must not be taken for the same.
        unused = draft.sent.get("event.id")
        written = b"null" if unused is None else bytes(tokens.encode(unused))
        if written in _NO_ID or _MASK in written:
            return None, None
    repeats = (naming.repeats or {}).get(record.place, 0)
    return ids.id_from_record(tenant.key, draft.dialect, record.received, repeats), reused


def _beside(
    record: Record, draft: Draft, name: str, findings: Sequence[Finding]
) -> dict[str, dict[str, Any]]:
    """What stands in the rest of an event that is not clean."""
    beside: dict[str, dict[str, Any]] = {}
    sealog: dict[str, Any] = {}
    if findings:
        sealog["findings"] = findings
    sent = draft.sent
    if name != draft.id and draft.id is not None:
        sent = {"event.id": tokens.raw(draft.id), **sent}
    if sent:
        sealog["sent"] = sent
    if sealog:
        beside["sealog"] = sealog
    if findings or not draft.clean:
        beside["event"] = {"original": record.received.decode()}
    return beside


def _inner(tree: dict[str, Any], key: str) -> dict[str, Any]:
    """The object at `key`, opened and ours to add to."""
    node = tree.get(key)
    if type(node) is not dict:
        node = {} if node is None else _opened(node)
        tree[key] = node
    return node


def _opened(node: Raw) -> dict[str, Any]:
    try:
        return tokens.opened(node) or {}
    except msgspec.DecodeError:
        return tokens.parse(bytes(node), own=True).tree
