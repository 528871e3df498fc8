"""Events expire on a real server, by a clock that is set, and through kill -9 at any moment."""

import random
import time

import msgspec
import pytest
from tests.cli.made import lines, script
from tests.faults.cases import ALL, HURRIED
from tests.faults.checks import PATIENCE_S, check_stopped, wait_for_the_end_of
from tests.lifecycle.searching import found

from sealog.cli import verifying
from sealog.verify.statements import spans_of

WORD = "quxophilia"
HOUR_S = 3_600
LATER_S = HOUR_S + 600
KILLS = 25 if ALL else 4


def native(number, word):
    return {
        "event": {"id": f"{word}{number}", "action": "user.login"},
        "user": {"id": f"u-{number % 5}", "name": word, "email": f"{word}@example.com"},
        "url": {"full": f"https://example.com/{word}/{number}"},
        "message": f"somebody said {word} {number}",
    }


def keep_an_hour(server, key):
    with server.client(key) as client:
        assert client.post("/v1/tenants", json={"name": "acme"}).status_code == 201
        rules = {"version": 0, "rules": [{"keep": "1h"}], "confirm": True}
        answer = client.put("/v1/retention", params={"tenant": "acme"}, json=rules)
        assert answer.status_code == 200, answer.text


def take_in(client, first, count):
    """That many events; the index after the last."""
    body = lines(*[native(number, WORD) for number in range(first, first + count)])
    headers = {"content-type": "application/x-ndjson"}
    answer = client.post("/v1/events?tenant=acme", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["results"][-1]["index"] + 1


def confirm(client):
    """What time it is by the server's clock is taken for the time."""
    clock = client.get("/v1/retention/clock").json()
    answer = client.post("/v1/retention/clock", json={"clock": clock["clock"]})
    assert answer.json()["trusted"] is True, answer.text
    return clock


def until(is_so, within_s=PATIENCE_S):
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def stated(client):
    """The ranges of every statement, in the order of the log."""
    found = []
    after = -1
    while True:
        params = {"tenant": "acme", "after": after, "limit": 1_000}
        page = client.get("/v1/feed", params=params).json()
        found += [event["sealog"] for event in page["events"] if event["event"]["kind"] == "state"]
        if int(page["next_cursor"]) == after:
            return found
        after = int(page["next_cursor"])


def test_a_server_lets_go_of_what_has_expired_once_its_clock_is_confirmed(data, serve, clock):
    """An hour and 1/48 of it after they were kept, no file holds a word of them."""
    server = serve(preset=clock.preset, **HURRIED)
    key = server.key
    keep_an_hour(server, key)
    with server.client(key) as client:
        size = take_in(client, 0, 400)
        client.get("/v1/events", params={"tenant": "acme", "limit": 1, "at_least": size - 1})
        until(lambda: any(name.endswith(".arrow") for name in found(data, WORD.encode())))
        clock.set(LATER_S)
        metrics = client.get("/metrics").text
        assert "sealog_retention_clock_trusted 0.0" in metrics
        assert client.get("/v1/count", params={"tenant": "acme"}).json()["count"] == 0
        assert found(data, WORD.encode())

        before = confirm(client)
        until(lambda: not found(data, WORD.encode()))
        until(lambda: client.get("/v1/retention/clock").json()["tenants_waiting"] == 0)
        gone = client.get("/v1/tenants/acme/events/3")
    ran = script("verify", "--data", data, "--json", cwd=data.parent)

    assert before["ahead_s"] >= LATER_S - 60
    assert before["trusted"] is False
    assert gone.status_code == 410
    assert ran.code == 0
    assert server.stop() == 0
    check_stopped(data)
    report = verifying.report_of(data)
    assert report.counts.expired >= size
    assert report.counts.unexplained == 0


@pytest.mark.parametrize("seed", range(2 if ALL else 1))
def test_kill_9_while_events_expire_leaves_none_gone_without_a_word_and_none_told_twice(
    data, serve, clock, seed
):
    dice = random.Random(seed)
    server = serve(preset=clock.preset, **HURRIED)
    key = server.key
    keep_an_hour(server, key)
    ahead_s, number = 0, 0
    for _ in range(KILLS):
        with server.client(key) as client:
            size = take_in(client, number, 200)
            number += 200
            client.get("/v1/events", params={"tenant": "acme", "limit": 1, "at_least": size - 1})
            ahead_s += LATER_S
            clock.set(ahead_s)
            confirm(client)
        time.sleep(dice.uniform(0.0, 0.4))
        server.kill()
        wait_for_the_end_of(server)
        report = verifying.report_of(data)
        assert report.holds, [str(fault) for fault in report.faults]
        server = serve(preset=clock.preset, **HURRIED)

    with server.client(key) as client:
        until(lambda: not found(data, WORD.encode()))
        statements = stated(client)
    assert server.stop() == 0
    check_stopped(data)
    report = verifying.report_of(data)
    told = [index for says in statements for index in indexes_of(says)]
    assert len(told) == len(set(told)) == report.counts.expired
    assert report.counts.expired >= number
    assert report.counts.unexplained == 0
    assert [str(one) for one in report.unfinished if "expired" in one.what] == []


def indexes_of(says):
    spans = spans_of(msgspec.json.encode(says))
    return [index for first, last in spans for index in range(first, last + 1)]
