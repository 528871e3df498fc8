"""What a stream relies on, held by every destination."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import msgspec
import pytest
from tests.delivery.fakes import LATER, FakeDestination
from tests.delivery.made import ABOUT, hook, records
from tests.delivery.receivers import OK, Receiver, answer

from sealog.delivery import holding
from sealog.delivery.destination import DELIVERED, Outcome
from sealog.delivery.folder import Folder, Form, World

KINDS = ["fake", "webhook", "webhook-batches", "folder-lines", "folder-files"]


class Fake:
    """The fake that streams are tested with."""

    def __init__(self):
        self.destination = FakeDestination()

    def down(self):
        self.destination.answer = lambda _: LATER

    def up(self):
        self.destination.answer = None

    def held(self):
        return [(one.index, one.body) for one in self.destination.taken]


class Hook:
    """A webhook, and who receives it."""

    def __init__(self, receiver, **more):
        self._receiver = receiver
        self.destination = hook(f"http://127.0.0.1:{receiver.port}/", **more)

    def down(self):
        self._receiver.answers = [answer(503)]

    def up(self):
        self._receiver.answers = [OK]
        self._receiver.requests.clear()

    def held(self):
        return of(request.body for request in self._receiver.requests)


class Drop:
    """A folder, and whoever reads it."""

    def __init__(self, path, threads, **more):
        self._path, self._away = path / "root", path / "away"
        self._path.mkdir()
        self.destination = Folder(Form(str(self._path), **more), ABOUT, World(threads))

    def down(self):
        self._path.rename(self._away)

    def up(self):
        self._away.rename(self._path)

    def held(self):
        files = sorted(self._path.iterdir())
        return of(line for file in files for line in file.read_bytes().splitlines())


def of(bodies):
    """What was sent, as (index, rendered event)."""
    return [
        (one.index, msgspec.json.encode(one.body))
        for body in bodies
        for one in holding.records(body)
    ]


@asynccontextmanager
async def opened(kind, path):
    with ThreadPoolExecutor(2) as threads:
        if kind == "fake":
            yield Fake()
        elif kind.startswith("folder"):
            yield Drop(path, threads, single=kind == "folder-files")
        else:
            async with Receiver() as receiver:
                yield Hook(receiver, records_max=10 if kind == "webhook-batches" else 1)


@pytest.fixture(params=KINDS)
def run(request, tmp_path):
    """Run a coroutine function with an end of each kind."""

    def run(work):
        async def inner():
            async with opened(request.param, tmp_path) as end:
                try:
                    return await work(end)
                finally:
                    await end.destination.close()

        return asyncio.run(inner())

    return run


def test_every_record_has_its_verdict_and_arrives_in_order_with_its_index(run):
    async def work(end):
        verdicts = await end.destination.send(records(3, 4, 9))
        await end.destination.close()
        return verdicts, end.held()

    verdicts, held = run(work)

    assert verdicts == [DELIVERED] * 3
    assert held == [(one.index, one.body) for one in records(3, 4, 9)]


def test_batches_come_one_after_the_other(run):
    async def work(end):
        for batch in (records(1, 2), records(3), records(4, 5)):
            assert await end.destination.send(batch) == [DELIVERED] * len(batch)
        await end.destination.close()
        return end.held()

    assert [index for index, _ in run(work)] == [1, 2, 3, 4, 5]


def test_a_place_that_is_down_is_later_and_nothing_is_raised(run):
    """The list ends with it; what comes after it was not tried."""

    async def work(end):
        end.down()
        verdicts = await end.destination.send(records(1, 2, 3))
        end.up()
        again = await end.destination.send(records(1, 2, 3))
        await end.destination.close()
        return verdicts, again, end.held()

    verdicts, again, held = run(work)

    assert [one.outcome for one in verdicts] == [Outcome.LATER]
    assert verdicts[0].kind
    assert verdicts[0].reason
    assert again == [DELIVERED] * 3
    assert [index for index, _ in held] == [1, 2, 3]


def test_what_was_cancelled_can_be_sent_again(run):
    async def work(end):
        sending = asyncio.create_task(end.destination.send(records(1, 2)))
        await asyncio.sleep(0)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        assert await end.destination.send(records(1, 2)) == [DELIVERED] * 2
        await end.destination.close()
        return end.held()

    assert {index for index, _ in run(work)} == {1, 2}


def test_a_check_says_whether_something_would_be_taken_and_delivers_nothing(run):
    async def work(end):
        good = await end.destination.check()
        return good, end.held()

    good, held = run(work)

    assert good == DELIVERED
    assert held == []


def test_a_batch_is_bounded(run):
    async def work(end):
        return end.destination.batching

    batching = run(work)

    assert 1 <= batching.records_max <= 10_000
    assert 1 <= batching.bytes_max <= 32 << 20


def test_closing_twice_is_closing_once(run):
    async def work(end):
        await end.destination.send(records(1))
        await end.destination.close()
        await end.destination.close()
        return end.held()

    assert [index for index, _ in run(work)] == [1]
