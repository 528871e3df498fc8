"""1,000,000 events of 200 tenants (Zipf), then searches of random tenants over HTTP, one at a time.

A repeat asks each question of 200 tenants, the busier ones more often, each another one's turn than
the last. The time to be searchable is from a receipt to a search that must include it.
"""

import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode

import httpx

from bench import table
from bench.house import House
from bench.making import ACTIONS, BEGIN, PEOPLE, Maker
from bench.sending import Requests, send

EVENTS = 1_000_000
TENANTS = 200
BATCH = 1_000
CONNECTIONS = 4
ASKED = 200
STEP_MS = 2_592.0
"""Between two events: a million fill 30 days."""

Question = Callable[[random.Random, int], dict[str, str]]


def run(folder: Path, *, repeats: int, events: int | None) -> None:
    events = events or EVENTS
    maker = Maker(2_000, TENANTS, step_ms=STEP_MS)
    with House(folder / "search") as house:
        filled = _fill(house, maker, events)
        print(f"\nfilled: {events:,} events at {filled:,.0f}/s; {house.done()}")
        rows = []
        with house.client() as client:
            for name, question in QUESTIONS.items():
                each = [_ask(client, maker, question, events, seed) for seed in range(repeats)]
                rows.append(
                    [
                        name,
                        *(table.cell([one[at] for one in each], 1) for at in (0, 1)),
                        table.cell([one[2] for one in each]),
                    ]
                )
            each = [_searchable(client, maker) for _ in range(repeats)]
            rows.append(
                [
                    "receipt to searchable",
                    *(table.cell([one[at] for one in each], 1) for at in (0, 1)),
                    "1",
                ]
            )
        title = f"Search: {events:,} events, {TENANTS} tenants, {ASKED} questions a repeat, {repeats} repeats"
        table.show(title, ("question", "p50 ms", "p95 ms", "events found"), rows)
        print(
            f"\nanonymous memory {house.memory_mb():.0f} MB, disk {house.disk_bytes() / house.done().accepted:.0f} B/event"
        )


def _fill(house: House, maker: Maker, events: int) -> float:
    requests = Requests(house.url, house.key)
    made: Iterator[bytes] = (requests.post(*one) for one in maker.batches("ecs", events, BATCH))
    begun = time.perf_counter()
    # Made piece by piece: a million prepared events would be a gigabyte here.
    while piece := list(islice(made, 50)):
        send(requests.address, piece, CONNECTIONS)
    house.settle(events)
    return events / (time.perf_counter() - begun)


def _ask(
    client: httpx.Client, maker: Maker, question: Question, events: int, seed: int
) -> tuple[float, float, float]:
    dice = random.Random(seed)
    took_ms, found = [], []
    for _ in range(ASKED):
        query = urlencode({"tenant": maker.tenant(), "limit": "50", **question(dice, events)})
        begun = time.perf_counter()
        answer = client.get(f"/v1/events?{query}")
        took_ms.append((time.perf_counter() - begun) * 1e3)
        assert answer.status_code == 200, answer.text
        found.append(answer.content.count(b'"@timestamp"'))
    return statistics.median(took_ms), table.percentile(took_ms, 0.95), statistics.mean(found)


def _actor(dice: random.Random, _events: int) -> dict[str, str]:
    return {"actor": f"u-{int(PEOPLE * dice.random() ** 2):05}"}


def _action(dice: random.Random, events: int) -> dict[str, str]:
    begin = BEGIN + timedelta(milliseconds=STEP_MS * events * dice.random() * 0.9)
    end = begin + timedelta(milliseconds=STEP_MS * events / 10)
    times = {"from": f"{begin:%Y-%m-%dT%H:%M:%SZ}", "to": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
    return {"action": dice.choice(ACTIONS)[0], **times}


def _searchable(client: httpx.Client, maker: Maker) -> tuple[float, float]:
    took_ms = []
    for _ in range(50):
        receipt = client.post("/v1/events", content=maker.ecs()).json()["results"][0]
        begun = time.perf_counter()
        query = f"tenant={receipt['tenant']}&at_least={receipt['index']}&limit=1"
        answer = client.get(f"/v1/events?{query}")
        took_ms.append((time.perf_counter() - begun) * 1e3)
        assert receipt["id"] in answer.text
    return statistics.median(took_ms), table.percentile(took_ms, 0.95)


QUESTIONS: dict[str, Question] = {
    "latest 50": lambda _dice, _events: {},
    "by actor": _actor,
    "by action, within a tenth of the time": _action,
}
