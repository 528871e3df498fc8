import asyncio
import socket
import threading

import httpcore
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.delivery.made import LOOPBACK, Names
from tests.delivery.receivers import Receiver, certificate

from sealog.delivery import addresses, connecting
from sealog.delivery.addresses import Allowed
from sealog.delivery.connecting import Barred, Judged, Resolver, Unresolved


def connect(host, port, resolve, allowed=LOOPBACK):
    async def run():
        place = addresses.place_of(f"http://{host}:{port}/")
        stream = await Judged(place, allowed, resolve).connect_tcp(place.host, port, 5)
        peer = stream.get_extra_info("server_addr")
        await stream.aclose()
        return peer

    return asyncio.run(run())


def to_receiver(resolve, allowed=LOOPBACK):
    """Where a connection to `a.example` ended, with a receiver on 127.0.0.1 only."""

    async def run():
        async with Receiver() as receiver:
            place = addresses.place_of(f"http://a.example:{receiver.port}/")
            network = Judged(place, allowed, resolve)
            stream = await network.connect_tcp(place.host, place.port, 5)
            peer = stream.get_extra_info("server_addr")
            await stream.aclose()
            return peer[0]

    return asyncio.run(run())


def test_the_connection_goes_to_the_address_that_was_judged():
    """The name is asked for once: a second answer could be another."""
    resolve = Names(a_example=[["127.0.0.1"], ["10.0.0.1"]])

    assert to_receiver(resolve) == "127.0.0.1"
    assert len(resolve.asked) == 1


def test_of_several_addresses_only_those_that_are_open_are_tried():
    assert to_receiver(Names(a_example=["10.0.0.1", "169.254.169.254", "127.0.0.1"])) == "127.0.0.1"


def test_an_address_that_does_not_answer_is_followed_by_the_next():
    """127.0.0.2 is this machine too, and nobody listens there."""
    assert to_receiver(Names(a_example=["127.0.0.2", "127.0.0.1"])) == "127.0.0.1"


def test_an_address_that_answers_nothing_at_all_does_not_take_all_the_time(monkeypatch):
    """A broken network for IPv6 is common; the next address is one for IPv4."""
    monkeypatch.setattr(connecting, "CONNECT_S", 0.1)
    limits = []

    class Network:
        async def connect_tcp(self, *asked):
            limits.append((asked[0], asked[2]))
            raise httpcore.ConnectTimeout

    async def run(limit_s):
        place = addresses.place_of("https://a.example/")
        network = Judged(place, LOOPBACK, Names(a_example=["2606:4700::1", "8.8.8.8"]))
        network._network = Network()
        with pytest.raises(httpcore.ConnectTimeout):
            await network.connect_tcp("a.example", 443, limit_s)

    asyncio.run(run(None))
    asyncio.run(run(0.05))

    assert limits == [
        ("2606:4700::1", 0.1),
        ("8.8.8.8", None),
        ("2606:4700::1", 0.05),
        ("8.8.8.8", 0.05),
    ]


def test_when_none_answers_the_last_reason_is_given():
    async def run():
        async with Receiver() as receiver:
            return receiver.port

    port = asyncio.run(run())
    with pytest.raises(httpcore.ConnectError):
        connect("a.example", port, Names(a_example=["127.0.0.1", "127.0.0.2"]))


@pytest.mark.parametrize(
    "answered",
    [["10.0.0.1"], ["::1"], ["169.254.169.254"], ["::ffff:127.0.0.1"], ["0.0.0.0"], ["fe80::1%lo"]],
)
def test_a_name_for_nothing_that_is_open_is_barred_without_naming_the_address(answered):
    """Otherwise a destination could be used to ask what names mean inside."""
    with pytest.raises(Barred) as barred:
        connect("a.example", 443, Names(a_example=answered), Allowed())

    assert answered[0] not in str(barred.value)


@pytest.mark.parametrize("answered", [[], OSError("no"), ["nonsense"]])
def test_a_name_that_means_nothing_is_unresolved(answered):
    with pytest.raises(Unresolved):
        connect("a.example", 443, Names(a_example=answered))


def test_an_address_in_the_url_is_asked_of_nobody():
    resolve = Names()

    with pytest.raises(Barred):
        connect("10.0.0.1", 443, resolve)
    assert resolve.asked == []


def test_the_system_is_asked_once_for_a_name_that_is_being_asked_for(monkeypatch):
    """And whoever gives up waiting does not end it for the others."""
    asked = []
    go = threading.Event()

    def look_up(host, port, **_):
        asked.append(host)
        go.wait(10)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    resolver = Resolver()

    async def run():
        one = asyncio.create_task(resolver("a.example", 443))
        two = asyncio.create_task(resolver("a.example", 443))
        await asyncio.sleep(0)
        one.cancel()
        await asyncio.gather(one, return_exceptions=True)
        go.set()
        first = await two
        return first, await resolver("a.example", 443)

    found = asyncio.run(run())

    assert found == (["127.0.0.1"], ["127.0.0.1"])
    assert asked == ["a.example", "a.example"]


def test_names_that_nobody_answers_for_do_not_hold_up_the_loop(monkeypatch):
    go = threading.Event()

    def look_up(host, _port, **_):
        if host == "slow.example":
            go.wait(10)
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    resolver = Resolver()

    async def run():
        slow = asyncio.create_task(resolver("slow.example", 443))
        with pytest.raises(OSError, match="no such name"):
            await resolver("quick.example", 443)
        assert not slow.done()
        go.set()
        with pytest.raises(OSError, match="no such name"):
            await slow

    asyncio.run(run())


def test_a_name_too_odd_for_the_system_is_an_error_of_the_name():
    async def run():
        with pytest.raises(OSError, match="is no name"):
            await Resolver()("a" * 70 + ".example", 443)

    asyncio.run(run())


def test_only_a_certificate_is_an_authority(tmp_path):
    pem, _ = certificate(tmp_path, "a.example")

    assert connecting.trust(pem).cert_store_stats()["x509"] == 1
    assert connecting.trust().cert_store_stats()["x509_ca"] > 50
    for text in ("", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(ValueError, match="certificate"):
            connecting.trust(text)


@given(st.lists(st.ip_addresses(), max_size=6))
def test_whatever_a_name_stands_for_only_open_addresses_are_connected_to(answered):
    """And where there is none, nothing is tried."""
    tried = []

    class Network:
        async def connect_tcp(self, *asked):
            tried.append(asked[0])
            raise httpcore.ConnectError

    place = addresses.place_of("https://a.example/")
    network = Judged(place, LOOPBACK, Names(a_example=list(map(str, answered))))
    network._network = Network()

    with pytest.raises((Barred, Unresolved, httpcore.ConnectError)):
        asyncio.run(network.connect_tcp("a.example", 443))

    free = [str(one) for one in answered if addresses.bars(one, place, LOOPBACK) is None]
    assert tried == list(dict.fromkeys(free))[: connecting.ADDRESSES_TRIED_MAX]
