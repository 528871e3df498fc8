"""Conditions on one field, asked of a pyarrow array and of single texts: always the same answer."""

import ipaddress

import numpy as np
import pyarrow as pa
import pytest

from sealog.archive import forms, leaves
from sealog.archive.sources import Values
from sealog.errors import Refused
from sealog.query.tree import Between, Has, Inside, Is, Like

ADDRESSES = [
    "", "0.0.0.0", "9.255.255.255", "10.0.0.0", "10.1.2.3", "10.127.255.255", "10.128.0.1",
    "11.0.0.1", "172.15.0.1", "172.16.0.1", "172.31.9.9", "172.32.0.0", "192.168.1.7",
    "192.168.1.8", "255.255.255.255", "2001:db8::1", "2001:db8:1::5", "2001:db9::", "::1",
    "fe80::1%eth0", "10.1.2.3.4", "10.1.2", "10.1.2.300", "010.1.2.3", "x10.1.2.3", "host.example",
    "10.1.2.3\n",
]  # fmt: skip


def _passing(values: Values, texts: list[str]) -> list[str]:
    """What passes, as an array is asked; each text alone must agree."""
    if values.exact:
        return [text for text in texts if text in values.exact]
    assert values.test is not None
    assert values.scan is not None
    found = np.asarray(values.scan(pa.array(texts, pa.string()))).tolist()
    assert [values.test[text] for text in texts] == found
    return [text for text, passes in zip(texts, found, strict=True) if passes]


def _asked(leaf: leaves.Leaf, texts: list[str]) -> list[str]:
    values = leaves.ready(leaf)
    assert isinstance(values, Values)
    return _passing(values, texts)


def test_a_long_target_of_several_lines_is_found_as_it_stands_in_its_column():
    """What is cut off is told apart by its hash: of the same text on both sides."""
    name = "Ada\n" + "x" * 600
    column = forms.in_list(forms.fold(name))

    assert _asked(Is("target", name), [column, "ada"]) == [column]


@pytest.mark.parametrize(
    "network",
    [
        "0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/9", "172.16.0.0/12", "192.168.1.0/24",
        "192.168.1.7/32", "192.168.1.0/29", "10.0.0.0/7", "::ffff:10.0.0.0/104", "2001:db8::/32",
        "2001:db8::1/128", "fe80::/10", "::/0", "2001:db8::/47",
    ],
)  # fmt: skip
def test_an_address_is_in_a_network_as_the_standard_library_says(network: str):
    wanted = ipaddress.ip_network(network)
    mapped = ipaddress.IPv6Network("::ffff:0:0/96")
    if wanted.version == 6 and wanted.subnet_of(mapped):
        wanted = ipaddress.ip_network("10.0.0.0/8")

    def inside(text: str) -> bool:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        return address in wanted

    assert _asked(Inside(network), ADDRESSES) == list(filter(inside, ADDRESSES))


@pytest.mark.parametrize(
    ("pattern", "passing"),
    [
        ("a*c", ["ac", "abc", "a\nc"]),
        ("*", ["ac", "abc", "a\nc", "aca", "cac"]),
        ("a*c*", ["ac", "abc", "a\nc", "aca"]),
        ("*c*a*", ["aca", "cac"]),
        ("**a**", ["ac", "abc", "a\nc", "aca", "cac"]),
        ("c*ca*", []),
        ("a*ac", []),
        ("a.*", []),
    ],
)
def test_a_star_stands_for_any_text_but_not_for_no_value(pattern: str, passing: list[str]):
    texts = ["ac", "abc", "a\nc", "", "aca", "cac"]

    assert _asked(Like("action", pattern), texts) == passing


def test_many_stars_do_not_take_for_ever():
    """Whoever may search must not stop everybody else: nothing runs beside a regular expression."""
    texts = ["a" * 512, "a" * 511 + "b"]

    assert _asked(Like("action", "*a" * 100 + "*b"), texts) == ["a" * 511 + "b"]


@pytest.mark.parametrize(
    ("leaf", "passing"),
    [
        (Is("category", "iam"), ["iam", "iam\nsession", "web\niam"]),
        (Is("category", "ia"), []),
        (Is("category", "iam\nsession"), []),
        (Like("category", "ia*"), ["iam", "iam\nsession", "web\niam"]),
        (Like("category", "*m*s*"), []),
        (Like("category", "*"), ["iam", "iam\nsession", "web\niam", "session"]),
        (Has("category"), ["iam", "iam\nsession", "web\niam", "session"]),
        (Is("category", ""), []),
        (Is("target", "IAM"), ["iam", "iam\nsession", "web\niam"]),
        (Like("target", "SES*"), ["iam\nsession", "session"]),
    ],
    ids=str,
)
def test_a_list_passes_where_one_of_its_values_does(leaf: leaves.Leaf, passing: list[str]):
    texts = ["", "iam", "iam\nsession", "web\niam", "session"]

    assert _asked(leaf, texts) == passing


@pytest.mark.parametrize(
    ("leaf", "exact"),
    [
        (Is("actor", "ADA@Example.com"), "ada@example.com"),
        (Is("actor.name", "Grüße"), "grüsse"),
        (Is("session", "S-1"), "S-1"),
        (Is("action", "User_Login"), "User_Login"),
        (Is("action", "two\nlines"), "two\nlines"),
        (Is("session", "\ud800"), "?"),
        (Is("ip", "2001:DB8:0::1"), "2001:db8::1"),
        (Is("ip", "::ffff:192.0.2.1"), "192.0.2.1"),
        (Is("ip", "Gate"), "gate"),
    ],
    ids=ascii,
)
def test_one_value_is_looked_up_as_it_is_kept(leaf: leaves.Leaf, exact: str):
    values = leaves.ready(leaf)

    assert isinstance(values, Values)
    assert values.exact == (exact,)
    assert bool(values.hashed) == (leaf.field in ("actor", "actor.name", "ip"))


@pytest.mark.parametrize(
    ("leaf", "bounds"),
    [
        (Is("status", "404"), ("status", 404, 404)),
        (Between("status", 400, 499), ("status", 400, 499)),
        (Between("status", None, 499), ("status", 0, 499)),
        (Between("status", -5, None), ("status", 0, None)),
        (Has("status"), ("status", 0, None)),
        (Is("index", "7"), ("index", 7, 7)),
        (Between("index", 3, None), ("index", 3, None)),
        (Has("findings"), ("finding", 1, None)),
        (Is("findings", "true"), ("finding", 1, 1)),
        (Is("findings", "no"), ("finding", 0, 0)),
    ],
    ids=str,
)
def test_numbers_are_within_bounds(leaf: leaves.Leaf, bounds: tuple[str, int, int]):
    assert leaves.ready(leaf) == bounds


@pytest.mark.parametrize(
    "leaf",
    [
        Is("nothing", "x"),
        Is("status", "4x"),
        Is("status", "-1"),
        Is("index", "٣"),
        Is("findings", "maybe"),
        Like("status", "4*"),
        Like("id", "e-*"),
        Between("actor", 1, 2),
        Between("findings", 0, 1),
        Inside("10.0.0.0/33"),
        Inside("somewhere"),
    ],
    ids=str,
)
def test_what_cannot_be_asked_of_a_field_is_refused(leaf: leaves.Leaf):
    with pytest.raises(Refused) as caught:
        leaves.ready(leaf)
    assert caught.value.code == "bad-query"
