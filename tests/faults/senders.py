"""Senders that do not give up: they keep every receipt, and send again what got no answer."""

import asyncio
import random
from typing import NamedTuple

import httpx
import msgspec

TENANTS = ("acme", "globex", "initech")
DIALECTS = ("ecs", "closer", "supsis")
RECORDS_MAX = 60


class Receipt(NamedTuple):
    tenant: str
    index: int
    id: str
    commitment: str


class Sending(NamedTuple):
    """One request, the same each time it is sent."""

    tenant: str
    dialect: str
    name: str
    body: bytes
    count: int


class Ledger:
    """What the senders know: receipts by request, and requests without an answer."""

    def __init__(self):
        self.receipts: dict[Sending, list[Receipt]] = {}
        self.open: list[Sending] = []
        self.turned_away = 0
        """Requests that were answered 503: come again."""

    def all(self):
        return [receipt for several in self.receipts.values() for receipt in several]

    def keep(self, sending, results):
        """An answer; where there was one before, it MUST be the same, and say so."""
        got = [Receipt(r["tenant"], r["index"], r["id"], r["commitment"]) for r in results]
        assert len(got) == sending.count
        before = self.receipts.setdefault(sending, got)
        assert got == before
        if before is not got:
            assert all(result["repeated"] for result in results)


def record(dialect, name, at):
    """A record that no other is like; some have ids of their own, some have not."""
    when = f"2026-10-05T08:{at // 60:02}:{at % 60:02}.000Z"
    if dialect == "ecs":
        event = {"id": name, "action": "user.login", "outcome": "success"}
        return {"@timestamp": when, "event": event, "user": {"id": name[-1]}, "message": "x" * 200}
    if dialect == "closer":
        message = {"event.action": "agent_login", "event.outcome": "success", "user.id": "u-1"}
        source = {"@timestamp": when.replace("Z", "+0000"), "message": message}
        return {"_index": "i", "_type": "entry", "_id": name, "_source": source}
    return {"dateTime": when, "user": f"{name}@acme.example", "activity": "login", "ip": ""}


class Sender:
    """One connection's worth of load, chosen by its dice."""

    def __init__(self, name, seed, ledger, tenants=TENANTS, *, records_max=RECORDS_MAX, text=""):
        self._name = name
        self._dice = random.Random(f"{seed}/{name}")
        self._ledger = ledger
        self._tenants = tenants
        self._records_max = records_max
        self._text = text
        self._sent = 0

    def make(self):
        dice = self._dice
        count = 1 if dice.random() < 0.4 else dice.randint(2, self._records_max)
        dialect = dice.choice(DIALECTS)
        self._sent += 1
        name = f"{self._name}-{self._sent}"
        records = [record(dialect, f"{name}-{place}", place) for place in range(count)]
        if self._text:
            records = [one | {"text": self._text} for one in records]
        body = b"\n".join(map(msgspec.json.encode, records))
        return Sending(dice.choice(self._tenants), dialect, name, body, count)

    def again(self):
        """Something that was answered already, for a sender who did not believe it."""
        return self._dice.choice(list(self._ledger.receipts))

    async def run(self, client, until=lambda: False):
        """Send until the server is gone, or told to stop."""
        while not until():
            doubts = self._ledger.receipts and self._dice.random() < 0.05
            sending = self.again() if doubts else self.make()
            if not await send(client, sending, self._ledger):
                return
            if sending in self._ledger.open:
                await asyncio.sleep(0.05)


async def send(client, sending, ledger):
    """Send a request; False where there was no answer: then nobody knows whether it is kept."""
    headers = {} if sending.dialect == "closer" else {"idempotency-key": sending.name}
    path = f"/v1/ingest/{sending.dialect}"
    try:
        answer = await client.post(
            path, params={"tenant": sending.tenant}, content=sending.body, headers=headers
        )
    except httpx.TransportError:
        if sending not in ledger.receipts:
            ledger.open.append(sending)
        return False
    if answer.status_code == 503:
        assert int(answer.headers["retry-after"]) > 0
        ledger.turned_away += 1
        if sending not in ledger.receipts:
            ledger.open.append(sending)
        return True
    assert answer.status_code == 200, answer.text
    ledger.keep(sending, answer.json()["results"])
    return True


def clients(server, key):
    return httpx.AsyncClient(
        base_url=server.url,
        headers={"authorization": f"Bearer {key}"},
        timeout=60,
        limits=httpx.Limits(max_connections=16),
    )


async def load(server, key, senders, end):
    """All senders at once; `end` is called after a while and MUST end the server."""
    async with clients(server, key) as client:
        running = [asyncio.ensure_future(sender.run(client)) for sender in senders]
        await end()
        await asyncio.gather(*running)


async def load_until(server, key, senders, end):
    """All senders at once, for as long as `end` takes; the server may stay."""
    over = False
    async with clients(server, key) as client:
        running = [asyncio.ensure_future(sender.run(client, lambda: over)) for sender in senders]
        try:
            await end()
        finally:
            over = True
            await asyncio.gather(*running)


async def send_open(server, key, ledger):
    """Send again everything that got no receipt, as long as it is turned away."""
    async with clients(server, key) as client:
        for _ in range(100):
            sending, ledger.open = ledger.open, []
            for one in sending:
                assert await send(client, one, ledger)
            if not ledger.open:
                return
            await asyncio.sleep(0.1)
    raise AssertionError(f"{len(ledger.open)} requests are turned away for ever")
