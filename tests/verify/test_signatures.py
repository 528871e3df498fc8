import pytest

from sealog.ledger.notes import Checkpoint, Signer
from sealog.verify import signatures
from sealog.verify.keys import Trusted
from sealog.verify.moment import SignedRow
from sealog.verify.report import Findings
from sealog.verify.signatures import Signatures, Signing

ORIGIN = "log.example.org/" + "0" * 32
SIGNER = Signer(bytes(range(32)), ORIGIN)
ROOTS = {size: bytes([size]) * 32 for size in range(1, 9)}


def note(size, root=None):
    return SIGNER.sign_checkpoint(ORIGIN, size, root or ROOTS[size])


def checked(tmp_path, row, kept=None, *, size=8, newest=0, against=()):
    """Faults and notes of a log of 8 entries whose row and file are these."""
    if kept is not None:
        (tmp_path / "checkpoint").write_bytes(kept)
    trusted = Trusted((SIGNER.vkey.public_key,))
    signing = Signing(tmp_path, "log", ORIGIN, trusted, lambda: newest)
    findings = Findings("acme")
    found = signatures.gather(signing, row, size, findings)
    found.against = against
    signatures.compare(signing, found, (size, ROOTS), findings)
    return [fault.where for fault in findings.faults], [one.where for one in findings.unfinished]


def row(size, root=None, text=None):
    return SignedRow(1, size, root or ROOTS[size], text or note(size))


def test_row_note_and_file_agree(tmp_path):
    assert checked(tmp_path, row(8), note(8)) == ([], [])


def test_nothing_signed_yet_is_nothing_wrong(tmp_path):
    assert checked(tmp_path, None) == ([], [])


@pytest.mark.parametrize(
    "odd",
    [
        row(8, text=note(7)),
        row(8, root=ROOTS[7]),
        row(8, text=note(8)[:-1]),
        row(8, text=note(8) + "— other AAAAAAAA\n".encode()),
        row(8, text=Signer(bytes(32), ORIGIN).sign_checkpoint(ORIGIN, 8, ROOTS[8])),
    ],
    ids=["size", "root", "cut", "signature-more", "key"],
)
def test_a_row_that_does_not_agree_with_its_own_note_is_named(tmp_path, odd):
    faults, _ = checked(tmp_path, odd, odd.note)

    assert "state.db signed" in faults


def test_a_root_that_the_entries_do_not_have_is_the_entries_fault(tmp_path):
    other = note(8, b"x" * 32)

    assert checked(tmp_path, row(8, b"x" * 32, other), other) == (["log/entries"], [])


def test_more_signed_than_accepted_is_named(tmp_path):
    faults, _ = checked(tmp_path, row(8), note(8), size=7)

    assert faults == ["state.db signed"]


def test_an_older_file_that_verifies_is_unfinished(tmp_path):
    assert checked(tmp_path, row(8), note(6)) == ([], ["log/checkpoint"])


def test_an_older_file_of_another_tree_is_named(tmp_path):
    faults, _ = checked(tmp_path, row(8), note(6, b"x" * 32))

    assert faults == ["log/checkpoint"]


def test_a_file_that_is_not_there_yet_is_unfinished(tmp_path):
    assert checked(tmp_path, row(8)) == ([], ["log/checkpoint"])


def test_a_newer_file_is_named_unless_a_server_has_just_signed(tmp_path):
    assert checked(tmp_path, row(6), note(8), newest=6) == (["log/checkpoint"], [])
    assert checked(tmp_path, row(6), note(8), newest=8) == ([], [])


def test_a_file_without_a_row_is_named(tmp_path):
    assert checked(tmp_path, None, note(8)) == (["log/checkpoint"], [])


@pytest.mark.parametrize("content", [b"", b"\xff", b"x" * 3_000_000], ids=["empty", "byte", "huge"])
def test_a_file_that_is_no_checkpoint_is_named(tmp_path, content):
    assert checked(tmp_path, row(8), content) == (["log/checkpoint"], [])


def test_another_note_of_the_same_size_is_named(tmp_path):
    """One size has one note: two would be two trees, or a signature that nobody made here."""
    assert checked(tmp_path, row(8), note(8, b"x" * 32)) == (["log/checkpoint"], [])


def test_held_checkpoints_are_compared_at_their_own_size(tmp_path):
    right, forked = Checkpoint(ORIGIN, 5, ROOTS[5]), Checkpoint(ORIGIN, 5, ROOTS[4])
    newer = Checkpoint(ORIGIN, 9, b"9" * 32)

    assert checked(tmp_path, row(8), note(8), against=[right]) == ([], [])
    assert checked(tmp_path, row(8), note(8), against=[forked]) == (["log"], [])
    assert checked(tmp_path, row(8), note(8), against=[newer]) == (["log"], [])


def test_roots_are_needed_where_something_was_signed():
    one = Checkpoint(ORIGIN, 5, ROOTS[5])

    assert Signatures(one, None, [Checkpoint(ORIGIN, 3, ROOTS[3])]).sizes == [5, 3]
