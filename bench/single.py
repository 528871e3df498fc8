"""One event a request on 64 connections, each durable at its answer."""

import time
from pathlib import Path

from bench import table
from bench.house import House
from bench.making import Maker
from bench.peers.houses import Peer, PostgresPeer
from bench.sending import Requests, send

CONNECTIONS = 64
TENANTS = 20
REQUESTS = 20_000
WARM = 2_000


def run(folder: Path, *, repeats: int, events: int | None, peers: bool) -> None:
    """Measure, and print a table."""
    count = events or REQUESTS
    makes = {"Sealog": lambda seed: House(folder / f"single-{seed}")}
    if peers:
        makes |= {
            "PostgreSQL, same indexes": lambda seed: PostgresPeer(folder / f"postgres-{seed}")
        }
    measured: dict[str, list[dict[str, float]]] = {name: [] for name in makes}
    for seed in range(repeats):
        for name, make in makes.items():
            measured[name].append(_once(make(seed), count, seed))
    names = ("requests/s", "p50 ms", "p99 ms", "CPU us/request")
    digits = (0, 1, 1, 0)
    rows = [
        [
            what,
            *(
                table.cell([one[name] for one in each], digit)
                for name, digit in zip(names, digits, strict=True)
            ),
        ]
        for what, each in measured.items()
    ]
    title = f"Single events: {CONNECTIONS} connections, {TENANTS} tenants, {repeats} repeats"
    table.show(title, ("what", *names), rows)


def _once(house: House | Peer, events: int, seed: int) -> dict[str, float]:
    maker = Maker(1_000 + seed, TENANTS)
    with house:
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
