import asyncio

from tests.server.house import FakeArchive, opened

from sealog.event.tenants import Tenant
from sealog.server.arrivals import Arrivals

ACME = Tenant(1, "acme", "00" * 16, bytes(32))
FOR_EVER_S = 600


def test_what_is_there_already_is_not_waited_for():
    archive = FakeArchive()
    archive.put(ACME, opened())

    asyncio.run(Arrivals(archive, 10).wait(ACME, 0, FOR_EVER_S))


def test_the_time_ends_a_wait():
    asyncio.run(Arrivals(FakeArchive(), 10).wait(ACME, 0, 0.001))


def test_all_who_wait_for_a_tenant_wake_and_may_wait_again():
    archive = FakeArchive()

    async def life():
        arrivals = Arrivals(archive, 3)
        for index in range(2):
            waits = [asyncio.create_task(arrivals.wait(ACME, index, FOR_EVER_S)) for _ in range(3)]
            await asyncio.sleep(0)
            await asyncio.to_thread(archive.put, ACME, opened())
            await asyncio.gather(*waits)

    asyncio.run(life())
    assert len(archive.watchers) == 1


def test_one_too_many_does_not_wait():
    archive = FakeArchive()

    async def life():
        arrivals = Arrivals(archive, 1)
        first = asyncio.create_task(arrivals.wait(ACME, 0, FOR_EVER_S))
        await asyncio.sleep(0)
        await arrivals.wait(ACME, 0, FOR_EVER_S)
        assert not first.done()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        # The place is free again.
        await arrivals.wait(ACME, 0, 0.001)

    asyncio.run(life())
