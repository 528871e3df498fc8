import base64

import pytest
from tests.verify.made import event, statement

from sealog.errors import Altered
from sealog.event.packs import Opened
from sealog.event.parts import STATEMENT_ENTRY
from sealog.verify.statements import Explanation, read


def test_retention_says_which_indexes_are_gone():
    assert read(statement("sealog.retention", ranges=[[0, 3], [9, 9]])) == Explanation(
        [(0, 3), (9, 9)]
    )


def test_erasure_says_which_parts_of_which_indexes_are_gone():
    assert read(statement("sealog.erasure", ranges=[[7, 7]], parts=[1, 3])) == Explanation(
        [(7, 7)], (1, 3)
    )


def test_bits_are_counted_from_the_lowest_of_the_first_byte():
    """docs/formats/parts.md: bit 0 of byte 0 is `first`."""
    bits = base64.b64encode(bytes([0b0000_0111, 0b1000_0001])).decode()

    assert read(statement("sealog.retention", first=100, bits=bits)) == Explanation(
        [(100, 102), (108, 108), (115, 115)]
    )


@pytest.mark.parametrize("action", ["sealog.hold", "sealog.release", "sealog.key"])
def test_the_others_explain_nothing(action):
    assert read(statement(action, ranges=[[0, 3]])) is None


@pytest.mark.parametrize(
    "says",
    [
        {},
        {"ranges": [[0, 1]], "v": 2},
        {"ranges": [[3, 1]]},
        {"ranges": [[0, 5], [5, 6]]},
        {"ranges": [[-1, 5]]},
        {"ranges": [["0", 5]]},
        {"ranges": [[0, 5]], "first": 1, "bits": "AA=="},
        {"bits": "AA=="},
        {"first": -1, "bits": "AA=="},
        {"first": 0, "bits": "A"},
        {"first": 0, "bits": base64.b64encode(bytes((1 << 17) + 1)).decode()},
    ],
    ids=lambda says: str(says)[:60],
)
def test_a_statement_that_does_not_say_it_as_it_must_explains_nothing(says):
    with pytest.raises(Altered):
        read(statement("sealog.retention", **says))


def test_as_many_bits_as_there_may_be_are_read():
    bits = base64.b64encode(b"\xff" * (1 << 17)).decode()

    assert read(statement("sealog.retention", first=0, bits=bits)) == Explanation(
        [(0, (1 << 20) - 1)]
    )


@pytest.mark.parametrize("parts", [None, [], [4], [-1]], ids=str)
def test_an_erasure_names_parts_that_there_are(parts):
    with pytest.raises(Altered, match="parts"):
        read(statement("sealog.erasure", ranges=[[0, 0]], parts=parts))


def test_an_ordinary_event_is_no_statement():
    with pytest.raises(Altered, match="no statement's action"):
        read(event(kind=STATEMENT_ENTRY))
    with pytest.raises(Altered, match="does not read"):
        read(Opened(STATEMENT_ENTRY, ((0, bytes(16), b"[]"),)))
    with pytest.raises(Altered, match="does not read"):
        read(Opened(STATEMENT_ENTRY, ()))
