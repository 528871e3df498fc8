"""What is asked for has the form in which it is kept."""

import pytest

from sealog.archive.forms import (
    VALUE_CHARS_MAX,
    address_of,
    addresses_of,
    clip,
    fold,
    id8,
    in_list,
)


def test_names_are_kept_whatever_their_case():
    assert fold("ADA") == fold("ada") == "ada"
    assert fold("STRASSE") == fold("Straße")


def test_a_long_value_is_cut_and_still_told_apart():
    assert clip("x" * VALUE_CHARS_MAX) == "x" * VALUE_CHARS_MAX
    one, other = "x" * 513, "x" * 512 + "y"
    assert clip(one) != clip(other)
    assert clip(one)[:513] == clip(other)[:513] == "x" * 512 + "…"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("255.255.255.255", "255.255.255.255"),
        ("0.0.0.0", "0.0.0.0"),
        ("192.0.2.256", "192.0.2.256"),
        ("192.0.2.01", "192.0.2.01"),
        ("192.0.2.1\n", "192.0.2.1\n"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("0:0:0:0:0:0:0:0", "::"),
        ("fe80::1%EN0", "fe80::1%en0"),
        ("192.0.2.1:443", "192.0.2.1:443"),
        ("Unknown", "unknown"),
        ("", ""),
    ],
)
def test_an_address_has_one_spelling(text: str, expected: str):
    assert address_of(text) == expected
    assert address_of(expected) == expected


def test_an_id_is_found_by_eight_bytes():
    assert id8("e-1").hex() == "b94f523196aaacd8"
    assert id8("\ud800") == id8("?")


def test_a_value_of_a_list_is_one_line():
    assert in_list("two\nlines") == "two lines"


@pytest.mark.parametrize(
    "texts",
    [
        ["10.0.0.1", "", "192.168.255.0"],
        ["10.0.0.1", "2001:DB8::1"],
        ["010.0.0.1"],
        ["1.2.3.4\n"],
        ["1.2.3.4\n5.6.7.8", "9.9.9.9"],
        ["No Address", "::ffff:10.0.0.1"],
        [""],
        [],
    ],
    ids=repr,
)
def test_many_addresses_are_spelt_as_each_is(texts: list[str]):
    assert list(addresses_of(texts)) == [address_of(text) if text else "" for text in texts]
