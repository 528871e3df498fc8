"""Settings and retention that are changed while the server is killed: no change without its event."""

import threading

import httpx
from tests.faults.cases import ALL, HURRIED
from tests.faults.checks import check_stopped

KILLS = 20 if ALL else 3
KINDS = ("settings", "retention")


def wanted(kind, version):
    """Something else with every version."""
    if kind == "settings":
        return {"version": version, "recorded": [{"action": f"v{version}", "record": False}]}
    return {"version": version, "rules": [{"keep": f"{version + 3}d"}], "confirm": True}


def change_until_it_is_gone(client, answered):
    """Change both over and over; the versions that were answered, by kind."""
    try:
        while True:
            for kind in KINDS:
                path = f"/v1/{kind}?tenant=acme"
                now = client.get(path).json()["version"]
                changed = client.put(path, json=wanted(kind, now))
                if changed.status_code == 200:
                    answered[kind].append(changed.json()["version"])
    except (httpx.TransportError, ValueError, KeyError):
        return  # It was killed.


def told(client, kind):
    """The versions that the trail tells of, in its order."""
    action = f"sealog.{kind}.changed"
    asked = {"tenant": "acme", "action": action, "limit": 1_000, "order": "oldest"}
    found = client.get("/v1/events", params=asked).json()["events"]
    ordered = sorted(found, key=lambda event: event["sealog"]["index"])
    return [event["sealog"][kind]["version"] for event in ordered]


def versions(client, kind):
    path, found, cursor = f"/v1/{kind}/history?tenant=acme", [], ""
    while True:
        page = client.get(path + cursor).json()
        found += [one["version"] for one in page["versions"]]
        if page["next_cursor"] is None:
            return found[::-1]
        cursor = f"&cursor={page['next_cursor']}"


def test_every_change_has_its_event_and_every_event_its_change(data, serve):
    """ES-12, ES-13: whenever the server dies; and what was answered is in force."""
    server = serve(**HURRIED)
    key = server.key
    with server.client() as client:
        client.post("/v1/tenants", json={"name": "acme"})
    answered = {kind: [] for kind in KINDS}
    for nth in range(KILLS):
        with server.client(key) as client:
            changing = threading.Thread(target=change_until_it_is_gone, args=(client, answered))
            changing.start()
            threading.Event().wait(0.3 + 0.07 * nth)
            server.kill()
            changing.join()
        server = serve(**HURRIED)
    with server.client(key) as client:
        for kind in KINDS:
            # What was not told when it died is told before anything else is changed.
            now = client.get(f"/v1/{kind}?tenant=acme").json()
            client.put(f"/v1/{kind}?tenant=acme", json=now)
            last = client.get("/v1/tenants/acme").json()["size"] - 1
            client.get("/v1/events", params={"tenant": "acme", "at_least": last, "limit": 1})
            had = versions(client, kind)
            assert had == list(range(1, len(had) + 1))
            assert told(client, kind) == had
            assert set(answered[kind]) <= set(had)
            assert client.get(f"/v1/{kind}?tenant=acme").json()["version"] == len(had)
            assert len(had) >= KILLS
    assert server.stop() == 0
    check_stopped(data)
