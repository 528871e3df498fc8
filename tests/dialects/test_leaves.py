import pytest
from msgspec import Raw

from sealog.dialects import leaves


@pytest.mark.parametrize(
    ("node", "written"),
    [(Raw(b'"a"'), "a"), (Raw(b"-1.50"), "-1.50"), (Raw(b"true"), None), (Raw(b"null"), None),
     (Raw(b"[1]"), None), ({}, None), (None, None)],
)  # fmt: skip
def test_a_string_or_a_number_has_a_text(node, written):
    assert leaves.scalar_text(node) == written


@pytest.mark.parametrize(
    ("node", "number"),
    [(Raw(b"12"), 12), (Raw(b'"12"'), 12), (Raw(b'"1.5"'), None), (Raw(b"-1"), None),
     (Raw(b'"' + b"9" * 18 + b'"'), 10**18 - 1), (Raw(b'"' + b"9" * 19 + b'"'), None),
     (Raw('"١٢"'.encode()), None), (Raw(b"[1]"), None), ({}, None), (None, None)],
)  # fmt: skip
def test_whole_numbers_are_digits_and_at_most_eighteen(node, number):
    assert leaves.whole(node) == number


@pytest.mark.parametrize(
    ("node", "blank"),
    [(None, True), (Raw(b"null"), True), (Raw(b'""'), True), (Raw(b'" \\t"'), True),
     (Raw(b'"a"'), False), (Raw(b"0"), False), (Raw(b"[]"), False), ({}, False)],
)  # fmt: skip
def test_blank_is_missing_null_or_white_space(node, blank):
    assert leaves.is_blank(node) is blank


@pytest.mark.parametrize(
    ("node", "item"),
    [(Raw(b'["a"]'), b'"a"'), (Raw(b"[ 1 ]"), b"1"), (Raw(b"[]"), None), (Raw(b"[1,2]"), None),
     (Raw(b"[[1]]"), None), (Raw(b"[{}]"), None), (Raw(b'"a"'), None), ({}, None),
     (Raw(b'["\\ud800"]'), None)],
)  # fmt: skip
def test_only_the_scalar_of_an_array_of_one_is_taken(node, item):
    found = leaves.only_item(node)

    assert (None if found is None else bytes(found)) == item
