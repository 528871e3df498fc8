"""One event a request on 64 connections, each durable at its answer."""

import time
from pathlib import Path

from bench import table
from bench.house import House
from bench.making import Maker
from bench.sending import Requests, send

CONNECTIONS = 64
TENANTS = 20
REQUESTS = 20_000
WARM = 2_000


def run(folder: Path, *, repeats: int, events: int | None) -> None:
    each = [_once(folder, events or REQUESTS, seed) for seed in range(repeats)]
    names = ("requests/s", "p50 ms", "p99 ms", "CPU us/request")
    digits = (0, 1, 1, 0)
    cells = [
        table.cell([one[name] for one in each], digit)
        for name, digit in zip(names, digits, strict=True)
    ]
    title = f"Single events: {CONNECTIONS} connections, {TENANTS} tenants, {repeats} repeats"
    table.show(title, names, [cells])


def _once(folder: Path, events: int, seed: int) -> dict[str, float]:
    maker = Maker(1_000 + seed, TENANTS)
    with House(folder / f"single-{seed}") as house:
        requests = Requests(house.url, house.key)
        made = [requests.post("/v1/events", maker.ecs()) for _ in range(WARM + events)]
        send(requests.address, made[:WARM], CONNECTIONS)
        house.settle(WARM)
        time.sleep(1.5)
        cpu, begun = house.cpu_s(), time.perf_counter()
        took_s = send(requests.address, made[WARM:], CONNECTIONS)
        wall = time.perf_counter() - begun
        house.settle(WARM + events)
        return {
            "requests/s": events / wall,
            "p50 ms": table.percentile(took_s, 0.5) * 1e3,
            "p99 ms": table.percentile(took_s, 0.99) * 1e3,
            "CPU us/request": (house.cpu_s() - cpu) / events * 1e6,
        }
