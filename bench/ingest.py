"""Batches of 1,000 over HTTP, durable at each answer, until everything is sealed and archived.

4 connections, 20 tenants. Rates count from the first byte sent until all events are in signed
checkpoints and all that are due are in segments; CPU is the whole server's, until then.
"""

import time
from pathlib import Path

from bench import table
from bench.house import House
from bench.making import Maker
from bench.sending import Requests, send

BATCH = 1_000
CONNECTIONS = 4
TENANTS = 20
EVENTS = {"ecs": 200_000, "closer": 100_000}
WARM = 4_000


def run(folder: Path, *, repeats: int, events: int | None) -> None:
    rows = []
    for dialect, count in EVENTS.items():
        each = [_once(folder, dialect, events or count, seed) for seed in range(repeats)]
        names = (
            "bytes",
            "events/s acked",
            "events/s all done",
            "CPU us/event",
            "RSS MB",
            "disk B/event",
            "cut %",
        )
        digits = (0, 0, 0, 1, 0, 0, 0)
        rows.append(
            [
                dialect,
                *(
                    table.cell([one[name] for one in each], digit)
                    for name, digit in zip(names, digits, strict=True)
                ),
            ]
        )
    title = f"Ingest: batches of {BATCH}, {CONNECTIONS} connections, {TENANTS} tenants, {repeats} repeats"
    table.show(title, ("dialect", *names), rows)


def _once(folder: Path, dialect: str, events: int, seed: int) -> dict[str, float]:
    maker = Maker(seed, TENANTS)
    house = House(folder / f"{dialect}-{seed}")
    with house:
        requests = Requests(house.url, house.key)
        warm = [requests.post(*one) for one in maker.batches(dialect, WARM, BATCH)]
        made = [requests.post(*one) for one in maker.batches(dialect, events, BATCH)]
        send(requests.address, warm, CONNECTIONS)
        house.settle(WARM)
        time.sleep(1.5)
        cpu, begun = house.cpu_s(), time.perf_counter()
        send(requests.address, made, CONNECTIONS)
        acked = time.perf_counter() - begun
        done = house.settle(WARM + events)
        took = time.perf_counter() - begun
        measured = {
            "bytes": sum(map(len, made)) / events,
            "events/s acked": events / acked,
            "events/s all done": events / took,
            "CPU us/event": (house.cpu_s() - cpu) / events * 1e6,
            "RSS MB": house.memory_mb(),
            "cut %": 100 * done.cut / done.accepted,
        }
    # Once it has stopped: what waits for the next round of syncing would be counted twice.
    return measured | {"disk B/event": house.disk_bytes() / done.accepted}
