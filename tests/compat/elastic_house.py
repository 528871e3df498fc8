"""A running Sealog behind a real port, for clients that know nothing of it."""

import asyncio
import socket
import threading
import time
from contextlib import contextmanager

import httpx
import uvicorn

from sealog.app import api, running
from sealog.compat.elastic_leaves import Asking
from sealog.compat.elastic_names import INDICES

NOW_US = 1_795_264_496_000_000  # 2026-11-21T12:34:56Z


def asking(index="sealog"):
    """What a query is read by."""
    return Asking(INDICES[index], NOW_US)


class House:
    """One server, a key for all tenants, and one for `acme` alone."""

    def __init__(self, app, url):
        self.app = app
        self.url = url
        self.elastic = f"{url}/elasticsearch"
        _, self.key = app.keys.create("all", None, ["ingest", "read", "admin"])

    def key_for(self, *tenants, scopes=("read",)):
        """A key of its own."""
        return self.app.keys.create("some", tenants, scopes)[1]

    def client(self, key=None):
        """A client that speaks plain HTTP."""
        headers = {"authorization": f"Bearer {key or self.key}"}
        return httpx.Client(base_url=self.elastic, headers=headers, timeout=30)

    def send(self, tenant, dialect, body):
        """Have records taken in, and wait until they are found."""
        headers = {"authorization": f"Bearer {self.key}"}
        path = "/v1/events" if dialect == "ecs" else f"/v1/ingest/{dialect}"
        answer = httpx.post(
            f"{self.url}{path}", params={"tenant": tenant}, content=body, headers=headers
        )
        receipts = answer.json()["results"]
        assert all("index" in one for one in receipts), receipts
        found = self.app.tenants.get(tenant)
        assert self.app.archive.wait_for(found, max(one["index"] for one in receipts), 10)
        return receipts


@contextmanager
def serving(path):
    """Serve a data folder until the block ends."""
    with socket.socket() as listening, running(path) as app:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(api(app), log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        loop = asyncio.new_event_loop()
        serve = server.serve(sockets=[listening])
        thread = threading.Thread(target=loop.run_until_complete, args=(serve,), daemon=True)
        thread.start()
        until = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < until
            time.sleep(0.01)
        try:
            yield House(app, f"http://127.0.0.1:{listening.getsockname()[1]}")
        finally:
            server.should_exit = True
            thread.join(20)
            loop.close()
