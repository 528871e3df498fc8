"""Every interface of this room whose keys are Sealog's own, joined; EasySend's has a key of its own."""

from starlette.routing import BaseRoute

from sealog.compat import chatvisor, elasticsearch, logichub, supsis
from sealog.server.parts import Parts
from sealog.server.settings import Settings


def routes(parts: Parts, settings: Settings) -> list[BaseRoute]:
    """Their routes, to be served behind the door."""
    return [
        route
        for room in (elasticsearch, chatvisor, supsis, logichub)
        for route in room.routes(parts, settings)
    ]
