"""After it expired nothing of an event is left in the data folder, wherever it may have been.

Retention: 48 hours and an hour from `event.ingested`, its bytes go within 1/48 of that.
"""

import asyncio
import shutil
import threading
import time

import httpx
import msgspec
import pytest
from tests.conftest import GOLDEN
from tests.lifecycle.searching import found

from sealog import app
from sealog.exports.exports import Wanted
from sealog.exports.forms import Form
from sealog.policy.retention import Retention, Rule
from sealog.query.tree import Query
from sealog.verify.folder import verify_folder

WORD = b"quxophilia"
HOUR_S = 3_600
MANY = 200
"""So many that they are compressed."""
TWO_DAYS = Retention(rules=(Rule(keep_s=172_800),))
SAMPLES = GOLDEN / "dialects" / "easysend"


class Clock:
    """The app's clock, which is set ahead."""

    def __init__(self):
        self.ahead_s = 0.0
        self._real_us = app.clock_us

    def __call__(self):
        return self._real_us() + int(self.ahead_s * 1e6)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(app, "clock_us", clock)
    return clock


def easysend(number, word=""):
    """A record of EasySend, as its document prints it, with the word wherever there are words."""
    record = msgspec.json.decode((SAMPLES / "Completed.in.json").read_bytes())
    record["url"] = {"full": f"https://example.com/{word}/{number}"}
    record["client"] = {"ip": f"203.0.113.{number % 200}"}
    record["label"] |= {"source_value": f"{word}@example.com", "rid": f"{word}-{number}"}
    record["message"] = f"somebody said {word} {number}"
    return record


def native(number, word=""):
    """The same as a native event, with the word in every part that has words."""
    return {
        "event": {"id": f"{word}{number}", "action": "user.login", "outcome": "success"},
        "user": {
            "id": f"u-{number % 7}",
            "name": word,
            "email": f"{word}@example.com",
            "target": {"id": word},
        },
        "url": {"full": f"https://example.com/{word}/{number}"},
        "message": f"somebody said {word} {number}",
    }


class House:
    """A running Sealog, asked by its API."""

    def __init__(self, running):
        self.running = running
        self._key = running.keys.create("all", None, ["ingest", "read", "export", "admin"])[1]
        self._api = app.api(running)

    def ask(self, method, path, **rest):
        async def run():
            transport = httpx.ASGITransport(self._api)
            headers = {"authorization": f"Bearer {self._key}"}
            async with httpx.AsyncClient(
                transport=transport, base_url="http://here", headers=headers
            ) as client:
                return await client.request(method, path, **rest)

        answer = asyncio.run(run())
        assert answer.status_code < 500, answer.text
        return answer

    def take_in(self, tenant, dialect, records):
        lines = b"\n".join(map(msgspec.json.encode, records))
        path = "/v1/events" if dialect == "ecs" else f"/v1/ingest/{dialect}"
        answer = self.ask("POST", path, params={"tenant": tenant}, content=lines)
        assert answer.status_code == 200, answer.text
        last = answer.json()["results"][-1]["index"]
        whose = self.running.tenants.get(tenant)
        assert self.running.archive.wait_for(whose, last, 30)
        return whose

    def count(self, tenant):
        return self.ask("GET", "/v1/count", params={"tenant": tenant}).json()["count"]

    def statements(self, tenant):
        """The ranges of every statement in a tenant's trail."""
        params = {"tenant": tenant, "action": "sealog.retention"}
        events = self.ask("GET", "/v1/events", params=params).json()["events"]
        return [event["sealog"]["ranges"] for event in events]

    def check_nothing_is_returned(self, tenant, count, jobs):
        """From the second it expires an event is returned by nothing."""
        params = {"tenant": tenant}
        searched = self.ask("GET", "/v1/events", params={**params, "limit": 1_000})
        fed = self.ask("GET", "/v1/feed", params={**params, "limit": 1_000})
        tailed = self.ask("GET", "/v1/events", params={**params, "q": WORD.decode()})
        at = [self.ask("GET", f"/v1/tenants/{tenant}/events/{n}") for n in (0, 25, count - 1)]
        assert tailed.json()["events"] == []
        assert WORD not in searched.content + fed.content + b"".join(one.content for one in at)
        assert [one.status_code for one in at] == [410, 410, 410]
        for job in jobs:
            assert self.ask("GET", f"/v1/exports/{job.id}/content").status_code == 410

    def expire(self):
        """As if a window were over; how many events went since the start."""
        self.running.archive.merge()
        self.running.retainer._again_s.clear()
        self.running.retainer.step()
        return self.running.retainer.done.events

    def pass_moments(self):
        """As if minutes had passed, for who counts them by a clock that nobody sets."""
        self.running.store.truncate_every(0.05)
        merger = self.running.archive._merger
        merger._retired._clock_s = lambda: time.monotonic() + 600
        self.running.archive.undeleted()
        self.running.exports._look.set()

    def export(self, tenant, form):
        job = self.running.exports.create(tenant, "key_1", Wanted(Form(form), Query(), {}))
        assert until(lambda: self.running.exports.get(job.id).state == "ready")
        return job

    def settle(self):
        """Nothing waits any more, neither for the log nor for the archive."""
        self.running.settle()
        self.running.archive.cut()
        self.running.settle()


def until(is_so, within_s=60):
    """Whether something becomes so."""
    pause = threading.Event()
    return any(is_so() or pause.wait(0.05) for _ in range(within_s * 20))


def natives(count, first=0):
    return [native(number, WORD.decode()) for number in range(first, first + count)]


def kinds(names):
    """The kinds of files among some names."""
    return {name.rpartition(".")[2] for name in names}


def test_every_way_in_which_bytes_rest_is_looked_through(tmp_path, clock):
    """The search finds the word while it is there: so that finding nothing says something."""
    path = tmp_path / "data"
    with app.running(path) as running:
        house = House(running)
        acme = house.take_in("acme", "ecs", natives(MANY))
        assert found(path, WORD) == {"state.db-wal"}
        running.store.truncate_every(0.05)
        assert until(lambda: found(path, WORD) == {"state.db"})

        running.archive.cut()
        assert {"parquet", "arrow"} <= kinds(found(path, WORD))
        running.exports.start()
        jobs = [house.export(acme, form) for form in ("ndjson", "csv", "parquet")]
        assert {f"exports/{job.name}" for job in jobs} <= found(path, WORD)


def test_48_hours_and_an_hour_later_nothing_is_left_anywhere(tmp_path, clock):
    """Waiting, cut, merged, sorted anew, exported; and the log verifies without it."""
    path = tmp_path / "data"
    with app.running(path) as running:
        house = House(running)
        running.exports.start()
        acme = house.take_in("acme", "ecs", natives(20))
        running.archive.cut()
        running.policies.change_retention(acme.number, TWO_DAYS)
        for first in range(20, 20 + 17 * MANY, MANY):
            house.take_in("acme", "ecs", natives(MANY, first))
            running.archive.cut()
        running.archive.merge()
        jobs = [house.export(acme, form) for form in ("ndjson", "csv", "parquet")]
        house.take_in("acme", "ecs", natives(30, 9_000))
        house.take_in("shape", "easysend", [easysend(n, WORD.decode()) for n in range(40)])
        shape = house.take_in("shape", "ecs", [native(n, "kept") for n in range(40)])
        count = running.archive.visible(acme)
        assert {"parquet", "arrow", "ndjson", "csv"} <= kinds(found(path, WORD))
        assert {"state.db", "state.db-wal"} & found(path, WORD)

        clock.ahead_s = 48 * HOUR_S - 60
        assert house.count("acme") == count
        clock.ahead_s = 48 * HOUR_S + 1
        house.check_nothing_is_returned("acme", count, jobs)
        assert running.archive.get(shape, running.archive.visible(shape) - 1) is not None

        clock.ahead_s = 48 * HOUR_S + 1_800
        running.retainer.confirm()
        running.retainer.step()
        house.pass_moments()

        assert until(lambda: not found(path, WORD)), found(path, WORD)
        assert found(path, b"kept")
        house.check_nothing_is_returned("acme", count, jobs)
        assert house.statements("acme") == [[[0, count - 1]]]
        assert house.statements("shape") == [[[0, 39]]]
        running.settle()
    assert not found(path, WORD)
    report = verify_folder(path)
    assert [str(fault) for fault in report.faults] == []
    of_acme = next(one for one in report.tenants if one.tenant == "acme")
    assert (of_acme.counts.expired, of_acme.counts.unexplained) == (count, 0)


def test_a_dry_run_tells_what_then_goes(tmp_path, clock):
    """What would go at once by other rules is what goes once they are in force."""
    path = tmp_path / "data"
    with app.running(path) as running:
        house = House(running)
        house.take_in("acme", "ecs", natives(30))
        running.archive.cut()
        house.take_in("acme", "ecs", natives(10, 30))
        clock.ahead_s = 2 * HOUR_S
        running.retainer.confirm()
        wanted = {"version": 0, "rules": [{"dialect": "ecs", "keep": "1h"}]}

        told = house.ask("PUT", "/v1/retention?tenant=acme&dry_run=1", json=wanted).json()
        running.retainer.step()
        assert running.retainer.done.events == 0
        refused = house.ask("PUT", "/v1/retention?tenant=acme", json=wanted)
        done = house.ask("PUT", "/v1/retention?tenant=acme", json={**wanted, "confirm": True})
        # What stands in segments of the rules before is sorted first, and goes in the next window.
        assert until(lambda: house.expire() == 40)

        assert told["at_once"] == {
            "events": 40,
            "types": [{"dialect": "ecs", "action": "user.login", "events": 40}],
        }
        assert (refused.status_code, done.status_code) == (409, 200)
        gone = [span for ranges in house.statements("acme") for span in ranges]
        assert sorted(index for first, last in gone for index in range(first, last + 1)) == [
            *range(40)
        ]
        house.settle()
        house.pass_moments()
        assert until(lambda: not found(path, WORD)), found(path, WORD)
    assert verify_folder(path).holds


def test_a_tenant_named_like_an_address_is_like_any_other(tmp_path, clock):
    """Its statements do not name it, because they can never be erased; its log does."""
    path = tmp_path / "data"
    with app.running(path) as running:
        house = House(running)
        house.take_in("ann@example.com", "easysend", [easysend(n, WORD.decode()) for n in range(9)])
        clock.ahead_s = 49 * HOUR_S
        running.retainer.confirm()
        running.retainer.step()

        params = {"tenant": "ann@example.com"}
        (shown,) = house.ask("GET", "/v1/events", params=params).json()["events"]
        assert shown["sealog"]["ranges"] == [[0, 8]]
        assert "organization" not in shown
        assert house.ask("GET", "/v1/feed", params=params).json()["events"] == [shown]
        house.settle()
    report = verify_folder(path)
    assert [str(fault) for fault in report.faults] == []
    assert (report.counts.expired, report.counts.statement) == (9, 1)


def test_what_waited_while_the_server_was_off_goes_when_it_is_on_again(tmp_path, clock):
    """Nothing was archived before the power went; the journal has it all."""
    path, copy = tmp_path / "data", tmp_path / "copy"
    with app.running(path) as running:
        House(running).take_in("acme", "easysend", [easysend(n, WORD.decode()) for n in range(40)])
        shutil.copytree(path, copy, ignore=shutil.ignore_patterns("*-shm", "lock"))
    assert found(copy, WORD) <= {"state.db", "state.db-wal"}
    assert found(copy, WORD)

    clock.ahead_s = 100 * 24 * HOUR_S
    with app.running(copy) as running:
        running.retainer.step()
        assert running.retainer.held() == 1
        assert found(copy, WORD)

        running.retainer.confirm()
        running.retainer.step()
        house = House(running)
        house.settle()
        house.pass_moments()

        assert until(lambda: not found(copy, WORD)), found(copy, WORD)
    assert verify_folder(copy).holds
