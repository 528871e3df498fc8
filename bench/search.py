"""Events of 200 tenants (Zipf), then questions over HTTP, one at a time.

A repeat asks each question so often, of random tenants, the busier ones more often; then once more
of the busiest tenant alone. The time to be searchable is from a receipt to a search that must
include it. At the end an export of the busiest tenant, and a start on the folder as it is then.
"""

import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlencode

import httpx

from bench import table
from bench.house import House
from bench.making import ACTIONS, BEGIN, PEOPLE, Kept, Maker
from bench.peers.houses import PostgresPeer
from bench.sending import Requests, send

EVENTS = 1_000_000
TENANTS = 200
BATCH = 1_000
CONNECTIONS = 4
ASKED = 100
MERGED_AFTER_S = 20.0
"""Without a merge for so long, there is none left."""
STEP_MS = 2_592_000_000.0
"""30 days, which the events fill evenly."""
COLUMNS = ("question", "p50 ms", "p95 ms", "events")


class Server(Protocol):
    """A house, ours or a peer's."""

    url: str
    key: str

    def settle(self, events: int) -> object: ...
    def client(self) -> httpx.Client: ...


class Asked:
    """What questions are made of."""

    def __init__(self, maker: Maker, events: int) -> None:
        self.maker = maker
        self.events = events
        self.step_ms = STEP_MS / events

    def times(self, dice: random.Random, share: float) -> dict[str, str]:
        """A range of so much of the time."""
        span = self.step_ms * self.events
        begin = BEGIN + timedelta(milliseconds=span * dice.random() * (1 - share))
        end = begin + timedelta(milliseconds=span * share)
        return {"from": f"{begin:%Y-%m-%dT%H:%M:%SZ}", "to": f"{end:%Y-%m-%dT%H:%M:%SZ}"}


Question = Callable[[random.Random, Asked, Kept], tuple[str, dict[str, str]]]
"""Path and parameters; an empty tenant is filled in."""
PAGE = "/v1/events"
QUESTIONS: dict[str, Question] = {
    "latest 50": lambda _dice, _asked, _kept: (PAGE, {}),
    "by actor": lambda dice, _asked, _kept: (
        PAGE,
        {"actor": f"u-{int(PEOPLE * dice.random() ** 2):05}"},
    ),
    "by a rare actor": lambda _dice, _asked, _kept: (PAGE, {"actor": f"u-{PEOPLE - 1:05}"}),
    "by an actor that is not there": lambda _dice, _asked, _kept: (PAGE, {"actor": "nobody"}),
    "by action, within a tenth of the time": lambda dice, asked, _kept: (
        PAGE,
        {"action": dice.choice(ACTIONS)[0], **asked.times(dice, 0.1)},
    ),
    "by address": lambda _dice, _asked, kept: (
        PAGE,
        {"tenant": kept.tenant, "address": kept.address},
    ),
    "a rare word": lambda _dice, _asked, kept: (PAGE, {"tenant": kept.tenant, "q": kept.word}),
    "facets of 3 fields": lambda _dice, _asked, _kept: ("/v1/facets", {}),
    "one event by id": lambda _dice, _asked, kept: (
        f"/v1/events/{quote(kept.id)}",
        {"tenant": kept.tenant},
    ),
}
OURS: dict[str, Question] = {
    "by network": lambda dice, _asked, _kept: (PAGE, {"ip": f"198.51.{dice.randrange(256)}.0/24"}),
    "not, or, and time": lambda dice, asked, _kept: (
        PAGE,
        {
            "q": "-action:user.* (outcome:failure OR status:>=500) -actor:u-00001",
            **asked.times(dice, 0.3),
        },
    ),
    "oldest first": lambda _dice, _asked, _kept: (PAGE, {"order": "oldest"}),
    "histogram of hours, 7 days": lambda dice, asked, _kept: (
        "/v1/histogram",
        {"interval": "1h", "zone": "Europe/Berlin", **asked.times(dice, 7 / 30)},
    ),
    "histogram of days": lambda _dice, _asked, _kept: (
        "/v1/histogram",
        {"interval": "1d", "zone": "Europe/Berlin"},
    ),
    "count of failures": lambda _dice, _asked, _kept: ("/v1/count", {"outcome": "failure"}),
}


def run(folder: Path, *, repeats: int, events: int | None, peers: bool) -> None:
    events = events or EVENTS
    maker = Maker(2_000, TENANTS, step_ms=STEP_MS / events)
    asked = Asked(maker, events)
    with House(folder / "search") as house:
        begun = house.cpu_s()
        filled = fill(house, maker, events)
        cost = (house.cpu_s() - begun) / events * 1e6
        print(f"\nfilled: {events:,} events at {filled:,.0f}/s, {cost:.1f} us each; {house.done()}")
        print(f"merged {_merged(house):.0f} s after the last event was archived")
        _all_questions(house, asked, QUESTIONS | OURS, repeats)
        with house.client() as client:
            each = [_searchable(client, maker) for _ in range(repeats)]
            rows = [["receipt to searchable", *(_cells(each)), "1"]]
            rows += [
                ["page 40 of a search", *_cells([_deep(client) for _ in range(repeats)]), "50"]
            ]
            table.show("Pages", COLUMNS, rows)
            for form in ("ndjson", "csv", "parquet"):
                print(f"\nexport, {form}: {_export(client, form)}")
        print(f"\nanonymous memory {house.memory_mb():.0f} MB")
    kept = house.disk_bytes() / (events + 50 * repeats)
    print(f"\ndisk {kept:.0f} B/event, {_shares(house.folder, events)}")
    took = []
    for _ in range(repeats):
        begun_s = time.perf_counter()
        with House(folder / "search"):
            took.append(time.perf_counter() - begun_s)
    print(f"\nstart, to listening: {table.cell(took, 2)} s")
    if peers:
        _peer(folder, events, repeats)


def _peer(folder: Path, events: int, repeats: int) -> None:
    maker = Maker(2_000, TENANTS, step_ms=STEP_MS / events)
    with PostgresPeer(folder / "postgres") as peer:
        begun = peer.cpu_s()
        filled = fill(peer, maker, events, "/v1/events")
        cost = (peer.cpu_s() - begun) / events * 1e6
        print(f"\nPostgreSQL, filled: {events:,} events at {filled:,.0f}/s, {cost:.1f} us each")
        _all_questions(peer, Asked(maker, events), QUESTIONS, repeats)
        print(f"\nPostgreSQL, disk {peer.disk_bytes() / events:.0f} B/event")


def fill(house: Server, maker: Maker, events: int, path: str | None = None) -> float:
    """Put events there; how many a second, until everything is done."""
    requests = Requests(house.url, house.key)
    made: Iterator[bytes] = (
        requests.post(path or own, body) for own, body in maker.batches("ecs", events, BATCH)
    )
    spent = 0.0
    # Made piece by piece: a million prepared events would be a gigabyte here.
    while piece := list(islice(made, 50)):
        begun = time.perf_counter()
        send(requests.address, piece, CONNECTIONS)
        spent += time.perf_counter() - begun
    begun = time.perf_counter()
    house.settle(events)
    return events / (spent + time.perf_counter() - begun)


def _all_questions(
    house: Server, asked: Asked, questions: dict[str, Question], repeats: int
) -> None:
    for whose, tenant in (("random tenants", ""), ("the busiest tenant", "tenant-0000")):
        rows = []
        with house.client() as client:
            for name, question in questions.items():
                each = [_ask(client, question, asked, tenant, seed) for seed in range(repeats)]
                rows.append([name, *_cells(each), table.cell([one[2] for one in each])])
        title = (
            f"{type(house).__name__}: {asked.events:,} events, {TENANTS} tenants, of {whose},"
            f" {ASKED} questions a repeat, {repeats} repeats"
        )
        table.show(title, COLUMNS, rows)


def _cells(each: list[tuple[float, ...]]) -> list[str]:
    return [table.cell([one[at] for one in each], 1) for at in (0, 1)]


def _ask(
    client: httpx.Client, question: Question, asked: Asked, tenant: str, seed: int
) -> tuple[float, float, float]:
    dice = random.Random(seed)
    kept = [one for one in asked.maker.kept if not tenant or one.tenant == tenant]
    took_ms, found, short = [], [], 0
    for _ in range(ASKED):
        path, more = question(dice, asked, dice.choice(kept))
        query = {"tenant": tenant or asked.maker.tenant()} | more
        if path == "/v1/facets":
            query["field"] = ["action", "category", "outcome"]
        begun = time.perf_counter()
        answer = client.get(f"{path}?{urlencode(query, doseq=True)}")
        took_ms.append((time.perf_counter() - begun) * 1e3)
        assert answer.status_code == 200, answer.text
        short += b'"looked_' in answer.content
        found.append(answer.content.count(b'"@timestamp"'))
    if short:
        print(f"\n{short} of {ASKED} times it ran out of time and said so")
    return statistics.median(took_ms), table.percentile(took_ms, 0.95), statistics.mean(found)


def _merged(house: House) -> float:
    """Wait until merging, which goes on beside and behind all else, has nothing left to do."""
    begun = last = time.perf_counter()
    count = ""
    with house.client() as client:
        while time.perf_counter() - last < MERGED_AFTER_S:
            lines = client.get("/metrics").text.splitlines()
            found = next(line for line in lines if line.startswith("sealog_archive_merges_total"))
            if found != count:
                count, last = found, time.perf_counter()
            time.sleep(0.2)
    return last - begun


def _deep(client: httpx.Client) -> tuple[float, float]:
    took_ms = []
    url = f"{PAGE}?tenant=tenant-0000&action=user.login"
    for _ in range(40):
        begun = time.perf_counter()
        answer = client.get(url)
        took_ms.append((time.perf_counter() - begun) * 1e3)
        assert answer.status_code == 200, answer.text
        url = answer.links["next"]["url"] if "next" in answer.links else url
    return statistics.median(took_ms[-10:]), max(took_ms[-10:])


def _export(client: httpx.Client, form: str) -> str:
    begun = time.perf_counter()
    answer = client.post("/v1/exports", json={"tenant": "tenant-0000", "format": form})
    assert answer.status_code == 202, answer.text
    job = answer.json()
    while job["state"] in ("pending", "running"):
        time.sleep(0.05)
        job = client.get(f"/v1/exports/{job['id']}").json()
    took = time.perf_counter() - begun
    assert job["state"] == "ready", job
    client.delete(f"/v1/exports/{job['id']}")
    done = job["events_done"]
    return f"{done:,} events, {job['bytes']:,} bytes in {took:.1f} s: {done / took:,.0f}/s"


def _searchable(client: httpx.Client, maker: Maker) -> tuple[float, float]:
    took_ms = []
    for _ in range(50):
        receipt = client.post("/v1/events", content=maker.ecs()).json()["results"][0]
        begun = time.perf_counter()
        query = f"tenant={receipt['tenant']}&at_least={receipt['index']}&limit=1"
        answer = client.get(f"{PAGE}?{query}")
        took_ms.append((time.perf_counter() - begun) * 1e3)
        assert receipt["id"] in answer.text
    return statistics.median(took_ms), table.percentile(took_ms, 0.95)


def _shares(folder: Path, events: int) -> str:
    sizes: dict[str, int] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            place = path.relative_to(folder).parts[0]
            name = f"{place}{path.suffix}" if place == "archive" else place
            sizes[name] = sizes.get(name, 0) + path.stat().st_size
    ordered = sorted(sizes.items(), key=lambda one: -one[1])
    return ", ".join(f"{name} {size / events:.0f}" for name, size in ordered if size > events)
