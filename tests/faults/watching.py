"""Clients that wait: a tail, a long poll, an export."""

import time

import httpx
import msgspec

WAIT_S = 30


async def tail(client, tenant, indexes):
    """Follow a tenant from the beginning, noting the indexes, until the server ends it."""
    asked = {"tenant": tenant, "after": -1}
    async with client.stream("GET", "/v1/tail", params=asked) as answer:
        assert answer.status_code == 200
        try:
            async for line in answer.aiter_lines():
                if line.startswith("data: {") and '"sealog":' in line:
                    event = msgspec.json.decode(line.removeprefix("data: "))
                    indexes.append(event["sealog"]["index"])
        except httpx.RemoteProtocolError:
            return


async def quiet(client, tenant):
    """Make a tenant in which nothing happens but that it is made."""
    answer = await client.post("/v1/tenants", json={"name": tenant})
    assert answer.status_code == 201, answer.text


async def poll(client, tenant):
    """Wait for what never comes in a quiet tenant; the answer."""
    asked = {"tenant": tenant, "after": 0, "wait": WAIT_S}
    return await client.get("/v1/feed", params=asked)


def ask_for_export(server, key, tenant):
    """The id of a new export of everything a tenant has."""
    with server.client(key) as client:
        answer = client.post("/v1/exports", json={"tenant": tenant})
        assert answer.status_code == 202, answer.text
        return answer.json()["id"]


def exported(server, key, job_id):
    """The indexes in an export, once it is ready."""
    with server.client(key) as client:
        until = time.monotonic() + 2 * WAIT_S
        while (job := client.get(f"/v1/exports/{job_id}").json())["state"] != "ready":
            assert job["state"] in {"pending", "running"}, job
            assert time.monotonic() < until, job
            time.sleep(0.05)
        content = client.get(f"/v1/exports/{job_id}/content").content
    return [msgspec.json.decode(line)["sealog"]["index"] for line in content.splitlines()]
