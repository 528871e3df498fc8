"""What must be true of a server whatever happened to it, and of the folder that it leaves."""

import asyncio
import time

from tests.cli.made import script
from tests.faults.senders import send_open

from sealog.cli import verifying

BUNDLE = 256
ENTRY_BYTES = 33
PATIENCE_S = 60


def check_folder(data):
    """The folder as it was left behind, before any start has put it right."""
    report = verifying.report_of(data)
    assert report.holds, [str(fault) for fault in report.faults]


def check_stopped(data):
    """The folder after a clean stop, as the operator asks."""
    ran = script("verify", "--data", data, cwd=data.parent)
    assert ran.code == 0, ran


def check_recovered(server, key, ledger):
    """Nobody helped: it is ready again, takes what got no answer, and every receipt holds."""
    wait_until_ready(server, key)
    asyncio.run(send_open(server, key, ledger))
    check_receipts(server, key, ledger, nothing_else=True)


def wait_until_ready(server, key):
    with server.client(key) as client:
        until = time.monotonic() + PATIENCE_S
        while (answer := client.get("/readyz")).status_code != 200:
            assert time.monotonic() < until, answer.text
            time.sleep(0.1)


def wait_for_the_end_of(server):
    """Processes that prepare end with the server, however it ends: nobody else would end them."""
    until = time.monotonic() + PATIENCE_S
    while left := server.left():
        assert time.monotonic() < until, left
        time.sleep(0.05)


def merged(data):
    """The names of all segments there are that were merged of others."""
    found = (data / "archive").rglob("*.parquet")
    return {path.stem for path in found if path.stem.rpartition("-")[2] != "0"}


async def until(true):
    """Wait until something is so; however slow the machine is, a test waits for what it is about."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


async def until_merged(data):
    """Wait until segments are merged, so that all that ever writes is at work."""
    await until(lambda: merged(data))


def check_receipts(server, key, ledger, *, nothing_else=False):
    """Every receipt's index holds that id and that commitment; indexes have no gap, ids no double.

    `nothing_else`: all requests were answered, so what is there is what there are receipts for.
    """
    with server.client(key) as client:
        listed = client.get("/v1/tenants", params={"limit": 1000}).json()["tenants"]
        tenants = [one["name"] for one in listed]
        for tenant in tenants:
            size = client.get(f"/v1/tenants/{tenant}").json()["size"]
            ids, own = ids_of(client, tenant, size)
            entries = entries_of(client, tenant, len(ids))
            mine = [receipt for receipt in ledger.all() if receipt.tenant == tenant]
            assert len(set(ids)) == len(ids)
            assert [ids[receipt.index] for receipt in mine] == [receipt.id for receipt in mine]
            assert [entries[r.index] for r in mine] == ["01" + r.commitment for r in mine]
            if nothing_else:
                assert {receipt.index for receipt in mine} == set(range(len(ids))) - own
        assert {receipt.tenant for receipt in ledger.all()} <= set(tenants)


def ids_of(client, tenant, size):
    """The ids at indexes 0, 1, 2 … as the feed gives them, and where what Sealog itself says is.

    What was accepted last becomes visible a moment later: there MUST come `size` at least.
    """
    ids = []
    own = set()
    until = time.monotonic() + PATIENCE_S
    while True:
        asked = {"tenant": tenant, "after": len(ids) - 1, "limit": 1000}
        answer = client.get("/v1/feed", params=asked)
        assert answer.status_code == 200, answer.text
        events = answer.json()["events"]
        if not events and len(ids) >= size:
            return ids, own
        assert events or time.monotonic() < until
        indexes = [event["sealog"]["index"] for event in events]
        assert indexes == list(range(len(ids), len(ids) + len(events)))
        ids += [event["event"]["id"] for event in events]
        own.update(
            event["sealog"]["index"]
            for event in events
            if event["event"]["action"].startswith("sealog.")
        )


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
    assert len(entries) >= size
    return entries


def signed_size(client, log, size):
    """The size of the newest checkpoint, once it holds all there is."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        note = client.get(f"{log}checkpoint")
        if note.is_success and int(note.text.split("\n")[1]) >= size:
            return int(note.text.split("\n")[1])
        time.sleep(0.05)
    raise AssertionError(f"{log} is not signed up to {size}")
