"""Records to deliver, and worlds to deliver them in."""

import ssl
from ipaddress import ip_network

import msgspec

from sealog.delivery import addresses
from sealog.delivery.addresses import Allowed
from sealog.delivery.destination import About, Outgoing
from sealog.delivery.signing import Key
from sealog.delivery.webhook import Form, Webhook, World

ABOUT = About("str_1", "acme")
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LOOPBACK = Allowed(networks=(ip_network("127.0.0.0/8"),))
AT_US = 1_790_000_000_000_000


def record(index, **more):
    """A record as a stream hands it over."""
    body = msgspec.json.encode({"event": {"action": "user.login"}, "n": index, **more})
    return Outgoing(index, f"str_1-{index}", body, "user.login", AT_US + index)


def records(*indexes):
    return [record(index) for index in indexes]


class Names:
    """A resolver: what each name stands for, in turn; the last for ever."""

    def __init__(self, **names):
        self.names = names
        self.asked = []

    async def __call__(self, host, port):
        self.asked.append((host, port))
        found = self.names[host.replace(".", "_")]
        if isinstance(found, Exception):
            raise found
        if found and isinstance(found[0], list):
            found = found.pop(0) if len(found) > 1 else found[0]
        return found


def hook(url, *, allowed=LOOPBACK, resolve=None, trust=None, clock_us=lambda: AT_US, **more):
    """A webhook to a URL, that may go to this machine."""
    place = addresses.place_of(url)
    form = Form(place, (Key(SECRET),), **({"timeout_s": 5} | more))
    world = World(
        allowed=allowed,
        trust=trust or ssl.create_default_context(),
        resolve=resolve or Names(),
        clock_us=clock_us,
    )
    return Webhook(form, ABOUT, world)


def outcomes(verdicts):
    return [(str(verdict.outcome), verdict.kind) for verdict in verdicts]
