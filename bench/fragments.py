"""Many tenants with little each: what small segments and many files cost.

200,000 events of 10,000 tenants, the busier ones more often, in batches of 200; then a start on
what is there.
"""

import random
import statistics
import time
from pathlib import Path

from bench import table
from bench.house import House
from bench.making import PEOPLE, Maker
from bench.sending import Requests, send

EVENTS = 200_000
TENANTS = 10_000
BATCH = 200
CONNECTIONS = 4
ASKED = 200


def run(
    folder: Path,
    *,
    repeats: int,
    events: int | None,
    peers: bool,  # noqa: ARG001 - every measure takes the same
    tenants: int = TENANTS,
) -> None:
    count = events or EVENTS
    rows = [_once(folder, count, tenants, seed) for seed in range(repeats)]
    title = f"Fragments: {count:,} events of {tenants:,} tenants, {repeats} repeats"
    names = list(rows[0])
    table.show(title, names, [[table.cell([row[name] for row in rows], 1) for name in names]])


def _once(folder: Path, events: int, tenants: int, seed: int) -> dict[str, float]:
    maker = Maker(3_000 + seed, tenants)
    house = House(folder / f"fragments-{seed}")
    with house:
        requests = Requests(house.url, house.key)
        made = [requests.post(*one) for one in maker.batches("ecs", events, BATCH)]
        cpu, begun = house.cpu_s(), time.perf_counter()
        took_s = send(requests.address, made, CONNECTIONS)
        acked = time.perf_counter() - begun
        house.settle(events)
        cost = (house.cpu_s() - cpu) / events * 1e6
        dice = random.Random(seed)
        latest, actor, everywhere = [], [], []
        with house.client() as client:
            for _ in range(ASKED):
                # One that is there: not every tenant has an event.
                tenant = dice.choice(maker.kept).tenant
                person = f"u-{int(PEOPLE * dice.random() ** 2):05}"
                for took_ms, path in (
                    (latest, f"/v1/events?tenant={tenant}"),
                    (actor, f"/v1/events?tenant={tenant}&actor={person}"),
                    (everywhere, f"/v1/events?actor={person}"),
                ):
                    asked = time.perf_counter()
                    answer = client.get(path)
                    took_ms.append((time.perf_counter() - asked) * 1e3)
                    assert answer.status_code == 200, answer.text
        memory = house.memory_mb()
        opened = house.open_files()
        idle = house.cpu_s()
        time.sleep(5)
        idle = (house.cpu_s() - idle) / 5
    begun = time.perf_counter()
    with House(folder / f"fragments-{seed}"):
        started = time.perf_counter() - begun
    files = sum(1 for path in (folder / f"fragments-{seed}" / "archive").rglob("*.parquet"))
    return {
        "events/s": events / acked,
        "CPU us/event": cost,
        "latest p50 ms": statistics.median(latest),
        "actor p50 ms": statistics.median(actor),
        "actor, all tenants p50 ms": statistics.median(everywhere),
        "RSS MB": memory,
        "segments": files,
        "idle CPU %": 100 * idle,
        "worst accept ms": 1e3 * max(took_s),
        "open files": opened,
        "start s": started,
        "disk B/event": house.disk_bytes() / events,
    }
