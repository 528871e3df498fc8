import pytest

from sealog.dialects.addresses import Addresses
from sealog.event import tokens


@pytest.mark.parametrize(
    ("written", "ip", "port"),
    [
        ("1.2.3.4", "1.2.3.4", None),
        (" 1.2.3.4 ", "1.2.3.4", None),
        ("/1.2.3.4", "1.2.3.4", None),
        ("host.example/1.2.3.4", "1.2.3.4", None),
        ("1.2.3.4:65535", "1.2.3.4", 65535),
        ("::1", "::1", None),
        ("[::1]", "::1", None),
        ("/[::1]:0", "::1", 0),
        ("/0:0:0:0:0:0:0:1", "::1", None),
        ("0:0:0:0:0:0:0:1", "0:0:0:0:0:0:0:1", None),
        ("::ffff:1.2.3.4", "::ffff:1.2.3.4", None),
        ("/fe80:0:0:0:1:2:3:4%eth0", "fe80::1:2:3:4", None),
    ],
)
def test_an_address_is_read_however_it_is_written(written, ip, port):
    found = Addresses().read(tokens.encode(written))

    assert found is not None
    assert tokens.plain(found.ip) == ip
    assert (None if found.port is None else tokens.plain(found.port)) == port
    assert found.mended is (written != ip)


@pytest.mark.parametrize(
    "written",
    ["", "/", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4:65536", "1.2.3.4/24", "::1::", "[1.2.3.4",
     "unknown", "1.2.3.4, 5.6.7.8", 7, None, ["1.2.3.4"], {"ip": "1.2.3.4"}],
)  # fmt: skip
def test_anything_else_is_no_address(written):
    assert Addresses().read(tokens.encode(written)) is None


def test_an_address_that_needs_no_mending_keeps_its_token():
    token = rb'"1.2.3\u002e4"'

    found = Addresses().read(token)

    assert found is not None
    assert bytes(found.ip) == token


def test_what_is_remembered_is_bounded_and_does_not_change_what_is_read():
    addresses = Addresses()

    for number in range(10_000):
        addresses.read(f'"10.0.{number >> 8}.{number & 255}"'.encode())

    assert addresses.read(b'"' + b"h" * 400 + b'/1.2.3.4"') is None
    assert len(addresses._read) <= 4096
    assert max(map(len, addresses._read)) <= 384
    assert addresses.read(b'"10.0.0.1"') == Addresses().read(b'"10.0.0.1"')
