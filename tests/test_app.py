import asyncio
import tarfile
from pathlib import Path

import httpx
import pytest

from sealog import app
from sealog.access.grants import Grant
from sealog.errors import Forked, Misconfigured, Refused
from sealog.event.batch import Receipt
from sealog.intake.source import Source

OLD = Path(__file__).parent / "golden" / "folders" / "format-1.tar.xz"
GRANT = Grant("key", frozenset({"ingest"}), None, may_create=True)
EVENT = b'{"event":{"action":"user.login"},"organization":{"id":"acme"}}'


def accepted(running, body=EVENT):
    (answer,) = asyncio.run(running.intake.accept(body, Source(GRANT)))
    assert isinstance(answer, Receipt)
    return answer


def test_what_was_accepted_is_there_after_a_restart(tmp_path):
    with app.running(tmp_path / "data") as running:
        first = accepted(running)

    with app.running(tmp_path / "data") as running:
        second = accepted(running)
        acme = running.tenants.get("acme")
        running.archive.wait_for(acme, 1, 5.0)
        opened = running.archive.get(acme, 0)

    assert (first.index, second.index) == (0, 1)
    assert opened.entry()[1:].hex() == first.commitment


def test_settled_means_signed_up_to_the_newest_event(tmp_path):
    with app.running(tmp_path / "data") as running:
        accepted(running)
        running.settle()
        note = running.ledger.checkpoint(running.tenants.get("acme"))

    assert note.split(b"\n")[1] == b"1"


def test_a_folder_has_one_owner(tmp_path):
    with (
        app.running(tmp_path / "data"),
        pytest.raises(Misconfigured, match="in use by process"),
        app.running(tmp_path / "data"),
    ):
        pass


def test_a_folder_is_free_again_after_its_owner(tmp_path):
    with app.running(tmp_path / "data"):
        assert app.is_owned(tmp_path / "data")

    assert not app.is_owned(tmp_path / "data")


def test_looking_beside_the_owner_sees_what_is_there_and_writes_nothing(tmp_path):
    with app.running(tmp_path / "data") as running:
        accepted(running)
        with app.looking(tmp_path / "data") as beside:
            opened = beside.archive.get(beside.tenants.get("acme"), 0)
            with pytest.raises(Misconfigured):
                beside.store.write(lambda _: None)

    assert opened is not None


def test_a_start_against_a_checkpoint_that_the_log_does_not_reach_is_refused(tmp_path):
    with app.running(tmp_path / "new") as running:
        accepted(running)
        running.settle()
        note = running.ledger.checkpoint(running.tenants.get("acme"))

    with pytest.raises(Forked), app.running(tmp_path / "old", against=[note]):
        pass


def test_another_installation_name_than_the_first_is_refused(tmp_path):
    from sealog.config import InstallationSettings, Settings

    with app.running(tmp_path, Settings(installation=InstallationSettings(name="a.example"))):
        pass

    renamed = Settings(installation=InstallationSettings(name="b.example"))
    with pytest.raises(Misconfigured, match=r"a\.example"), app.running(tmp_path, renamed):
        pass


def test_the_api_shows_what_lags(tmp_path):
    import httpx

    async def metrics(running):
        transport = httpx.ASGITransport(app.api(running))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return (await client.get("/metrics")).text

    with app.running(tmp_path / "data") as running:
        accepted(running)
        running.settle()
        assert running.archive.wait_for(running.tenants.get("acme"), 0, 5.0)
        text = asyncio.run(metrics(running))

    assert "sealog_ledger_lag_events 0.0" in text
    assert "sealog_archive_waiting_events 1.0" in text


def test_who_asks_is_told_that_streams_have_ended(tmp_path):
    async def ready(running):
        transport = httpx.ASGITransport(app.api(running))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get("/readyz")

    with app.running(tmp_path / "data") as running:
        before = asyncio.run(ready(running))
        running.delivery.streams.start()
        loop = running.delivery.streams._engine._loop
        loop.call_soon_threadsafe(loop.stop)
        running.delivery.streams._engine._thread.join(10)
        after = asyncio.run(ready(running))

    assert before.status_code == 200
    assert after.status_code == 503
    assert "streams have ended" in after.json()["detail"]


def test_metrics_tell_of_segments_and_merging(tmp_path):
    with app.running(tmp_path / "data") as running:
        accepted(running)
        running.archive.wait_for(running.tenants.get("acme"), 0, 5.0)
        running.archive.cut()
        text = asyncio.run(metrics(running))

    for line in (
        "sealog_archive_segments 1.0",
        "sealog_archive_merges_total 0.0",
        "sealog_archive_merged_segments_total 0.0",
        "sealog_archive_merged_events_total 0.0",
        "sealog_archive_merged_bytes_total 0.0",
        "sealog_archive_merge_seconds_total 0.0",
        "sealog_archive_damaged 0.0",
        "sealog_archive_merging_trouble 0.0",
    ):
        assert f"\n{line}\n" in text


async def metrics(running):
    transport = httpx.ASGITransport(app.api(running))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        return (await client.get("/metrics")).text


def test_files_that_somebody_looks_at_stay_until_they_are_done(tmp_path):
    with app.running(tmp_path / "data") as running:
        merger = running.archive._merger
        merger.stop()
        merger._stopping.clear()
        for number in range(16):
            accepted(running)
            acme = running.tenants.get("acme")
            running.archive.wait_for(acme, number, 5.0)
            running.archive.cut()
        with app.looking(tmp_path / "data") as beside:
            running.archive.merge()
            merger.sweep()
            seen = [index for index, _ in beside.archive.feed(acme, -1, 100)]
            left = merger.sweep()
        gone = merger.sweep()

    assert seen == list(range(16))
    assert (left, gone) == (16, 0)


def test_an_older_folder_is_brought_along_by_its_owner_and_by_nobody_else(tmp_path):
    with tarfile.open(OLD) as archive:
        archive.extractall(tmp_path, filter="data")
    with pytest.raises(Misconfigured, match="sealog migrate"), app.looking(tmp_path):
        pass
    assert app.is_older(tmp_path)

    with app.running(tmp_path) as running:
        acme = running.tenants.get("acme")
        events = running.archive.feed(acme, -1, 100)
        generations = {one.generation for one in running.archive.segments(acme)}

    assert not app.is_older(tmp_path)
    assert [index for index, _ in events] == list(range(63))
    assert generations == {1}


def test_what_a_key_read_is_an_event_when_the_hour_is_over_and_wakes_nobody(tmp_path):
    """From a request behind a trusted proxy to the sealed trail; reading it is bounded, too."""
    import httpx
    import msgspec

    from sealog.access.reads import HOUR_US
    from sealog.config import ServerSettings, Settings

    settings = Settings(server=ServerSettings(trusted_proxies=["127.0.0.0/8"]))
    hours = 0
    heard = []

    async def read(running, secret, after):
        headers = {"authorization": f"Bearer {secret}", "x-forwarded-for": "6.6.6.6, 192.0.2.7"}
        transport = httpx.ASGITransport(app.api(running))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            path = f"/v1/feed?tenant=acme&after={after}"
            return (await client.get(path, headers=headers)).json()["events"]

    def an_hour_passes(running):
        nonlocal hours
        hours += 1
        running.reads._clock = lambda: app.clock_us() + hours * HOUR_US
        running.teller.step()
        acme = running.tenants.get("acme")
        assert running.archive.wait_for(acme, running.journal.size(acme.number) - 1, 10)

    with app.running(tmp_path / "data", settings) as running:
        accepted(running)
        acme = running.tenants.get("acme")
        running.archive.wait_for(acme, 0, 10)
        key, secret = running.keys.create("their SIEM", ["acme"], ["read"])
        running.archive.watch(heard.append)
        asyncio.run(read(running, secret, -1))
        an_hour_passes(running)
        [told] = asyncio.run(read(running, secret, 0))
        an_hour_passes(running)
        an_hour_passes(running)

        assert told["event"]["action"] == "sealog.read.by_key"
        assert told["user"] == {"id": key.id, "name": "their SIEM"}
        assert told["source"] == {"ip": "192.0.2.7"}
        assert told["sealog"]["actor"] == {"kind": "key", "peers": ["127.0.0.1"]}
        read_then = told["sealog"]["read"]
        assert msgspec.json.encode({**read_then, "hour": ""}) == (
            b'{"hour":"","feeds":1,"events":1,"first":0,"last":0}'
        )
        assert running.journal.size(acme.number) == 3
        assert heard == []


def test_nobody_can_send_what_sealog_records(tmp_path):
    body = b'{"event":{"action":"sealog.read.by_key"},"organization":{"id":"acme"}}'

    with app.running(tmp_path / "data") as running:
        (ecs,) = asyncio.run(running.intake.accept(body, Source(GRANT)))
        with pytest.raises(Refused) as caught:
            asyncio.run(running.intake.accept(body, Source(GRANT, dialect="sealog")))

    assert ecs.code == "reserved-action"
    assert caught.value.code == "unknown-dialect"
