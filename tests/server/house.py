"""A server of fakes around real tenants and keys, and a client that needs no socket."""

import asyncio
import hashlib
import threading
from datetime import UTC
from typing import NamedTuple

import httpx
import msgspec

from sealog.access.keys import Keys
from sealog.access.limits import Limits
from sealog.access.limits import Settings as LimitSettings
from sealog.access.reads import Reads
from sealog.access.tenants import Tenants
from sealog.archive.archive import Found, Page
from sealog.archive.counting import Counts
from sealog.archive.following import Followed
from sealog.archive.tallies import Bucket, Facet
from sealog.errors import Missing, Refused
from sealog.event.batch import Receipt
from sealog.event.packs import Opened
from sealog.policy.policies import Policies
from sealog.policy.reading import Destination
from sealog.query.tree import Query
from sealog.server.application import build
from sealog.server.parts import Clocks, Parts
from sealog.server.settings import Settings

NOW_US = 1_700_000_000_000_000  # 2023-11-14T22:13:20Z
HOUR_US = 3_600_000_000


def opened(**members):
    """An event of one part, as it rests."""
    members = {"sealog": {"action": "x", "dialect": "ecs"}, **members}
    return Opened(b"\x01", ((0, bytes(16), msgspec.json.encode(members)),))


class Hour:
    """Time that stands still until it is told to go on."""

    def __init__(self):
        self.us = NOW_US
        self.s = 0.0


class Going(NamedTuple):
    """Some events that would go."""

    dialect: str
    action: str
    at_us: int
    count: int


class FakeIntake:
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self):
        self.asked = []
        self.answers = [Receipt("id-1", "acme", 0, "00" * 32)]
        self.error = None

    async def accept(self, body, source):
        self.asked.append((body, source))
        if self.error is not None:
            raise self.error
        return self.answers


class FakeRecorder:
    """Remembers what it was told."""

    def __init__(self):
        self.told = []
        self.error = None

    def key_created(self, key, by, origin):
        self._tell("key created", key.id, by, origin)

    def key_revoked(self, key, by, origin):
        self._tell("key revoked", key.id, by, origin)

    def tenant_created(self, tenant, at_us, by, origin):
        assert at_us <= NOW_US
        self._tell("tenant created", tenant.name, by, origin)

    def policy_changed(self, change):
        if self.error is not None:
            raise self.error
        self.told.append((f"{change.kind} changed", change.new.version, change.by, change.actor))

    def actor(self, by, origin):
        return {"user": {"id": by.key}, "source": {"ip": origin.client}}

    def _tell(self, what, name, by, origin):
        if self.error is not None:
            raise self.error
        self.told.append((what, name, by.key, origin.client))


class FakeArchive:
    """Tenant number → events, by index; a search gives them newest first."""

    def __init__(self):
        self.events = {}
        self.asked = []
        self.words = []
        self.counted = None
        self.error = None
        self.more = {}
        self.watchers = []
        self.watched = threading.Event()

    def put(self, tenant, *events):
        self.events.setdefault(tenant.number, []).extend(events)
        for watcher in self.watchers:
            watcher({tenant.number: self.visible(tenant)})

    def search(
        self,
        tenants,
        query,
        *,
        limit=50,
        cursor=None,
        at_least=None,
        oldest_first=False,
        asked=None,
        after=None,  # noqa: ARG002
    ):
        self.asked.append(
            (tuple(tenant.name for tenant in tenants), query, limit, cursor, at_least)
        )
        self.words.append(asked)
        self._fail()
        found = [
            Found(tenant, index, index, event)
            for tenant in tenants
            for index, event in enumerate(self.events.get(tenant.number, []))
        ]
        if cursor is not None and not (cursor.isascii() and cursor.isdigit()):
            raise Refused("the cursor is not one of this search's", code="bad-cursor")
        begin = int(cursor or 0)
        page = (found if oldest_first else found[::-1])[begin : begin + limit]
        following = str(begin + limit) if len(found) > begin + limit else None
        return Page(page, following, **self.more)

    def count(self, tenants, query):
        return self._counts(tenants, query)

    def facets(self, tenants, query, fields, top=10):
        facet = Facet([("x", 2), ("y", 1)][:top], 3, is_exact=False)
        return self._counts(tenants, query, facets=dict.fromkeys(fields, facet))

    def histogram(self, tenants, query, interval, zone=UTC, *, by=None):
        self.counted = (interval, zone, by)
        buckets = [
            Bucket(NOW_US, 2, {"success": 2} if by else {}),
            Bucket(NOW_US + 3_600_000_000, 0),
        ]
        return self._counts(tenants, query, buckets=buckets)

    def _counts(self, tenants, query, **more):
        self.asked.append((tuple(tenant.name for tenant in tenants), query))
        self._fail()
        number = sum(len(self.events.get(tenant.number, [])) for tenant in tenants)
        return Counts(number, **more, **self.more)

    def get(self, tenant, index):
        self._fail()
        events = self.events.get(tenant.number, [])
        return events[index] if index < len(events) else None

    def by_id(self, tenant, event_id):
        self._fail()
        for index, event in enumerate(self.events.get(tenant.number, [])):
            if msgspec.json.decode(event.parts[0][2]).get("event", {}).get("id") == event_id:
                return index, event
        return None

    def feed(self, tenant, after, limit):
        self._fail()
        events = list(enumerate(self.events.get(tenant.number, [])))
        return events[after + 1 : after + 1 + limit]

    def follow(self, tenant, query, first, limit):
        self.asked.append((tenant.name, query, first, limit))
        self._fail()
        events = list(enumerate(self.events.get(tenant.number, [])))
        page = [
            (index, event)
            for index, event in events[first : first + limit]
            if query == Query() or query.where.value.encode() in event.parts[0][2]
        ]
        return Followed(page, max(first, min(first + limit, len(events))))

    def visible(self, tenant):
        return len(self.events.get(tenant.number, []))

    def watch(self, watcher):
        self.watchers.append(watcher)
        self.watched.set()
        return lambda: self.watchers.remove(watcher)

    def _fail(self):
        if self.error is not None:
            raise self.error


class FakeLedger:
    """Notes and tiles by name."""

    def __init__(self):
        self.notes = {}
        self.signed = {}
        self.tiles = {}

    def origin(self, tenant):
        return f"log.example/{tenant.log_id}"

    def vkey(self, tenant):
        return f"log.example/{tenant.log_id}+00000000+AQ=="

    def checkpoint(self, tenant):
        return self.notes.get(tenant.name)

    def tile(self, tenant, tile):
        found = self.tiles.get((tenant.name, str(tile)))
        if found is None:
            raise Missing("the log has 0 entries")
        return found

    def event_proof(self, tenant, index, opened):
        return msgspec.json.encode(
            {"tenant": tenant.name, "index": index, "parts": len(opened.parts)}
        )

    def consistency(self, tenant, old, new):
        if new > self.signed.get(tenant.name, 9):
            raise Missing("the log is not signed so far")
        return [bytes([old]) * 32, bytes([new]) * 32]


class Judged(msgspec.Struct):
    """What is thought of a clock."""

    now_us: int
    expected_us: int
    is_trusted: bool


class FakeTrust:
    """A clock that is thirty hours ahead of what it should say, until somebody confirms it."""

    def __init__(self):
        self.expected_us = NOW_US - 30 * HOUR_US
        self.confirmed = 0

    def judge(self):
        return Judged(NOW_US, self.expected_us, self.expected_us + HOUR_US >= NOW_US)

    def held(self):
        return 3

    def confirm(self):
        self.confirmed += 1
        self.expected_us = NOW_US
        return self.judge()


class Drawn:
    """Random bytes that never repeat and are the same in every run."""

    def __init__(self):
        self._drawn = 0

    def __call__(self, size):
        self._drawn += 1
        return hashlib.shake_256(self._drawn.to_bytes(8, "big")).digest(size)


class Tailed:
    """A client of a tail: takes what it is sent when it is told to, or at once."""

    def __init__(self, house, query, *, key, headers=(), method="GET"):
        self._house = house
        self._gone = asyncio.Event()
        self._news = asyncio.Event()
        self.takes = asyncio.Event()
        self.takes.set()
        self.messages = []
        self.scope = {
            "type": "http", "method": method, "path": "/v1/tail", "query_string": query.encode(),
            "headers": [(b"authorization", f"Bearer {key}".encode()), *headers],
            "http_version": "1.1", "scheme": "http",
        }  # fmt: skip

    async def __aenter__(self):
        self.task = asyncio.create_task(self._house.app(self.scope, self._receive, self._send))
        return self

    async def __aexit__(self, *_):
        self._gone.set()
        self.takes.set()
        await self.task

    async def _receive(self):
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        await self.takes.wait()
        self.messages.append(message)
        self._news.set()

    @property
    def text(self):
        return b"".join(message.get("body", b"") for message in self.messages).decode()

    @property
    def status(self):
        return self.messages[0]["status"]

    @property
    def ended(self):
        last = self.messages[-1] if self.messages else {"type": ""}
        return last["type"] == "http.response.body" and not last.get("more_body")

    @property
    def ids(self):
        """The position of every event, in the order they came."""
        return [
            line[4:]
            for block in self.text.split("\n\n")
            for line in block.split("\n")
            if "event: event" in block and line.startswith("id: ")
        ]

    @property
    def events(self):
        lines = [line for line in self.text.split("\n") if line.startswith("data: ")]
        return [msgspec.json.decode(line[6:]) for line in lines]

    async def until(self, is_so):
        """Wait until it is so; looked at whenever something came."""
        while not is_so(self):
            self._news.clear()
            await self._news.wait()


class House:
    """The whole server, the fakes in it, and who may knock."""

    def __init__(
        self, store, *, settings=None, limits=None, catalog=None, exports=None, delivery=None
    ):
        self.exports = exports
        self.delivery = delivery
        self.randomness = Drawn()
        self.hour = Hour()
        self.tenants = Tenants(store, lambda: self.hour.us, self.randomness)
        self.keys = Keys(store, lambda: self.hour.us, self.randomness)
        self.reads = Reads(store, lambda: self.hour.us)
        self.recorder = FakeRecorder()
        self.policies = Policies(store, lambda: self.hour.us)
        self.going = []
        self.asked_of_forecast = []
        self.intake = FakeIntake()
        self.archive = FakeArchive()
        self.ledger = FakeLedger()
        self.not_ready = None
        self.trust = FakeTrust()
        self._limits = limits or LimitSettings()
        self._catalog = catalog or {"closer": [{"native": "agent_login", "action": "agent.login"}]}
        self.app = build(self.parts_anew(), settings or Settings())
        self.runner = asyncio.Runner()
        self.connect()

    def parts_anew(self):
        """The fakes as the server's parts, with metrics of their own."""
        return Parts(
            tenants=self.tenants,
            keys=self.keys,
            limits=Limits(self._limits),
            reads=self.reads,
            recorder=self.recorder,
            policies=self.policies,
            intake=self.intake,
            archive=self.archive,
            ledger=self.ledger,
            size=lambda number: len(self.archive.events.get(number, [])),
            catalog=self._catalog,
            clocks=Clocks(lambda: self.hour.us, lambda: self.hour.s),
            randomness=self.randomness,
            exports=self.exports,
            delivery=self.delivery,
            forecast=self._forecast,
            service=self._service,
            trust=self.trust,
            ready=lambda: self.not_ready,
        )

    def _forecast(self, tenant, retention, now_us):
        assert now_us == self.hour.us
        self.asked_of_forecast.append((tenant.name, retention.rules))
        return self.going

    def _service(self, wanted, before):
        """Takes webhooks, and keeps the secret they had."""
        if wanted.get("kind") != "webhook":
            raise Refused("a destination is a webhook", code="bad-destination", pointer="/kind")
        shown = {"kind": "webhook", "url": str(wanted.get("url"))}
        if before.secrets:
            return Destination(shown, before.secrets)
        return Destination(shown, {"key": "whsec_1"}, {"secret": "whsec_1"})

    def serve(self, parts):
        """Other parts, from now on."""
        self.app = build(parts, Settings())
        self.connect()

    def connect(self):
        """A client of the application as it is now."""
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://sealog.test"
        )

    def close(self):
        self.runner.run(self.client.aclose())
        self.runner.close()

    def key(self, *scopes, tenants=None):
        """A new key's secret."""
        return self.keys.create("test", tenants, scopes or ("ingest", "read"))[1]

    def ask(self, method, path, *, key=None, headers=None, **rest):
        """One request and its answer."""
        given = dict(headers or {})
        if key is not None:
            given["Authorization"] = f"Bearer {key}"
        return self.runner.run(self.client.request(method, path, headers=given, **rest))

    def get_raw(self, path):
        """The ASGI messages that answer a GET."""
        return self.raw([{"type": "http.request", "body": b""}], method="GET", path=path)[0]

    def raw(self, messages, *, method="POST", path="/v1/events", headers=()):
        """One request by hand: the ASGI messages of its answer, and those that were not read."""
        left = list(messages)
        sent = []
        scope = {
            "type": "http", "method": method, "path": path, "query_string": b"",
            "headers": list(headers), "http_version": "1.1", "scheme": "http",
        }  # fmt: skip

        async def receive():
            return left.pop(0) if left else await asyncio.Event().wait()

        async def send(message):
            sent.append(message)

        self.runner.run(self.app(scope, receive, send))
        return sent, left
