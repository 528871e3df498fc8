from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealog.delivery import addresses
from sealog.delivery.addresses import Allowed, Place
from sealog.errors import Refused

NOTHING = Allowed()
OWN = Allowed(networks=(ip_network("10.1.0.0/16"), ip_network("127.0.0.0/8")))
PLACE = Place("https", "receiver.example", 443, "/", "https://receiver.example/")


def bars(address, place=PLACE, allowed=NOTHING):
    return addresses.bars(ip_address(address), place, allowed)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1",
        "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.127.255.255", "169.254.1.1",
        "169.254.169.254", "168.63.129.16", "100.100.100.200", "224.0.0.1", "239.1.1.1",
        "240.0.0.1", "255.255.255.255", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1",
        "203.0.113.1", "192.88.99.1",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1",
        "2001:db8::1", "2002:7f00:1::", "2002:808:808::", "2001::1", "2001:0:4136:e378::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "3fff::1",
        "5f00::1", "4000::1",
    ],
)  # fmt: skip
def test_no_address_of_this_machine_or_its_networks_is_sent_to(address):
    """Whatever form it comes in: mapped, 6to4, NAT64, Teredo."""
    assert bars(address) is not None


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8",
     "64:ff9b::808:808"],
)  # fmt: skip
def test_public_addresses_are_sent_to(address):
    assert bars(address) is None


def test_networks_that_the_operator_names_are_open_and_no_others():
    assert bars("10.1.2.3", allowed=OWN) is None
    assert bars("::ffff:10.1.2.3", allowed=OWN) is None
    assert bars("10.2.0.1", allowed=OWN) == (
        "in a private network, which [delivery] allowed_networks does not name"
    )


@pytest.mark.parametrize("address", ["169.254.169.254", "100.100.100.200", "168.63.129.16"])
def test_a_metadata_service_is_open_only_where_it_is_named_itself(address):
    """A wide network that happens to hold it was not meant."""
    wide = Allowed(networks=(ip_network("0.0.0.0/0"),))
    named = Allowed(networks=(ip_network(address),))

    assert bars(address, allowed=wide) == "in a cloud's metadata service"
    assert bars(address, allowed=named) is None


def test_plain_http_and_low_ports_are_for_own_networks():
    plain = Place("http", "a.example", 80, "/", "http://a.example/")
    mail = Place("https", "a.example", 25, "/", "https://a.example:25/")

    assert bars("8.8.8.8", plain) == "public, and there only https is allowed"
    assert bars("8.8.8.8", mail) == "public, and there port 25 is not allowed"
    assert bars("10.1.0.1", plain, OWN) is None
    assert bars("10.1.0.1", mail, OWN) is None


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_the_same_in_every_form(address):
    """Mapped into IPv6, and translated by NAT64."""
    mapped = IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed)
    translated = IPv6Address(IPv6Address("64:ff9b::").packed[:12] + address.packed)

    assert bars(mapped) == bars(address) == bars(translated)


@given(st.ip_addresses())
def test_only_global_addresses_are_ever_open(address):
    """What Python itself calls private, loopback, link-local, multicast or reserved is closed."""
    judged = addresses.plain(address)
    if judged.is_private or judged.is_loopback or judged.is_link_local or judged.is_multicast:
        assert bars(address) is not None
    if judged.is_unspecified or (isinstance(judged, IPv4Address) and judged.is_reserved):
        assert bars(address) is not None


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        ("https://receiver.example", "receiver.example", 443, "/"),
        ("HTTPS://Receiver.Example/In?a=b%20c", "receiver.example", 443, "/In?a=b%20c"),
        ("https://receiver.example:8443/x", "receiver.example", 8443, "/x"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/"),
        ("https://8.8.8.8/", "8.8.8.8", 443, "/"),
        ("https://[2606:4700::1111]:8443/", "2606:4700::1111", 8443, "/"),
    ],
)
def test_a_url_is_read_into_its_parts(url, host, port, target):
    place = addresses.read(url, NOTHING, "/url")

    assert (place.scheme, place.host, place.port, place.target) == ("https", host, port, target)
    assert addresses.place_of(place.text) == place


@pytest.mark.parametrize(
    "url",
    [
        "", "receiver.example", "ftp://a.example/", "file:///etc/passwd", "gopher://a.example/",
        "http://a.example/", "https://", "https:///x", "https://user@a.example/",
        "https://user:secret@a.example/", "https://a.example#x", "https://a.example/#",
        "https://a.example:0/", "https://a.example:65536/", "https://a.example:x/",
        "https://a.example\\@b.example/", "https://a.example/ x", "https://a.example/\r\nX: y",
        "https://a.example/\x00", "https://bücher.example/", "https://127。0。0。1/",
        "https://a..example/", "https://-a.example/", "https://a.example:443:80/",
        "https://[::1/", "https://::1/", "https://[::1]x/", "https://[fe80::1%25eth0]/",
        "https://[v1.a]/", "https://a%2eexample/", "https://" + "a" * 254 + "/",
        "https://a.example/" + "a" * 2_048,
    ],
)  # fmt: skip
def test_what_is_no_url_to_send_to_is_refused(url):
    with pytest.raises(Refused) as refused:
        addresses.read(url, NOTHING, "/destination/url")

    assert refused.value.code == "bad-url"
    assert refused.value.pointer == "/destination/url"
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f000001", "017700000001", "0x7f.1", "127.1", "127.0.1", "0177.0.0.1",
     "127.0.0.01", "1.2.3.4.5", "0x7f.0x0.0x0.0x1", "300.1.1.1", "a.0x10", "a.1"],
)  # fmt: skip
def test_an_address_is_spelled_in_one_way_only(host):
    """The C library reads all of these as addresses."""
    with pytest.raises(Refused, match="four decimal numbers"):
        addresses.read(f"https://{host}/", NOTHING, "/url")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:7f00:1]", "localhost",
     "LOCALHOST.", "a.localhost", "[fd00:ec2::254]"],
)  # fmt: skip
def test_an_address_that_could_never_be_sent_to_is_refused_at_once(host):
    with pytest.raises(Refused) as refused:
        addresses.read(f"https://{host}/", NOTHING, "/url")

    assert refused.value.code == "address-not-allowed"


def test_own_networks_open_plain_http_for_what_is_in_them():
    place = addresses.read("http://127.0.0.1:8080/in", OWN, "/url")

    assert (place.scheme, place.port) == ("http", 8080)
    with pytest.raises(Refused, match="only https"):
        addresses.read("http://8.8.8.8/", OWN, "/url")


@given(st.text(max_size=60))
def test_whatever_is_written_is_read_or_refused(text):
    try:
        place = addresses.read(f"https://{text}", NOTHING, "/url")
    except Refused:
        return

    assert place.host.isascii()
    assert "@" not in place.host
    assert addresses.place_of(place.text) == place
