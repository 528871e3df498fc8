"""Small requests that wait at the same moment go the way to the journal together.

What arrives while a group is prepared and written is the next group, as in the journal's commits:
under load many requests share the cost of one, and a request that comes alone waits for nobody.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from sealog.errors import Refused
from sealog.event.batch import Receipt
from sealog.intake.choosing import NotRecorded
from sealog.intake.source import Source

Answer = Receipt | Refused | NotRecorded
Said = list[Answer] | Exception | None
"""What became of a request in a group: its answers, what it raises, or None: it must go alone."""

GROUP_BYTES_MAX = 128 << 10
"""Bodies of one group: so long, some milliseconds, preparing may hold the event loop."""
CARRIERS_MAX = 2
"""Groups that are under way at once: one is prepared while another is written."""


class Waiting(msgspec.Struct, eq=False):
    """A request that waits for its group."""

    body: bytes
    source: Source
    said: asyncio.Future[Said]


class Gathering:
    """Groups the requests of one event loop. `carry` takes a group all the way to its answers."""

    def __init__(self, carry: Callable[[Sequence[Waiting]], Awaitable[list[Said]]]) -> None:
        self._carry = carry
        self._waiting: deque[Waiting] = deque()
        self._carriers: set[asyncio.Task[None]] = set()

    async def join(self, body: bytes, source: Source) -> list[Answer] | None:
        """The answers to a request, None where it has to go alone. Raises what preparing raises."""
        loop = asyncio.get_running_loop()
        said: asyncio.Future[Said] = loop.create_future()
        self._waiting.append(Waiting(body, source, said))
        if len(self._carriers) < CARRIERS_MAX:
            # A task begins in the loop's next turn: whoever arrived in this one goes with it.
            carrier = loop.create_task(self._go())
            self._carriers.add(carrier)
            carrier.add_done_callback(self._carriers.discard)
        answer = await said
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _go(self) -> None:
        while group := self._take():
            said: Sequence[Said]
            try:
                said = await self._carry(group)
            except Exception as error:  # noqa: BLE001 - raised by every request that waits for it
                said = [error] * len(group)
            for waiting, answer in zip(group, said, strict=True):
                if not waiting.said.done():
                    waiting.said.set_result(answer)

    def _take(self) -> list[Waiting]:
        """The next group; who is gone meanwhile is left out."""
        taken: list[Waiting] = []
        room = GROUP_BYTES_MAX
        while self._waiting and (not taken or len(self._waiting[0].body) <= room):
            waiting = self._waiting.popleft()
            if not waiting.said.done():
                taken.append(waiting)
                room -= len(waiting.body)
        return taken
