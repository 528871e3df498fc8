from tests.verify.made import event, statement

from sealog.event.packs import Opened, Packer, Unpacker
from sealog.verify.opening import unseal
from sealog.verify.report import Counts, Findings
from sealog.verify.sorting import RANGES_NAMED_MAX, Sorting


def settled(size, *stored, findings=None, damaged=()):
    """Sort events stored under indexes; the log holds the entry of each but those damaged."""
    findings = findings or Findings("acme")
    sorting = Sorting(size, findings)
    for indexes, events in stored:
        unsealed = unseal(Packer().pack(events, indexes), 0, Unpacker())
        entries = b"".join(
            b"\x01" * 33 if index in damaged else one.entry()
            for index, one in zip(indexes, events, strict=True)
        )
        sorting.take("stored", unsealed, entries)
    return sorting.settle("entries"), [
        (fault.where, fault.index, fault.what) for fault in findings.faults
    ]


def test_every_index_stands_in_one_sort():
    retention = statement("sealog.retention", ranges=[[3, 4]])
    erasure = statement("sealog.erasure", ranges=[[1, 1]], parts=[1])

    counts, faults = settled(
        7, ([0, 1, 2], [event(), event(erased=[1]), event()]), ([5, 6], [retention, erasure])
    )

    assert counts == Counts(opened=2, erased=1, expired=2, statement=2, unexplained=0)
    assert faults == []


def test_what_is_not_there_and_not_explained_is_named_as_ranges():
    counts, faults = settled(9, ([2, 5], [event(), event()]))

    assert counts == Counts(opened=2, unexplained=7)
    assert [(index, what[:16]) for _, index, what in faults] == [
        (0, "indexes 0 to 1 a"),
        (3, "indexes 3 to 4 a"),
        (6, "indexes 6 to 8 a"),
    ]


def test_an_event_that_hashes_into_another_entry_is_named_and_unexplained():
    counts, faults = settled(3, ([0, 1, 2], [event(), event(), event()]), damaged=[1])

    assert counts == Counts(opened=2, unexplained=1)
    assert [(where, index) for where, index, _ in faults] == [("stored", 1), ("entries", 1)]


def test_what_has_expired_and_is_stored_still_is_unfinished_not_damaged():
    """Between the statement and the removal of what it speaks of the program may die."""
    findings = Findings("acme")
    retention = statement("sealog.retention", ranges=[[1, 2], [4, 4]])

    counts, faults = settled(
        6, ([0, 1, 2, 3, 5], [*[event() for _ in range(4)], retention]), findings=findings
    )

    assert counts == Counts(opened=4, expired=1, statement=1)
    assert faults == []
    assert [(note.where, note.index, note.what) for note in findings.unfinished] == [
        ("entries", 1, "indexes 1 to 2 have expired, and what was held is not gone yet")
    ]


def test_what_went_while_it_was_looked_at_counts_as_expired_and_is_named():
    findings = Findings("acme")
    sorting = Sorting(4, findings)
    one = event()
    sorting.take("stored", unseal(Packer().pack([one], [1]), 0, Unpacker()), one.entry())

    sorting.excuse(0, 2)
    counts = sorting.settle("entries")

    assert counts == Counts(opened=1, expired=2, unexplained=1)
    assert [(fault.index, fault.what[:10]) for fault in findings.faults] == [(3, "index 3 is")]
    assert [note.what for note in findings.unfinished] == [
        "index 0 expired while this was looked at",
        "index 2 expired while this was looked at",
    ]


def test_a_statement_has_facts_alone():
    retention = statement("sealog.retention", ranges=[[0, 0]])
    retention = Opened(retention.kind, (*retention.parts, (3, b"s" * 16, b'{"message":"x"}')))

    _, faults = settled(2, ([0, 1], [event(), retention]))

    assert faults == [("stored", 1, "a statement has facts alone")]


def test_only_a_sound_retention_explains_what_it_names():
    sorting = Sorting(9, Findings("acme"))
    retention = statement("sealog.retention", ranges=[[0, 2], [4, 6]])
    erasure = statement("sealog.erasure", ranges=[[0, 2]], parts=[1])
    unsealed = unseal(Packer().pack([retention, erasure], [7, 8]), 0, Unpacker())
    sorting.take("stored", unsealed, retention.entry() + erasure.entry())

    assert sorting.explains(7, [(0, 0), (1, 2), (4, 6)])
    assert not sorting.explains(7, [(2, 4)])
    assert not sorting.explains(7, [(3, 3)])
    assert not sorting.explains(8, [(0, 0)])
    assert not sorting.explains(3, [(0, 0)])


def test_a_statement_that_is_not_sealed_explains_nothing():
    retention = statement("sealog.retention", ranges=[[0, 0]])

    counts, _ = settled(2, ([1], [retention]), damaged=[1])

    assert counts == Counts(unexplained=2)


def test_a_statement_speaks_only_of_what_came_before_it():
    retention = statement("sealog.retention", ranges=[[0, 9]])

    counts, _ = settled(4, ([1], [retention]))

    assert counts == Counts(expired=1, statement=1, unexplained=2)


def test_an_erasure_without_a_statement_is_unexplained():
    erasure = statement("sealog.erasure", ranges=[[0, 0]], parts=[1])

    counts, faults = settled(3, ([0, 1], [event(erased=[1]), event(erased=[1])]), ([2], [erasure]))

    assert counts == Counts(erased=1, statement=1, unexplained=1)
    assert faults == [("entries", 1, "the actor part was erased, and no statement says why")]


def test_an_erasure_of_another_part_does_not_explain_this_one():
    erasure = statement("sealog.erasure", ranges=[[0, 0]], parts=[3])

    counts, _ = settled(2, ([0], [event(erased=[1])]), ([1], [erasure]))

    assert counts.unexplained == 1


def test_an_index_stored_twice_is_named():
    once = event()

    counts, faults = settled(2, ([0, 1], [once, event()]), ([0], [once]))

    assert counts == Counts(opened=2)
    assert faults == [("stored", 0, "this index is stored twice")]


def test_an_event_beyond_the_log_is_named():
    _, faults = settled(1, ([0, 1], [event(), event()]))

    assert ("stored", 1, "the log does not reach this index") in faults


def test_a_statement_that_does_not_read_is_named():
    counts, faults = settled(1, ([0], [statement("sealog.retention")]))

    assert counts == Counts(statement=1)
    assert faults == [("stored", 0, "a statement names indexes as ranges or as bits")]


def test_ranges_beyond_a_number_are_counted_and_not_named():
    counts, faults = settled(240, (list(range(1, 240, 2)), [event() for _ in range(120)]))

    assert counts == Counts(opened=120, unexplained=120)
    assert len(faults) == RANGES_NAMED_MAX


def test_an_event_of_another_tenant_is_named():
    findings = Findings("acme")
    sorting = Sorting(1, findings)

    sorting.belongs("stored", "acme", 0)
    sorting.belongs("stored", None, 0)
    assert findings.faults == []

    sorting.belongs("stored", "bolt", 0)
    assert findings.faults[0].what == "the event says that it is of tenant bolt"
