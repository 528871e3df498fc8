"""Made-up events, the same for the same seed: nobody in them exists.

`ecs`: clean ECS 8.11 documents of about 900 bytes. `closer`: hits as Closer's search gives them, of
about 1 KB, 20 % of which hold a password in a request's body.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple
from uuid import UUID

import msgspec

ZIPF = 1.08
BEGIN = datetime(2026, 10, 1, tzinfo=UTC)
PEOPLE = 400
"""In each tenant."""
ACTIONS = (
    ("user.login", "authentication", "start"),
    ("user.logout", "authentication", "end"),
    ("user.password.change", "iam", "change"),
    ("user.role.change", "iam", "change"),
    ("document.view", "file", "access"),
    ("document.share", "file", "change"),
    ("document.delete", "file", "deletion"),
    ("report.export", "database", "access"),
    ("settings.change", "configuration", "change"),
    ("token.create", "iam", "creation"),
    ("token.revoke", "iam", "deletion"),
    ("webhook.create", "configuration", "creation"),
)
CLOSER = ("agent_login", "agent_logout", "agent_role_change", "agent_skills_change",
          "org_config_change", "agent_password_change", "oauth_authorization")  # fmt: skip
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:131.0) Gecko/20100101 Firefox/131.0",
)


KEEP_EVERY = 1_000


class Kept(NamedTuple):
    """What can be asked of an event that is there."""

    tenant: str
    id: str
    word: str
    """A word that is in no other event."""
    address: str


class Maker:
    """Events over `tenants` tenants, the busier ones more often (Zipf), an event every `step_ms`."""

    def __init__(self, seed: int, tenants: int, *, step_ms: float = 13.0) -> None:
        self._dice = random.Random(seed)
        self._names = [f"tenant-{number:04}" for number in range(tenants)]
        self._weights = list(accumulate(1 / (rank + 1) ** ZIPF for rank in range(tenants)))
        self._step = timedelta(milliseconds=step_ms)
        self._uuids = [str(UUID(int=self._dice.getrandbits(128), version=4)) for _ in range(PEOPLE)]
        self._made = 0
        self.kept: list[Kept] = []
        """One in `KEEP_EVERY` of the native events made, to be asked for."""

    def tenant(self) -> str:
        """A tenant's name."""
        return self._dice.choices(self._names, cum_weights=self._weights)[0]

    def _at(self) -> str:
        at = BEGIN + self._step * self._made
        self._made += 1
        return at.isoformat(timespec="milliseconds").removesuffix("+00:00")

    def ecs(self) -> bytes:
        """A clean event; its id and time are like no other's."""
        dice = self._dice
        action, category, kind = dice.choice(ACTIONS)
        person = int(PEOPLE * dice.random() ** 2)
        failed = dice.random() < 0.06
        event = {
            "@timestamp": self._at() + "Z",
            "ecs": {"version": "8.11.0"},
            "event": {
                "id": f"{dice.getrandbits(128):032x}",
                "kind": "event",
                "category": [category],
                "type": [kind],
                "action": action,
                "outcome": "failure" if failed else "success",
                "provider": "backend",
                "dataset": "product.audit",
                "duration": dice.randrange(10**6, 10**9),
            },
            "organization": {"id": self.tenant()},
            "user": {
                "id": f"u-{person:05}",
                "name": f"account-{person}",
                "email": f"account-{person}@customer.example",
                "roles": ["admin"] if person % 20 == 0 else ["member"],
            },
            "source": {
                "ip": f"198.51.{person % 256}.{dice.randrange(1, 255)}",
                "port": dice.randrange(1024, 65535),
            },
            "http": {
                "request": {"id": f"{dice.getrandbits(64):016x}", "method": "POST"},
                "response": {"status_code": 403 if failed else 200},
            },
            "url": {
                "full": f"https://app.product.example/api/v2/{category}/{dice.randrange(10**6)}?page={dice.randrange(9)}"
            },
            "user_agent": {"original": AGENTS[person % len(AGENTS)]},
            "session": {"id": f"{dice.getrandbits(96):024x}"},
            "labels": {"plan": "business", "region": "eu-central", "release": "2026.10.3"},
        }
        if kind == "change" and category == "iam":
            event["user"]["target"] = {"id": f"u-{dice.randrange(PEOPLE):05}"}
        if self._made % KEEP_EVERY == 0:
            self.kept.append(
                Kept(
                    event["organization"]["id"],
                    event["event"]["id"],
                    event["http"]["request"]["id"],
                    event["source"]["ip"],
                )
            )
        return msgspec.json.encode(event)

    def closer(self) -> bytes:
        """A hit."""
        dice = self._dice
        action = dice.choice(CLOSER)
        body = {
            "email": f"agent-{dice.randrange(PEOPLE)}@customer.example",
            "skills": ["billing", "sales"],
        }
        if dice.random() < 0.2:
            body["password"] = f"{dice.getrandbits(64):x}"
        failed = dice.random() < 0.06
        message = {
            "event.kind": ["event"],
            "event.category": ["iam"],
            "event.type": ["change"],
            "event.action": action,
            "event.outcome": "failure" if failed else "success",
            "http.request.method": "PUT",
            "http.request.body.content": msgspec.json.encode(body).decode(),
            "http.response.status_code": 400 if failed else 200,
            "http.response.body.content": '{"ok":true}',
            "source.ip": f"/198.51.{dice.randrange(256)}.{dice.randrange(1, 255)}",
            "url.full": f"https://api.closer.example/api/agents/{dice.getrandbits(64):x}/{action}",
            "user.id": self._uuids[dice.randrange(PEOPLE)],
            "user.roles": ["AGENT"],
            "user_agent.original": dice.choice(AGENTS),
            "ecs.version": "1.9",
        }
        return msgspec.json.encode(
            {
                "_index": "closer-audit-2026-10",
                "_type": "entry",
                "_id": f"{dice.getrandbits(120):030x}",
                "_version": 1,
                "_score": 0,
                "_source": {"@timestamp": self._at() + "+0000", "message": message},
            }
        )

    def batches(self, dialect: str, events: int, size: int) -> Iterator[tuple[str, bytes]]:
        """Path and NDJSON body of each request. Closer's records do not name their tenant."""
        make = self.ecs if dialect == "ecs" else self.closer
        for _ in range(0, events, size):
            tenant = "" if dialect == "ecs" else f"?tenant={self.tenant()}"
            yield f"/v1/ingest/{dialect}{tenant}", b"\n".join(make() for _ in range(size))
