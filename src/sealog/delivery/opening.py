"""Streams as they are joined to the rooms below: destinations, and the words tenants are told."""

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from sealog.access.tenants import Tenants
from sealog.delivery import destinations
from sealog.delivery.addresses import Allowed, Network
from sealog.delivery.destination import Parsed
from sealog.delivery.destinations import Drawing, Means
from sealog.delivery.engine import Watched, World
from sealog.delivery.register import Tell
from sealog.delivery.stream import Happened
from sealog.delivery.streams import Settings, Streams
from sealog.event.moulds import Derive
from sealog.intake.recording import Happening, Recorder
from sealog.storage.store import Store


class Chosen(msgspec.Struct, frozen=True):
    """What the operator chose."""

    per_tenant_max: int
    allowed_networks: tuple[Network, ...]
    folders: tuple[Path, ...]
    data: Path
    """The data folder, which no destination may be in."""


class Chances(msgspec.Struct, frozen=True):
    """Time and randomness, as arguments."""

    clock_us: Callable[[], int]
    randomness: Callable[[int], bytes]


class Delivery:
    """Streams, and what is read of their destinations."""

    def __init__(self, streams: Streams, allowed: Allowed, chances: Chances) -> None:
        self.streams = streams
        self._allowed = allowed
        self._chances = chances

    def destination(self, body: object, before: Parsed | None = None) -> Parsed:
        """A destination as it is asked for. Raises `Refused` with the pointer of what cannot be."""
        drawing = Drawing(self._allowed, self._chances.randomness, self._chances.clock_us())
        return destinations.parse(body, drawing, before=before, pointer="/destination")


def delivery(
    below: tuple[Store, Watched, Tenants, Recorder],
    chosen: Chosen,
    chances: Chances,
    derive: Derive,
) -> Delivery:
    """Streams that begin when they are started. Raises `Misconfigured` for what must not be open."""
    store, archive, tenants, recorder = below
    allowed = destinations.open_to(chosen.allowed_networks, chosen.folders, chosen.data)
    world = World(
        tenants=tenants.numbered,
        tell=telling_by(recorder, tenants),
        means=lambda: Means(allowed, chances.clock_us),
        clock_us=chances.clock_us,
        randomness=chances.randomness,
        derive=derive,
    )
    streams = Streams(store, archive, world, Settings(chosen.per_tenant_max))
    return Delivery(streams, allowed, chances)


def telling_by(recorder: Recorder, tenants: Tenants) -> Tell:
    """What tells a tenant what happened to its stream, by an event of its own."""

    def tell(number: int, happened: Happened) -> None:
        tenant = tenants.numbered(number)
        if tenant is not None:
            told: Iterable[Happening] = [
                Happening(
                    tenant,
                    happened.action,
                    happened.name,
                    happened.at_us,
                    happened.actor,
                    happened.details,
                )
            ]
            recorder.record(told)

    return tell
