"""Questions from a process of their own, so that what else the measure does is not measured."""

import http.client
import multiprocessing
import random
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from urllib.parse import urlencode, urlsplit

from bench.making import ACTIONS, PEOPLE, Maker

Path = Callable[[random.Random, Maker], str]


def trivial(_dice: random.Random, _maker: Maker) -> str:
    """What costs the server nothing."""
    return "/healthz"


def search(dice: random.Random, maker: Maker) -> str:
    """By actor or by action, of a random tenant."""
    if dice.random() < 0.5:
        more = {"actor": f"u-{int(PEOPLE * dice.random() ** 2):05}"}
    else:
        more = {"action": dice.choice(ACTIONS)[0]}
    return "/v1/events?" + urlencode({"tenant": maker.tenant(), **more})


class Probe:
    """Asks every `every_s` seconds for `seconds`; `took_ms` waits for its end."""

    def __init__(
        self, url: str, key: str, path: Path, *, tenants: int, every_s: float, seconds: float
    ) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._here, there = spawn.Pipe(duplex=False)
        pace = (every_s, seconds)
        asked = (there, (url, key), path, tenants, pace)
        self._process = spawn.Process(target=_ask, args=asked)
        self._process.start()

    def ready(self) -> None:
        """Wait until it begins."""
        self._here.recv()

    def took_ms(self) -> list[float]:
        """What each question took."""
        took: list[float] = self._here.recv()
        self._process.join()
        return took


def _ask(
    there: Connection, whom: tuple[str, str], path: Path, tenants: int, pace: tuple[float, float]
) -> None:
    (url, key), (every_s, seconds) = whom, pace
    where = urlsplit(url)
    client = http.client.HTTPConnection(where.hostname or "", where.port, timeout=60)
    dice, maker = random.Random(1), Maker(4_001, tenants)
    took_ms = []
    there.send(None)
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        asked = time.perf_counter()
        client.request("GET", path(dice, maker), headers={"authorization": f"Bearer {key}"})
        answer = client.getresponse()
        answer.read()
        took_ms.append((time.perf_counter() - asked) * 1e3)
        assert answer.status == 200, answer.status
        time.sleep(every_s)
    there.send(took_ms)
