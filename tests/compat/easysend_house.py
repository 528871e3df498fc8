"""Security logs as EasySend's applications write them, and a server that gives them back."""

import asyncio
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import uvicorn
from tests.archive.made import until

from sealog.app import api, running
from sealog.config import CompatSettings, EasySendSettings, Settings
from sealog.server.sending import in_one_piece

PATH = "/player/api/get-security-logs"
BEGIN = datetime(2026, 3, 2, 10, 0, 0, tzinfo=UTC)
KEY = "what-support-gave-us"


def at(seconds):
    """A moment so many seconds after the first log, as the parameters take it."""
    return (BEGIN + timedelta(seconds=seconds)).strftime("%Y%m%d%H%M%S")


def log(number, app_type="player", *, action="Completed", seconds=None, **label):
    """The documented format with everything in it; a second apart from the one before."""
    moment = BEGIN + timedelta(seconds=number if seconds is None else seconds)
    return {
        "ecs": {"version": "8.11"},
        "@timestamp": moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{number % 1000:03}Z",
        "organization": {"name": "Acme Insurance"},
        "user_agent": {
            "os": {
                "browser_language": "en-GB",
                "browser_platform": "MacIntel",
                "is_mobile_device": number % 2 == 0,
                "is_verified_bot": False,
            },
            "name": "Safari",
            "device": {"name": "Mac"},
            "original": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)",
        },
        "os": {"family": "Mac OS X", "full": "Mac OS X 10.15.7"},
        "client": {"ip": f"203.0.113.{number % 250}"},
        "event": {"action": action, "timezone": "UTC"},
        "geo": {"country_name": "Israel", "region_name": "Tel Aviv"},
        "url": {"full": f"https://player.example.com/wf-3?rid=r-{number}", "domain": "player.example.com"},
        "service": {"environment": "prod"},
        "label": {
            "app_type": app_type,
            "customer_id": "acme",
            "business_group": "Claims",
            "business_group_id": "bg-7",
            "deploy_timestamp": "2026-02-01T08:00:00Z",
            "is_co_browsing_on": number % 3 == 0,
            "master_rid": "m-1",
            "page_analytics_id": "pa-1",
            "page_index": "2",
            "page_name": "Your details",
            "process_id": f"p-{number}",
            "process_multi_language": "en",
            "request_id": f"rq-{number}",
            "rid": f"r-{number}",
            "role": "customer",
            "source_type": "email",
            "source_value": "claimant@example.com",
            "step_id": "s-2",
            "step_index": "1",
            "web_flow_name": "Motor claim",
            "webflow_id": "wf-3",
            "player_version": "4.21.0",
            "authentication_method": "otp",
            "authentication_status": "Succeed",
            "auth_action": "verify",
            "auth_page": "otp",
            **label,
        },
    }  # fmt: skip


def ndjson(logs):
    return b"\n".join(map(msgspec.json.encode, logs))


class House:
    """One server with the documented key, and a key of ours for everything."""

    def __init__(self, app, url):
        self.app = app
        self.url = url
        self.secret = app.keys.create("all", None, ["ingest", "read", "admin"])[1]

    def key_for(self, *tenants, scopes=("read",)):
        return self.app.keys.create("some", tenants or None, scopes)[1]

    def record(self, tenant):
        """Have Sealog record something of its own: that a key was made."""
        found = self.app.tenants.get(tenant)
        index = self.app.archive.visible(found)
        answer = httpx.post(
            f"{self.url}/v1/keys",
            json={"name": "new", "tenants": [tenant], "scopes": ["read"]},
            headers={"authorization": f"Bearer {self.secret}"},
        )
        assert answer.status_code == 201
        assert self.app.archive.wait_for(found, index, 30)

    def send(self, logs, *, tenant="easysend", dialect="easysend"):
        """Have them taken in, and wait until they are found; their indexes."""
        path = f"/v1/ingest/{dialect}"
        headers = {"authorization": f"Bearer {self.secret}"}
        found = []
        for begin in range(0, len(logs), 10_000):
            answer = httpx.post(
                self.url + path,
                params={"tenant": tenant},
                content=ndjson(logs[begin : begin + 10_000]),
                headers=headers,
                timeout=60,
            )
            found += [one["index"] for one in answer.json()["results"]]
        assert self.app.archive.wait_for(self.app.tenants.get(tenant), max(found), 30)
        return found

    def get(self, *, key=KEY, headers=None, method="GET", **params):
        """One request, as its documentation tells to make it."""
        given = {} if key is None else {"apiKey": key}
        return httpx.request(
            method, self.url + PATH, params=params, headers=given | (headers or {}), timeout=60
        )

    def reads(self):
        """(key, kinds, events, first, last) of what was counted this hour."""
        return [
            (key, counts.kinds, counts.events, counts.first, counts.last)
            for (key, _), counts in self.app.reads._now.items()
        ]


@contextmanager
def serving(path, *, key=KEY, **settings):
    """Serve a data folder until the block ends; `settings`: of the room."""
    file = path.parent / "easysend.key"
    file.write_text(key + "\n")
    own = EasySendSettings.model_construct(
        **EasySendSettings(api_key_file=file).model_dump() | settings
    )
    whole = Settings(compat=CompatSettings.model_construct(easysend=own))
    with socket.socket() as listening, running(path, whole) as app:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(api(app), log_config=None, lifespan="off", http=in_one_piece())
        server = uvicorn.Server(config)
        thread = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[listening])), daemon=True
        )
        thread.start()
        until(lambda: server.started)
        try:
            yield House(app, f"http://127.0.0.1:{listening.getsockname()[1]}")
        finally:
            server.should_exit = True
            thread.join(20)
