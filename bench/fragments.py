"""Many tenants with little each: what small segments and many files cost.

100,000 events of 5,000 tenants, the busier ones more often, in batches of 200.
"""

import random
import statistics
import time
from pathlib import Path

from bench import table
from bench.house import House
from bench.making import PEOPLE, Maker
from bench.sending import Requests, send

EVENTS = 100_000
TENANTS = 5_000
BATCH = 200
CONNECTIONS = 4
ASKED = 200


def run(folder: Path, *, repeats: int, events: int | None, peers: bool) -> None:  # noqa: ARG001 - every measure takes the same
    count = events or EVENTS
    rows = [_once(folder, count, seed) for seed in range(repeats)]
    title = f"Fragments: {count:,} events of {TENANTS:,} tenants, {repeats} repeats"
    names = list(rows[0])
    table.show(title, names, [[table.cell([row[name] for row in rows], 1) for name in names]])


def _once(folder: Path, events: int, seed: int) -> dict[str, float]:
    maker = Maker(3_000 + seed, TENANTS)
    house = House(folder / f"fragments-{seed}")
    with house:
        requests = Requests(house.url, house.key)
        made = [requests.post(*one) for one in maker.batches("ecs", events, BATCH)]
        cpu, begun = house.cpu_s(), time.perf_counter()
        send(requests.address, made, CONNECTIONS)
        acked = time.perf_counter() - begun
        house.settle(events)
        cost = (house.cpu_s() - cpu) / events * 1e6
        dice = random.Random(seed)
        latest, actor, everywhere = [], [], []
        with house.client() as client:
            for _ in range(ASKED):
                person = f"u-{int(PEOPLE * dice.random() ** 2):05}"
                for took_ms, path in (
                    (latest, f"/v1/events?tenant={maker.tenant()}"),
                    (actor, f"/v1/events?tenant={maker.tenant()}&actor={person}"),
                    (everywhere, f"/v1/events?actor={person}"),
                ):
                    asked = time.perf_counter()
                    answer = client.get(path)
                    took_ms.append((time.perf_counter() - asked) * 1e3)
                    assert answer.status_code == 200, answer.text
        memory = house.memory_mb()
        idle = house.cpu_s()
        time.sleep(5)
        idle = (house.cpu_s() - idle) / 5
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
        "disk B/event": house.disk_bytes() / events,
    }
