"""Batches of 1,000 over HTTP, durable at each answer, until everything is sealed and archived.

4 connections, 20 tenants. Rates count from the first byte sent until all events are in signed
checkpoints and all that are due are in segments; CPU is the whole server's, until then. Peers get
the same requests, one after the other with ours, so that each repeat has its ratio.
"""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from bench import table
from bench.house import House
from bench.making import Maker
from bench.peers.houses import DjangoPeer, Peer, PostgresPeer
from bench.sending import Requests, send

BATCH = 1_000
CONNECTIONS = 4
TENANTS = 20
EVENTS = {"ecs": 200_000, "closer": 100_000}
WARM = 4_000
NAMES = {
    "events/s acked": 0,
    "events/s all done": 0,
    "CPU us/event": 1,
    "RSS MB": 0,
    "disk B/event": 0,
}
PEERS: dict[str, Callable[[Path], Peer]] = {
    "PostgreSQL, same indexes": PostgresPeer,
    "PostgreSQL, no text index": lambda folder: PostgresPeer(folder, text_index=False),
    "django-auditlog in bulk": DjangoPeer,
}


def run(folder: Path, *, repeats: int, events: int | None, peers: bool) -> None:
    """Measure, and print a table."""
    measured: dict[str, list[dict[str, float]]] = {}
    for seed in range(repeats):
        for dialect, count in EVENTS.items():
            one = _once(folder, dialect, events or count, seed)
            measured.setdefault(dialect, []).append(one)
        for number, (name, make) in enumerate(PEERS.items() if peers else ()):
            # Without a comma: it stands between two folders of sockets.
            place = folder / f"peer-{number}-{seed}"
            measured.setdefault(name, []).append(_peer(make(place), events or EVENTS["ecs"], seed))
    rows = [
        [name, *(table.cell([one[of] for one in each], digits) for of, digits in NAMES.items())]
        for name, each in measured.items()
    ]
    title = f"Ingest: batches of {BATCH}, {CONNECTIONS} connections, {TENANTS} tenants, {repeats} repeats"
    table.show(title, ("what", *NAMES), rows)
    for name in PEERS if peers else ():
        ratios = [
            ours["events/s all done"] / theirs["events/s all done"]
            for ours, theirs in zip(measured["ecs"], measured[name], strict=True)
        ]
        print(f"\necs to {name}: {statistics.median(ratios):.2f} times as many events a second")


def _peer(peer: Peer, events: int, seed: int) -> dict[str, float]:
    maker = Maker(seed, TENANTS)
    with peer:
        requests = Requests(peer.url, peer.key)
        path = "/v1/events"
        warm = [requests.post(path, one) for _, one in maker.batches("ecs", WARM, BATCH)]
        made = [requests.post(path, one) for _, one in maker.batches("ecs", events, BATCH)]
        send(requests.address, warm, CONNECTIONS)
        cpu, begun = peer.cpu_s(), time.perf_counter()
        send(requests.address, made, CONNECTIONS)
        took = time.perf_counter() - begun
        return {
            "events/s acked": events / took,
            "events/s all done": events / took,
            "CPU us/event": (peer.cpu_s() - cpu) / events * 1e6,
            "RSS MB": peer.memory_mb(),
            "disk B/event": peer.disk_bytes() / (events + WARM),
        }


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
            "events/s acked": events / acked,
            "events/s all done": events / took,
            "CPU us/event": (house.cpu_s() - cpu) / events * 1e6,
            "RSS MB": house.memory_mb(),
        }
    # Once it has stopped: what waits for the next round of syncing would be counted twice.
    return measured | {"disk B/event": house.disk_bytes() / done.accepted}
