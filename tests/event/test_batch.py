import msgspec

from sealog.event.batch import Outcome, Receipt


def test_a_receipt_says_repeated_only_when_it_is():
    receipt = Receipt("a", "acme", 7, "ab" * 32)

    assert msgspec.json.encode(receipt) == (
        b'{"id":"a","tenant":"acme","index":7,"commitment":"' + b"ab" * 32 + b'"}'
    )
    assert msgspec.json.encode(msgspec.structs.replace(receipt, repeated=True)) == (
        b'{"id":"a","tenant":"acme","index":7,"commitment":"' + b"ab" * 32 + b'","repeated":true}'
    )


def test_an_outcome_is_of_new_events_unless_it_says_otherwise():
    outcome = Outcome([3, 4])

    assert (outcome.indexes, outcome.repeated, outcome.conflicts) == (
        [3, 4],
        frozenset(),
        frozenset(),
    )
