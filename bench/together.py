"""Questions while it ingests: as fast as it goes, at half of that, and not at all.

Two processes ask, one for the trivial and one for searches; batches of 1,000 come in beside them.
"""

import time
from collections.abc import Iterator
from pathlib import Path

from bench import probing, table
from bench.house import House
from bench.making import Maker
from bench.probing import Probe
from bench.search import fill
from bench.sending import Requests, send

FILLED = 300_000
SECONDS = 15.0
TENANTS = 20
BATCH = 1_000
CONNECTIONS = 4


def run(folder: Path, *, repeats: int, events: int | None, peers: bool) -> None:  # noqa: ARG001 - every measure takes the same
    maker = Maker(4_000, TENANTS)
    rows = []
    with House(folder / "together") as house:
        fill(house, maker, events or FILLED)
        flat_out = 0.0
        for share in (1.0, 0.5, 0.0):
            each = [
                _beside(house, maker, flat_out * share, share)
                for _ in range(1 if share == 1 else repeats)
            ]
            if share == 1:
                flat_out = each[0][0]
            cells = [table.cell(list(one), 1) for one in zip(*each, strict=True)]
            rows.append([f"{share:.0%} of its speed", *cells])
    names = ("events/s", "healthz p50 ms", "p99 ms", "search p50 ms", "p95 ms", "worst accept ms")
    title = f"Together: {TENANTS} tenants, {SECONDS:.0f} s each, {repeats} repeats"
    table.show(title, ("ingest at", *names), rows)


def _beside(house: House, maker: Maker, rate: float, share: float) -> tuple[float, ...]:
    requests = Requests(house.url, house.key)
    # Made beforehand, or making them would be measured.
    count = int(SECONDS * (rate or 30_000) / BATCH) if share else 0
    made = [requests.post(*one) for one in maker.batches("ecs", count * BATCH, BATCH)]
    probes = [
        Probe(house.url, house.key, path, tenants=TENANTS, every_s=every_s, seconds=SECONDS)
        for path, every_s in ((probing.trivial, 0.01), (probing.search, 0.05))
    ]
    for probe in probes:
        probe.ready()
    begun = time.perf_counter()
    took_s = send(requests.address, _paced(made, rate, begun), CONNECTIONS) if made else []
    ingested = BATCH * len(took_s) / (time.perf_counter() - begun)
    trivial, searches = (probe.took_ms() for probe in probes)
    return (
        ingested,
        table.percentile(trivial, 0.5),
        table.percentile(trivial, 0.99),
        table.percentile(searches, 0.5),
        table.percentile(searches, 0.95),
        max(took_s, default=0.0) * 1e3,
    )


def _paced(made: list[bytes], rate: float, begun: float) -> Iterator[bytes | float]:
    """Not faster than `rate` events a second (0: as fast as they are taken), and not for longer."""
    for nth, request in enumerate(made):
        while rate and (left := begun + nth * BATCH / rate - time.perf_counter()) > 0:
            yield left
        if time.perf_counter() > begun + SECONDS:
            return
        yield request
