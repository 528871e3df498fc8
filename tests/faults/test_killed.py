"""The process is killed at any moment under load, again and again: nothing promised is lost."""

import asyncio
import os
import random
import time

import pytest
from tests.cli.made import Served, script
from tests.faults.senders import Ledger, Sender, load, send_open

from sealog.cli import verifying

SEEDS = range(int(os.environ.get("SEALOG_FAULTS", "3")))
KILLS = 2 if len(SEEDS) <= 3 else 5
# Everything that follows the journal is at work all the time, so that a kill hits it anywhere.
HURRIED = {
    "LEDGER__SIGN_EVERY_S": 0.1,
    "LEDGER__SYNC_EVERY_S": 0.3,
    "ARCHIVE__SEGMENT_EVENTS": 64,
    "ARCHIVE__WAITING_EVENTS_MAX": 1_000,
    # Most batches are prepared in processes of their own.
    "INTAKE__INLINE_BYTES_MAX": 4_000,
}
BUNDLE = 256
ENTRY_BYTES = 33


@pytest.mark.parametrize("seed", SEEDS)
def test_kill_9_under_load_loses_and_doubles_nothing(tmp_path, seed):
    """After each kill, and after a clean stop: every receipt holds, no gap, no double, verified."""
    data = tmp_path / "data"
    dice = random.Random(seed)
    ledger = Ledger()
    senders = [Sender(f"s{seed}-{number}", seed, ledger) for number in range(4)]
    server = Served(data, **HURRIED)
    key = server.key
    for _ in range(KILLS):
        asyncio.run(load(server, key, senders, killing(server, dice.uniform(0.3, 2.5))))
        check_folder(data)
        server = Served(data, **HURRIED)
        check_receipts(server, key, ledger)

    asyncio.run(send_open(server, key, ledger))
    check_receipts(server, key, ledger, nothing_else=True)
    assert server.stop() == 0
    ran = script("verify", "--data", "data", cwd=tmp_path)
    server = Served(data, **HURRIED)
    check_receipts(server, key, ledger, nothing_else=True)

    assert server.stop() == 0
    assert ran.code == 0, ran.out
    assert len(ledger.all()) > 100


def test_sigterm_under_load_ends_in_time_and_loses_nothing(tmp_path):
    """What is under way is answered first; 10 s are what supervisors grant."""
    data = tmp_path / "data"
    ledger = Ledger()
    senders = [Sender(f"t-{number}", 0, ledger) for number in range(4)]
    server = Served(data, **HURRIED)
    key = server.key
    codes = []

    async def stop():
        await asyncio.sleep(1.0)
        codes.append(await asyncio.to_thread(server.stop, within_s=10.0))

    asyncio.run(load(server, key, senders, stop))
    ran = script("verify", "--data", "data", cwd=tmp_path)
    again = Served(data, **HURRIED)
    asyncio.run(send_open(again, key, ledger))
    check_receipts(again, key, ledger, nothing_else=True)

    assert again.stop() == 0
    assert codes == [0]
    assert ran.code == 0, ran.out
    assert "note" not in ran.out


def test_sigterm_before_anything_came_ends_it_too(tmp_path):
    server = Served(tmp_path / "data")

    assert server.stop() == 0


def killing(server, after_s):
    async def end():
        await asyncio.sleep(after_s)
        assert server.left()
        server.kill()
        await asyncio.to_thread(wait_for_the_end_of, server)

    return end


def wait_for_the_end_of(server):
    """Processes that prepare end with the server, however it ends: nobody else would end them."""
    until = time.monotonic() + 30
    while left := server.left():
        assert time.monotonic() < until, left
        time.sleep(0.05)


def check_folder(data):
    """The folder as it was left behind, before any start has put it right."""
    report = verifying.report_of(data)
    assert report.holds, [str(fault) for fault in report.faults]


def check_receipts(server, key, ledger, *, nothing_else=False):
    """Every receipt's index holds that id and that commitment; indexes have no gap, ids no double.

    `nothing_else`: all requests were answered, so what is there is what there are receipts for.
    """
    with server.client(key) as client:
        tenants = [one["name"] for one in client.get("/v1/tenants").json()["tenants"]]
        for tenant in tenants:
            ids = ids_of(client, tenant)
            entries = entries_of(client, tenant, len(ids))
            mine = [receipt for receipt in ledger.all() if receipt.tenant == tenant]
            assert len(set(ids)) == len(ids)
            assert [ids[receipt.index] for receipt in mine] == [receipt.id for receipt in mine]
            assert [entries[r.index] for r in mine] == ["01" + r.commitment for r in mine]
            if nothing_else:
                assert {receipt.index for receipt in mine} == set(range(len(ids)))
        assert {receipt.tenant for receipt in ledger.all()} <= set(tenants)


def ids_of(client, tenant):
    """The ids at indexes 0, 1, 2 … as the feed gives them."""
    ids = []
    after = -1
    while True:
        page = client.get("/v1/feed", params={"tenant": tenant, "after": after, "limit": 1000})
        events = page.json()["events"]
        if not events:
            return ids
        indexes = [event["sealog"]["index"] for event in events]
        assert indexes == list(range(len(ids), len(ids) + len(events)))
        ids += [event["event"]["id"] for event in events]
        after = indexes[-1]


def entries_of(client, tenant, size):
    """The entries 0, 1, 2 … in hex, as the sealed log gives them to anyone who checks it."""
    log = client.get(f"/v1/tenants/{tenant}").json()["checkpoint"].removesuffix("checkpoint")
    if not size:
        # Killed between making a tenant and its first event: an empty log is never signed.
        assert client.get(f"{log}checkpoint").status_code == 404
        return []
    signed = signed_size(client, log, size)
    entries = []
    for first in range(0, signed, BUNDLE):
        width = min(BUNDLE, signed - first)
        name = f"{first // BUNDLE:03}" + (f".p/{width}" if width < BUNDLE else "")
        answer = client.get(f"{log}tile/entries/{name}")
        assert answer.status_code == 200, answer.text
        bundle = answer.content
        assert len(bundle) == width * (2 + ENTRY_BYTES)
        entries += [
            bundle[at + 2 : at + 2 + ENTRY_BYTES].hex()
            for at in range(0, len(bundle), 2 + ENTRY_BYTES)
        ]
    assert len(entries) == size
    return entries


def signed_size(client, log, size):
    """The size of the newest checkpoint, once it holds all there is."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        note = client.get(f"{log}checkpoint")
        if note.is_success and int(note.text.split("\n")[1]) >= size:
            return int(note.text.split("\n")[1])
        time.sleep(0.05)
    raise AssertionError(f"{log} is not signed up to {size}")
