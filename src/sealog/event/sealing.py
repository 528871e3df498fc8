"""From drafts to batches: stamp, split, salt, digest, commit and pack, once a batch.

Pure: the time, the random bytes and the tenants are arguments.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from itertools import repeat
from typing import Any

import msgspec
from msgspec import Raw

from sealog.event import ids, parts, times, tokens
from sealog.event.batch import Batch
from sealog.event.findings import Finding
from sealog.event.packs import EVENTS_PER_PACK_MAX, Columns, Packer
from sealog.event.parts import EVENT_ENTRY, SALT_BYTES, STATEMENT_ACTIONS, STATEMENT_ENTRY, Place
from sealog.event.record import Draft, Record
from sealog.event.tenants import Tenant

ECS_VERSION = "8.11.0"
ROUTES_MAX = 4_096
ALIAS_CHARS_MAX = 256

_ECS = tokens.raw({"version": ECS_VERSION})
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


class Sealer:
    """Seals batches; one per thread, because compressing is not shared."""

    def __init__(self, randomness: Callable[[int], bytes]) -> None:
        self._randomness = randomness
        self._packer = Packer()
        self._routes: dict[tuple[tuple[str, int], ...], Place] = {}
        self._known_stamps: dict[tuple[str, str, str], dict[str, Raw]] = {}

    def seal(
        self,
        understood: Sequence[tuple[Record, Draft, Tenant]],
        now: Moment,
        naming: Naming | Sequence[Naming] = Naming(),  # noqa: B008 - frozen
    ) -> list[Batch]:
        """One batch per tenant, in the order of the first event of each.

        The parts of every event are encoded once; those bytes are hashed and those are stored.
        `naming`: for all alike, or one per event where they come from several requests.
        """
        namings = repeat(naming) if isinstance(naming, Naming) else naming
        ingested = tokens.raw(now.text)
        random_ids = self._randomness(10 * len(understood))
        batches: dict[int, tuple[Batch, list[list[parts.Part]], list[bytes]]] = {}
        for nth, ((record, draft, tenant), named) in enumerate(
            zip(understood, namings, strict=False)
        ):
            found = batches.get(tenant.number)
            if found is None:
                found = batches[tenant.number] = (Batch(tenant, [], [], [], [], [], []), [], [])
            batch, cut, kinds = found
            name, oddity = _name(record, draft, tenant, named)
            if name is None:
                name = ids.uuid7(now.us // 1000, random_ids[10 * nth : 10 * nth + 10])
            cut.append(self._cut(record, draft, tenant, (name, oddity, now, ingested)))
            kinds.append(STATEMENT_ENTRY if draft.action in STATEMENT_ACTIONS else EVENT_ENTRY)
            batch.places.append(record.place)
            batch.ids.append(name)
            batch.id_keys.append(ids.id_key(tenant.key, name, draft.at_us))
            batch.fingerprints.append(ids.fingerprint(tenant.key, draft.dialect, record.received))
        return [self._commit(*found) for found in batches.values()]

    def _cut(
        self,
        record: Record,
        draft: Draft,
        tenant: Tenant,
        stamp: tuple[str, Finding | None, Moment, Raw],
    ) -> list[parts.Part]:
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
        stamps = parts.Stamps(at, facts)
        if draft.sent or findings or not draft.clean or name != draft.id:
            stamps = parts.Stamps(at, facts, _beside(record, draft, name, findings))
        route = self._route(draft.declared)
        return parts.split(tree, route, stamps, action_known=draft.known)

    def _commit(self, batch: Batch, cut: list[list[parts.Part]], kinds: list[bytes]) -> Batch:
        """Salt, hash and pack a batch; the salts drawn at once are those of the packs, in order."""
        salts = self._randomness(SALT_BYTES * sum(map(len, cut)))
        at = 0
        for first in range(0, len(cut), EVENTS_PER_PACK_MAX):
            begin, masks = at, bytearray()
            columns: Columns = ([], [], [], [])
            events = cut[first : first + EVENTS_PER_PACK_MAX]
            for kind, event in zip(kinds[first:], events, strict=False):
                mask, digests = 0, parts.EVENT_HEAD
                for number, part in event:
                    salted = salts[at : at + SALT_BYTES] + part
                    at += SALT_BYTES
                    mask |= 1 << number
                    columns[number].append(part)
                    digests += (
                        parts.NUMBERS[number] + sha256(parts.PART_HEADS[number] + salted).digest()
                    )
                masks.append(mask)
                batch.entries.append(kind + sha256(digests).digest())
            told = b"".join(kinds[first : first + len(events)])
            indexes = range(first, first + len(events))
            batch.packs.append(
                self._packer.pack_columns(indexes, told, bytes(masks), columns, salts[begin:at])
            )
        return batch

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
