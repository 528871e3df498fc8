import asyncio
import base64
import time

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import Webhook as Verifier
from tests.delivery.made import AT_US, SECRET, Names, hook, outcomes, record, records
from tests.delivery.receivers import OK, Receiver, answer, certificate

from sealog.delivery import connecting, signing, talking, webhook
from sealog.delivery.addresses import Allowed
from sealog.delivery.destination import DELIVERED, Outcome
from sealog.delivery.webhook import judge, retry_after_s


def sent(receiver_answers, given, **more):
    """What came of sending records to a receiver with these answers, and the receiver."""

    async def run():
        async with Receiver(*receiver_answers) as receiver:
            destination = hook(f"http://127.0.0.1:{receiver.port}/in?x=1", **more)
            return await destination.send(given), receiver

    return asyncio.run(run())


def test_a_record_is_one_signed_request_that_receivers_verify():
    """With the library that receivers use, and nothing of ours."""
    now_us = int(time.time() * 1e6)

    verdicts, receiver = sent([OK], records(7), clock_us=lambda: now_us)

    (request,) = receiver.requests
    assert verdicts == [DELIVERED]
    assert request.line == "POST /in?x=1 HTTP/1.1"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == "str_1-7"
    assert request.headers["sealog-index"] == "7"
    assert request.headers["sealog-tenant"] == "acme"
    assert Verifier(SECRET).verify(request.body, request.headers) == {
        "type": "user.login",
        "timestamp": "2026-09-21T14:13:20.000007Z",
        "data": {
            "tenant": "acme",
            "index": 7,
            "event": {"event": {"action": "user.login"}, "n": 7},
        },
    }


def test_a_retry_carries_the_same_id_and_a_time_of_its_own():
    times = iter([AT_US, AT_US, AT_US + 5_000_000, AT_US + 5_000_000])

    async def run():
        async with Receiver(answer(503), OK) as receiver:
            destination = hook(f"http://127.0.0.1:{receiver.port}/", clock_us=lambda: next(times))
            first = await destination.send(records(7))
            return first, await destination.send(records(7)), receiver

    first, second, receiver = asyncio.run(run())

    assert outcomes(first) == [("later", "status-503")]
    assert second == [DELIVERED]
    one, two = receiver.requests
    assert one.headers["webhook-id"] == two.headers["webhook-id"] == "str_1-7"
    assert int(two.headers["webhook-timestamp"]) - int(one.headers["webhook-timestamp"]) == 5
    assert one.headers["webhook-signature"] != two.headers["webhook-signature"]


def test_ed25519_and_hmac_signatures_stand_side_by_side_while_a_key_is_replaced():
    key = signing.draw_key("ed25519", lambda count: b"k" * count)
    keys = (signing.Key(SECRET), signing.Key(key.text, AT_US + 1))

    async def run():
        async with Receiver() as receiver:
            destination = hook(f"http://127.0.0.1:{receiver.port}/")
            destination._signer = signing.Signer(keys)
            await destination.send(records(7))
            return receiver.requests[0]

    request = asyncio.run(run())

    hmac, _, ed25519 = request.headers["webhook-signature"].partition(" ")
    public = base64.b64decode(signing.public_key(key).removeprefix("whpk_"))
    signed = f"str_1-7.{AT_US // 1_000_000}.".encode() + request.body
    assert hmac.startswith("v1,")
    signature = base64.b64decode(ed25519.removeprefix("v1a,"))
    Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)


def test_the_record_alone_may_be_the_body():
    """ES-10, ES-01: each stored log is pushed as the documented record; its index is a header."""
    verdicts, receiver = sent([OK], records(7), bare=True)

    (request,) = receiver.requests
    assert verdicts == [DELIVERED]
    assert request.body == record(7).body
    assert request.headers["sealog-index"] == "7"
    assert request.headers["webhook-id"] == "str_1-7"


def test_records_go_one_after_the_other_over_one_connection():
    verdicts, receiver = sent([OK], records(1, 2, 3, 4, 5))

    assert verdicts == [DELIVERED] * 5
    assert [request.headers["sealog-index"] for request in receiver.requests] == list("12345")
    assert receiver.connections == 1


def test_nothing_after_a_record_that_must_wait_is_tried():
    """Order is kept: the next attempt begins with the same record."""
    verdicts, receiver = sent([OK, answer(500), OK], records(1, 2, 3))

    assert outcomes(verdicts) == [("delivered", ""), ("later", "status-500")]
    assert len(receiver.requests) == 2


def test_a_record_that_is_refused_for_good_holds_up_nothing():
    verdicts, _ = sent([OK, answer(422), OK], records(1, 2, 3))

    assert outcomes(verdicts) == [("delivered", ""), ("refused", "status-422"), ("delivered", "")]
    assert verdicts[1].reason == "answered 422 Unprocessable Entity"


def test_headers_of_the_receiver_go_along():
    _, receiver = sent([OK], records(1), headers=(("authorization", "Bearer abc"),))

    assert receiver.requests[0].headers["authorization"] == "Bearer abc"


def test_a_batch_is_one_request():
    verdicts, receiver = sent([OK], records(3, 4, 9), records_max=10)

    (request,) = receiver.requests
    body = msgspec.json.decode(request.body)
    assert verdicts == [DELIVERED] * 3
    assert request.headers["webhook-id"] == "str_1-3-9"
    assert request.headers["sealog-index"] == "3-9"
    assert body["type"] == "sealog.batch"
    assert body["data"]["tenant"] == "acme"
    assert [one["index"] for one in body["data"]["events"]] == [3, 4, 9]
    assert body["data"]["events"][2] == {
        "type": "user.login",
        "timestamp": "2026-09-21T14:13:20.000009Z",
        "index": 9,
        "event": {"event": {"action": "user.login"}, "n": 9},
    }


def test_a_batch_that_is_refused_is_sent_one_by_one_to_find_the_reason():
    verdicts, receiver = sent([answer(400), OK, answer(400), OK], records(3, 4, 9), records_max=10)

    assert outcomes(verdicts) == [("delivered", ""), ("refused", "status-400"), ("delivered", "")]
    assert [request.headers["webhook-id"] for request in receiver.requests] == [
        "str_1-3-9",
        "str_1-3",
        "str_1-4",
        "str_1-9",
    ]


def test_a_batch_that_is_refused_is_looked_through_piece_by_piece():
    """What is left goes as a batch again; a thousand single requests would take for ever."""
    many = records(*range(100))

    verdicts, receiver = sent([answer(400), OK], many, records_max=100)

    assert verdicts == [DELIVERED] * 32
    assert len(receiver.requests) == 33


def test_a_slow_receiver_keeps_what_it_took(monkeypatch):
    monkeypatch.setattr(webhook, "SEND_S", 0.0)

    verdicts, receiver = sent([OK], records(1, 2, 3))

    assert verdicts == [DELIVERED]
    assert len(receiver.requests) == 1


def test_a_batch_that_must_wait_is_tried_once():
    verdicts, receiver = sent([answer(503)], records(3, 4), records_max=10)

    assert outcomes(verdicts) == [("later", "status-503")]
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status):
    """Not even to itself: an address that was not judged is never asked."""
    verdicts, receiver = sent([answer(status, "location: /elsewhere"), OK], records(1))

    assert outcomes(verdicts) == [("later", f"status-{status}")]
    assert "redirects are not followed" in verdicts[0].reason
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.DELIVERED), (201, Outcome.DELIVERED), (202, Outcome.DELIVERED),
        (204, Outcome.DELIVERED), (299, Outcome.DELIVERED),
        (400, Outcome.REFUSED), (409, Outcome.REFUSED), (413, Outcome.REFUSED),
        (422, Outcome.REFUSED),
        (410, Outcome.GONE),
        (300, Outcome.LATER), (304, Outcome.LATER), (399, Outcome.LATER),
        (401, Outcome.LATER), (403, Outcome.LATER), (404, Outcome.LATER), (405, Outcome.LATER),
        (408, Outcome.LATER), (415, Outcome.LATER), (425, Outcome.LATER), (429, Outcome.LATER),
        (499, Outcome.LATER), (500, Outcome.LATER), (502, Outcome.LATER), (503, Outcome.LATER),
        (504, Outcome.LATER), (599, Outcome.LATER),
    ],
)  # fmt: skip
def test_only_2xx_delivers_and_only_what_says_so_of_the_record_refuses_it(status, outcome):
    """A wrong token or path is the operator's to mend: no trail is put aside for it."""
    assert judge(status, [], 0).outcome is outcome


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"120", 120.0),
        (b" 0 ", 0.0),
        (b"Mon, 21 Sep 2026 14:14:20 GMT", 60.0),
        (b"Mon, 21 Sep 2026 14:12:20 GMT", 0.0),
        (b"Mon, 21 Sep 2026 14:14:20 -0000", 60.0),
        (b"soon", None),
        (b"-5", None),
        (b"1.5", None),
        (b"9999999999", None),
        (b"", None),
        (b"\xff", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value, seconds):
    assert retry_after_s(value, AT_US) == seconds


@pytest.mark.parametrize("status", [429, 503])
def test_what_a_receiver_asks_for_is_passed_on(status):
    verdicts, _ = sent([answer(status, "Retry-After: 90")], records(1))

    assert verdicts[0].retry_after_s == 90.0


def test_a_receiver_that_has_gone_says_so_once():
    verdicts, receiver = sent([answer(410)], records(1, 2))

    assert outcomes(verdicts) == [("gone", "status-410")]
    assert len(receiver.requests) == 1


async def hang(writer):
    await asyncio.sleep(60)


async def dribble(writer):
    """A slow loris: a byte now and then, for ever within any timeout between two bytes."""
    for byte in b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 1_000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("answers", [hang, dribble])
def test_the_whole_of_an_attempt_has_one_limit(answers):
    verdicts, _ = sent([answers], records(1, 2), timeout_s=0.3)

    assert outcomes(verdicts) == [("later", "timeout")]
    assert verdicts[0].reason == "no answer within 0.3 s"


async def endless(writer):
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
        await writer.drain()


async def slow_rest(writer):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nx")
    await asyncio.sleep(60)


async def half(writer):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nx")


@pytest.mark.parametrize("answers", [endless, slow_rest, half])
def test_an_answer_counts_whatever_comes_behind_it(answers, monkeypatch):
    """A huge body is not read, a slow one not waited for; the next record has a new connection."""
    monkeypatch.setattr(talking, "REST_S_MAX", 0.2)

    verdicts, receiver = sent([answers, OK], records(1, 2))

    assert verdicts == [DELIVERED, DELIVERED]
    assert receiver.connections == 2


async def nonsense(writer):
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    await writer.drain()


async def hang_up(writer):
    pass


async def huge_head(writer):
    writer.write(b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 200_000)
    await writer.drain()
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("answers", "kind"),
    [(nonsense, "protocol"), (hang_up, "connection"), (huge_head, "protocol")],
)
def test_what_is_no_answer_is_later(answers, kind):
    verdicts, _ = sent([answers], records(1))

    assert outcomes(verdicts) == [("later", kind)]


def test_nobody_at_home_is_later():
    async def run():
        async with Receiver() as receiver:
            port = receiver.port
        return await hook(f"http://127.0.0.1:{port}/").send(records(1))

    verdicts = asyncio.run(run())

    assert outcomes(verdicts) == [("later", "connect")]
    assert verdicts[0].reason == "the connection was refused"


def test_an_answer_is_never_kept():
    """Whatever it says: it may hold secrets of the receiver, or words meant to mislead."""
    answers = b"HTTP/1.1 500 secret-phrase\r\ncontent-length: 6\r\n\r\nsecret"

    verdicts, _ = sent([answers], records(1))

    assert verdicts[0].reason == "answered 500 Internal Server Error"


def tls(tmp_path, names, *, host="receiver.example", authority=True, days=30):
    """What came of sending to a receiver with a certificate of its own."""
    pem, context = certificate(tmp_path, *names, days=days)

    async def run():
        async with Receiver(context=context) as receiver:
            trust = connecting.trust(pem if authority else None)
            resolve = Names(receiver_example=["127.0.0.1"], receiver_example_=["127.0.0.1"])
            url = f"https://{host}:{receiver.port}/"
            destination = hook(url, trust=trust, resolve=resolve)
            return await destination.send(records(1)), receiver

    return asyncio.run(run())


def test_a_certificate_that_does_not_verify_is_said_clearly(tmp_path):
    verdicts, receiver = tls(tmp_path, ["receiver.example"], authority=False)

    assert outcomes(verdicts) == [("later", "tls")]
    assert verdicts[0].reason == "the certificate does not verify: self-signed certificate"
    assert receiver.requests == []


def test_a_certificate_for_another_name_does_not_verify(tmp_path):
    verdicts, receiver = tls(tmp_path, ["other.example"])

    assert outcomes(verdicts) == [("later", "tls")]
    assert "Hostname mismatch" in verdicts[0].reason
    assert receiver.requests == []


def test_a_certificate_whose_time_is_over_does_not_verify(tmp_path):
    verdicts, _ = tls(tmp_path, ["receiver.example"], days=-1)

    assert verdicts[0].reason == "the certificate does not verify: certificate has expired"


def test_the_name_is_verified_though_the_connection_goes_to_an_address(tmp_path):
    """An authority of the receiver's own can be named."""
    verdicts, receiver = tls(tmp_path, ["receiver.example"])

    assert verdicts == [DELIVERED]
    assert receiver.requests[0].headers["host"] == f"receiver.example:{receiver.port}"


def test_a_name_may_end_in_a_dot(tmp_path):
    """Then the resolver adds nothing to it; certificates are without."""
    verdicts, _ = tls(tmp_path, ["receiver.example"], host="receiver.example.")

    assert verdicts == [DELIVERED]


def test_an_address_may_stand_in_a_certificate(tmp_path):
    verdicts, _ = tls(tmp_path, ["127.0.0.1"], host="127.0.0.1")

    assert verdicts == [DELIVERED]


def test_plain_text_where_tls_was_expected_is_said():
    async def run():
        async with Receiver(greeting=b"220 mail.example ESMTP\r\n") as receiver:
            return await hook(f"https://127.0.0.1:{receiver.port}/").send(records(1))

    verdicts = asyncio.run(run())

    assert outcomes(verdicts) == [("later", "tls")]
    assert verdicts[0].reason == "TLS failed: wrong version number"


def test_a_name_is_judged_anew_on_every_attempt():
    """DNS rebinding: a name that pointed to an open address points into the network next time."""
    resolve = Names(rebound_example=[["127.0.0.1"], ["10.0.0.1"]])

    async def run():
        async with Receiver() as receiver:
            destination = hook(f"http://rebound.example:{receiver.port}/", resolve=resolve)
            first = await destination.send(records(1))
            return first, await destination.send(records(2)), receiver

    first, second, receiver = asyncio.run(run())

    assert first == [DELIVERED]
    assert outcomes(second) == [("later", "address")]
    assert "10.0.0.1" not in second[0].reason
    assert len(receiver.requests) == 1


def test_nothing_is_sent_to_a_network_that_is_not_open():
    async def run():
        async with Receiver() as receiver:
            resolve = Names(inner_example=["127.0.0.1", "::1", "::ffff:127.0.0.1"])
            url = f"http://inner.example:{receiver.port}/"
            verdicts = await hook(url, allowed=Allowed(), resolve=resolve).send(records(1))
            return verdicts, receiver

    verdicts, receiver = asyncio.run(run())

    assert outcomes(verdicts) == [("later", "address")]
    assert verdicts[0].reason == (
        "the host's address is in a loopback network, which [delivery] allowed_networks does not"
        " name"
    )
    assert receiver.connections == 0


def test_a_name_that_does_not_resolve_is_later():
    resolve = Names(lost_example=OSError("no such name"))

    verdicts = asyncio.run(hook("https://lost.example/", resolve=resolve).send(records(1)))

    assert outcomes(verdicts) == [("later", "dns")]


def test_proxies_of_the_environment_are_not_asked(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")

    verdicts, _ = sent([OK], records(1))

    assert verdicts == [DELIVERED]


@pytest.mark.parametrize("bare", [False, True])
def test_a_check_sends_a_record_that_says_that_it_is_a_test(bare):
    async def run():
        async with Receiver() as receiver:
            destination = hook(f"http://127.0.0.1:{receiver.port}/", bare=bare)
            verdict = await destination.check()
            await destination.close()
            return verdict, receiver.requests

    verdict, (request,) = asyncio.run(run())

    body = msgspec.json.decode(request.body)
    assert verdict == DELIVERED
    assert "sealog-index" not in request.headers
    test = body if bare else body["data"]
    assert test == {"sealog": {"test": True, "tenant": "acme"}}
    assert bare or body["type"] == "sealog.test"


def test_a_send_that_is_cancelled_leaves_nothing_open():
    async def run():
        async with Receiver(hang) as receiver:
            sending = asyncio.create_task(
                hook(f"http://127.0.0.1:{receiver.port}/").send(records(1))
            )
            await receiver.met.wait()
            sending.cancel()
            with pytest.raises(asyncio.CancelledError):
                await sending

    asyncio.run(run())


@pytest.mark.parametrize("value", ["x\r\nhost: other", "x\ny"])
def test_nothing_makes_two_requests_of_one(value):
    """Read strictly before; what is stored is not believed either."""
    with pytest.raises(AssertionError):
        hook("http://127.0.0.1:1/", headers=(("x-token", value),))
