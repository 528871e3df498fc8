"""Whose word on addresses is taken: a trusted proxy's, and never the client's own."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealog.access.reads import NOWHERE, Origin
from sealog.server import origins
from sealog.server.origins import Origins, address_of

INSIDE = [ipaddress.ip_network(text) for text in ("10.0.0.0/8", "2001:db8:1::/48")]
OURS = Origins(INSIDE)
FORWARDED = Origins(INSIDE, "forwarded")


def origin(peer, *lines, of=OURS, name=b"x-forwarded-for"):
    headers = [(name, line.encode("latin-1")) for line in lines]
    return of.of({"client": (peer, 1234), "headers": headers})


def client(peer, *lines):
    return origin(peer, *lines).client


def by_element(peer, *lines):
    return origin(peer, *lines, of=FORWARDED, name=b"forwarded").client


@pytest.mark.parametrize(
    ("peer", "lines", "expected"),
    [
        pytest.param("192.0.2.1", ["203.0.113.9"], "192.0.2.1", id="a stranger's word"),
        pytest.param("10.0.0.1", [], "10.0.0.1", id="nothing said"),
        pytest.param("10.0.0.1", ["203.0.113.9"], "203.0.113.9", id="one"),
        pytest.param("10.0.0.1", ["6.6.6.6, 203.0.113.9"], "203.0.113.9", id="not the first"),
        pytest.param("10.0.0.1", ["6.6.6.6, 203.0.113.9, 10.9.9.9"], "203.0.113.9", id="two hops"),
        pytest.param("10.0.0.1", ["6.6.6.6", "203.0.113.9", "10.9.9.9"], "203.0.113.9", id="lines"),
        pytest.param("10.0.0.1", ["10.7.7.7, 10.8.8.8"], "10.7.7.7", id="all trusted"),
        pytest.param("10.0.0.1", ["203.0.113.9:5555"], "203.0.113.9", id="port"),
        pytest.param("10.0.0.1", ["2001:db8:2::7"], "2001:db8:2::7", id="six"),
        pytest.param("10.0.0.1", ["[2001:db8:2::7]:443"], "2001:db8:2::7", id="six and port"),
        pytest.param("10.0.0.1", ["2001:db8:1::7, 2001:db8:1::8"], "2001:db8:1::7", id="six in"),
        pytest.param("::ffff:10.0.0.1", ["203.0.113.9"], "203.0.113.9", id="mapped peer"),
        pytest.param("10.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9", id="mapped client"),
        pytest.param("10.0.0.1", ["6.6.6.6, ::ffff:10.1.1.1"], "6.6.6.6", id="mapped proxy"),
        pytest.param("10.0.0.1", ["unknown"], "10.0.0.1", id="garbage"),
        pytest.param("10.0.0.1", ["6.6.6.6, "], "10.0.0.1", id="empty at the right"),
        pytest.param("10.0.0.1", ["6.6.6.6, _hidden, 10.9.9.9"], "10.9.9.9", id="garbage left"),
        pytest.param("10.0.0.1", ["203.0.113.9:99999"], "10.0.0.1", id="no port"),
        pytest.param("10.0.0.1", ["[203.0.113.9"], "203.0.113.9", id="half a bracket"),
        pytest.param("10.0.0.1", ["1.2.3"], "10.0.0.1", id="short"),
        pytest.param("10.0.0.1", ["٣.1.1.1".encode().decode("latin-1")], "10.0.0.1", id="digits"),
    ],
)
def test_the_client_is_the_rightmost_that_is_not_a_proxy_of_ours(peer, lines, expected):
    assert client(peer, *lines) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["for=203.0.113.9"], "203.0.113.9"),
        (["For=203.0.113.9;proto=https;by=10.0.0.1"], "203.0.113.9"),
        (['proto=https; for="203.0.113.9:4711"'], "203.0.113.9"),
        (['for=6.6.6.6, for="[2001:db8:2::7]:4711"'], "2001:db8:2::7"),
        (["for=6.6.6.6, for=203.0.113.9, for=10.5.5.5"], "203.0.113.9"),
        (['for=6.6.6.6;x="', "for=203.0.113.9"], "203.0.113.9"),
        (['host="a;for=6.6.6.6;b";for=203.0.113.9'], "203.0.113.9"),
        (['host="a,for=6.6.6.6;b";for=203.0.113.9'], "203.0.113.9"),
        (['host="a\\",for=6.6.6.6;b";for=203.0.113.9'], "203.0.113.9"),
        (['for=10.3.3.3;host="a,for=6.6.6.6"'], "10.3.3.3"),
        (['for=6.6.6.6", for=10.5.5.5'], "10.5.5.5"),
        (["for=6.6.6.6, proto=https"], "10.0.0.1"),
        (["for=_hidden"], "10.0.0.1"),
        (["for=unknown"], "10.0.0.1"),
        (["203.0.113.9"], "10.0.0.1"),
        (['for="'], "10.0.0.1"),
    ],
)  # fmt: skip
def test_forwarded_is_read_the_same_way(lines, expected):
    """RFC 7239. What a client left open before ours does not swallow ours.

    And what a proxy quotes of it, its host, is not the proxy's word.
    """
    assert by_element("10.0.0.1", *lines) == expected


def test_only_the_header_that_the_proxies_write_is_read():
    headers = [(b"forwarded", b"for=6.6.6.6"), (b"x-real-ip", b"6.6.6.6")]

    assert OURS.of({"client": ("10.0.0.1", 1), "headers": headers}).client == "10.0.0.1"


def test_both_are_kept():
    assert origin("10.0.0.1", "203.0.113.9") == Origin("203.0.113.9", "10.0.0.1")
    assert origin("::ffff:192.0.2.1") == Origin("192.0.2.1", "192.0.2.1")


def test_without_trusted_proxies_no_header_is_read():
    none = Origins()

    assert origin("10.0.0.1", "203.0.113.9", of=none) == Origin("10.0.0.1", "10.0.0.1")


@pytest.mark.parametrize("peer", [None, ("", 0), ("testclient", 5)])
def test_a_peer_without_an_address_is_nowhere(peer):
    assert OURS.of({"client": peer, "headers": [(b"x-forwarded-for", b"1.1.1.1")]}) == NOWHERE


def test_of_a_long_header_the_right_end_is_read():
    long = "6.6.6.6," * 10_000

    assert client("10.0.0.1", long + "203.0.113.9") == "203.0.113.9"
    # What was cut in two is not taken for an address.
    padded = "111.2.3.4" + " " * (origins.HEADER_BYTES_MAX - 8) + ",10.1.1.1"
    assert client("10.0.0.1", padded) == "10.1.1.1"


def test_hops_are_followed_so_far_and_no_further():
    inside = ", ".join(f"10.0.1.{n}" for n in range(100))

    assert client("10.0.0.1", inside) == f"10.0.1.{100 - origins.HOPS_MAX}"


texts = st.text(st.characters(max_codepoint=255), max_size=300)


@given(st.lists(texts, max_size=4), st.sampled_from([OURS, FORWARDED]))
def test_whatever_is_sent_the_origin_is_an_address(lines, of):
    name = b"x-forwarded-for" if of is OURS else b"forwarded"

    found = origin("10.0.0.1", *lines, of=of, name=name)

    assert found.peer == "10.0.0.1"
    ipaddress.ip_address(found.client)


@given(texts, st.ip_addresses(), st.lists(st.ip_addresses(network="10.0.0.0/8"), max_size=3))
def test_what_the_client_wrote_itself_is_never_reached(forged, real, proxies):
    """Whatever stands left of what our first proxy added."""
    written = address_of(str(real))
    said = ", ".join([forged, str(real), *map(str, proxies)])
    expected = str(written)
    if any(written in network for network in INSIDE):
        return

    assert client("10.0.0.1", said) == expected


@given(st.ip_addresses(), st.integers(0, 65_535))
def test_every_form_of_an_address_is_the_same_address(address, port):
    plain = address_of(str(address))
    forms = [f"[{address}]", f"[{address}]:{port}"]
    if address.version == 4:
        forms += [f"{address}:{port}", f"::ffff:{address}"]

    assert {address_of(form) for form in forms} == {plain}
