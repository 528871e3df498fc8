from pathlib import Path

import msgspec
import pytest
from tests.ledger.whole import entries_of
from tests.merkle.vectors import TLOG, unhex

from sealog.errors import Altered, Misconfigured, Missing
from sealog.event.packs import Opened
from sealog.ledger import proofs
from sealog.ledger.files import LogFiles
from sealog.ledger.notes import Checkpoint, Signer
from sealog.ledger.proofs import (
    Proof,
    Verdict,
    prove,
    read_proof,
    verify_event_proof,
    verify_proof,
    write_event_proof,
    write_proof,
)

GOLDEN = Path(__file__).parents[1] / "golden/checkpoint"
PUBLISHED = (GOLDEN / "index-3.tlog-proof").read_bytes()
VKEY = TLOG["log_vkey"]
ENTRY_3 = bytes.fromhex(TLOG["entries"][3])

ORIGIN = "sealog.invalid/0011223344556677/00112233445566778899aabbccddeeff"
SIGNER = Signer(bytes(range(32)), ORIGIN)
EVENT = Opened(
    b"\x01",
    (
        (0, bytes(range(16)), b'{"event":{"action":"agent_skills_change"},"n":1E2}'),
        (1, bytes(range(16, 32)), '{"user":{"name":"Zoë","id":"\\ud800"}}'.encode()),
        (3, bytes(range(32, 48)), b'{"list":[1,\n2],"list":[]}'),
    ),
)
ERASED = Opened(
    EVENT.kind,
    (EVENT.parts[0],),
    ((1, bytes.fromhex("ab" * 32)), (3, bytes.fromhex("cd" * 32))),
)


def test_the_published_proof_is_ours():
    path = tuple(unhex(TLOG["inclusion"]["3@7"]))

    proof = Proof(3, path, TLOG["cosigned"].encode())

    assert write_proof(proof) == PUBLISHED
    assert read_proof(PUBLISHED) == proof


def test_the_published_proof_holds():
    included = verify_proof(PUBLISHED, ENTRY_3, VKEY)

    root = bytes.fromhex(TLOG["roots"][7])
    assert included == proofs.Included(3, Checkpoint("audit.example.com/t/acme", 7, root))


def test_extra_data_is_carried_along():
    proof = Proof(0, (), b"note", b"\x00\xffsalt")

    assert write_proof(proof) == b"c2sp.org/tlog-proof@v1\nextra AP9zYWx0\nindex 0\n\nnote"
    assert read_proof(write_proof(proof)) == proof
    assert verify_proof(PUBLISHED.replace(b"@v1\n", b"@v1\nextra \n"), ENTRY_3, VKEY).index == 3


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param((b"@v1", b"@v2"), "begins with", id="another version"),
        pytest.param((b"index 3", b"index 2"), "does not lead", id="another index"),
        pytest.param((b"index 3", b"index 03"), "plain decimal", id="a leading zero"),
        pytest.param((b"index 3", b"index  3"), "plain decimal", id="two spaces"),
        pytest.param((b"index 3", b"3"), "names its entry's index", id="no word"),
        pytest.param((b"index 3\n", b""), "names its entry's index", id="no index"),
        pytest.param((b"index 3\n", b"index 3\r\n"), "plain decimal", id="a carriage return"),
        pytest.param((b"@v1\n", b"@v1\nextra AB==\n"), "extra line", id="stray bits in extra"),
        pytest.param((b"index 3\n", b"index 3\nextra AA==\n"), "path", id="extra after index"),
        pytest.param((b"iipc", b"iipd"), "does not lead", id="another hash"),
        pytest.param((b"9uCc=", b"9uCd="), "path", id="stray bits in a hash"),
        pytest.param((b"9uCc=", b"9uCc"), "path", id="no padding"),
        pytest.param((b"iipc", b"\xc3\xa9"), "ASCII", id="not ASCII"),
        pytest.param((b"\n\naudit", b"\naudit"), "path|begins with", id="no blank line"),
        pytest.param((b"\n7\n", b"\n8\n"), "signature", id="another size"),
        pytest.param((b"\n7\n", b"\n07\n"), "signature", id="another form of the size"),
    ],
)
def test_a_proof_that_differs_anywhere_does_not_hold(change, why):
    with pytest.raises(Altered, match=why):
        verify_proof(PUBLISHED.replace(*change, 1), ENTRY_3, VKEY)


def test_another_entry_is_not_proved():
    with pytest.raises(Altered, match="does not lead from this entry at index 3"):
        verify_proof(PUBLISHED, b"L123457", VKEY)


def test_a_path_has_at_most_63_hashes():
    note = b"n\n"
    assert len(read_proof(write_proof(Proof(0, (bytes(32),) * 63, note))).path) == 63
    with pytest.raises(Altered, match="at most 63 hashes"):
        read_proof(write_proof(Proof(0, (bytes(32),) * 64, note)))


def test_a_proof_has_a_largest_size():
    with pytest.raises(Altered, match="at most 1100000 bytes"):
        read_proof(PUBLISHED + b"x" * 1_100_000)


@pytest.fixture
def log(tmp_path):
    files = LogFiles(tmp_path / "log")
    files.append(entries_of(300) + EVENT.entry() + ERASED.entry() + entries_of(300, 300))
    return files


def proved(log, index):
    note = SIGNER.sign_checkpoint(ORIGIN, log.size, log.root())
    return prove(log.reader(), index, note)


def test_an_entry_of_a_log_is_proved(log):
    included = verify_proof(proved(log, 300), EVENT.entry(), SIGNER.vkey)

    assert included == proofs.Included(300, Checkpoint(ORIGIN, 602, log.root()))


def test_an_entry_past_the_checkpoint_is_missing(log):
    with pytest.raises(Missing):
        proved(log, 602)


@pytest.fixture
def file(log):
    return write_event_proof(EVENT, proved(log, 300), SIGNER.vkey)


def test_an_event_s_proof_is_these_bytes(file):
    """Files given to people must be readable for ever: a change is a new format name."""
    assert file == (GOLDEN / "event-proof-v1.json").read_bytes()


def test_an_event_s_proof_holds_from_its_parts_to_the_signature(log, file):
    assert verify_event_proof(file, str(SIGNER.vkey)) == Verdict(
        passed=("file", "key", "parts", "commitment", "inclusion", "signature"),
        key_pinned=True,
        entry_type=1,
        included=proofs.Included(300, Checkpoint(ORIGIN, 602, log.root())),
        opened=tuple((number, part) for number, _, part in EVENT.parts),
    )


def test_without_a_key_a_file_is_only_consistent_with_itself(file):
    """Anyone can make such a file with a key of their own; the verdict says whose word it was."""
    verdict = verify_event_proof(file)

    assert verdict.holds
    assert not verdict.key_pinned


def test_erased_parts_leave_a_proof_that_holds(log):
    file = write_event_proof(ERASED, proved(log, 301), SIGNER.vkey)

    verdict = verify_event_proof(file, SIGNER.vkey)

    assert verdict.holds
    assert [number for number, _ in verdict.opened] == [0]


def test_withheld_parts_are_not_in_the_file(log):
    file = write_event_proof(EVENT, proved(log, 300), SIGNER.vkey, withheld={1, 3})

    assert "Zoë".encode() not in file
    assert EVENT.parts[1][1].hex().encode() not in file
    verdict = verify_event_proof(file, SIGNER.vkey)
    assert verdict.holds
    assert [number for number, _ in verdict.opened] == [0]


def test_a_statement_is_proved_like_an_event(tmp_path):
    statement = Opened(b"\x02", ((0, bytes(16), b'{"sealog":{"v":1}}'),))
    files = LogFiles(tmp_path / "log")
    files.append(statement.entry())

    verdict = verify_event_proof(
        write_event_proof(statement, proved(files, 0), SIGNER.vkey), SIGNER.vkey
    )

    assert verdict.holds
    assert verdict.entry_type == 2


OTHER_KEY = Signer(bytes(32), ORIGIN).vkey
OTHER_LOG = Signer(bytes(range(32)), ORIGIN[:-1] + "e").vkey


def put(path, value):
    """A change of one value in the file's JSON."""

    def change(tree):
        *steps, last = path
        for step in steps:
            tree = tree[step]
        tree[last] = value(tree[last]) if callable(value) else value
        return tree

    return change


def drop(path):
    def change(tree):
        *steps, last = path
        for step in steps:
            tree = tree[step]
        del tree[last]

    return change


BROKEN = {
    "a changed text": (put(["parts", 1, "part"], '{"user":{}}'), "parts", "digest of part actor"),
    "a changed salt": (put(["parts", 0, "salt"], "00" * 16), "parts", "digest of part facts"),
    "a changed digest": (put(["parts", 3 - 1, "digest"], "00" * 32), "parts", "part rest"),
    "no salt": (drop(["parts", 0, "salt"]), "parts", "only one of salt and text"),
    "a false part name": (put(["parts", 1, "name"], "target"), "parts", "called 'target'"),
    "parts in disorder": (put(["parts"], lambda parts: parts[::-1]), "parts", "in order"),
    "a part twice": (put(["parts"], lambda parts: [parts[0], *parts]), "parts", "each once"),
    "a part left out": (drop(["parts", 2]), "commitment", "not that of the parts"),
    "a changed commitment": (put(["commitment"], "00" * 32), "commitment", "not that of the parts"),
    "another entry type": (put(["entry_type"], "02"), "inclusion", "does not lead"),
    "another index": (put(["index"], 301), "inclusion", "index 300, not 301"),
    "an index changed twice": (
        lambda tree: (
            put(["index"], 298)(tree),
            put(["proof"], lambda proof: proof.replace("index 300", "index 298"))(tree),
        ),
        "inclusion",
        "does not lead",
    ),
    "a proof cut short": (put(["proof"], lambda proof: proof[:100]), "inclusion", "a proof"),
    "a changed size": (
        put(["proof"], lambda proof: proof.replace("\n602\n", "\n601\n")),
        "signature",
        "does not fit",
    ),
    "a signature by nobody": (
        put(["proof"], lambda proof: proof[: proof.rindex("— ")] + "— nobody AAAAAAA=\n"),
        "signature",
        "no trusted key",
    ),
    "another log's name": (put(["origin"], OTHER_LOG.name), "key", "the file of"),
    "another key": (put(["vkey"], str(OTHER_KEY)), "key", "trusted is"),
    "no vkey": (put(["vkey"], "key"), "key", "trusted is"),
    "another format": (put(["format"], "sealog-event-proof/v2"), "file", "the format is"),
    "an unknown field": (lambda tree: tree.update(more=1), "file", "unknown field"),
    "a missing field": (drop(["proof"]), "file", "missing required field"),
    "hex in capitals": (put(["commitment"], str.upper), "file", "matching regex"),
    "hex with a newline": (put(["commitment"], lambda hex_: hex_ + "\n"), "file", "matching regex"),
    "an unknown entry type": (put(["entry_type"], "03"), "file", "matching regex"),
    "a part number past three": (put(["parts", 0, "number"], 4), "file", "<= 3"),
    "no parts": (put(["parts"], []), "file", "length >= 1"),
}


@pytest.mark.parametrize("case", BROKEN, ids=str)
def test_the_step_that_fails_is_named(file, case):
    change, step, why = BROKEN[case]
    tree = msgspec.json.decode(file)
    change(tree)

    verdict = verify_event_proof(msgspec.json.encode(tree), SIGNER.vkey)

    assert verdict.failed == step
    assert why in verdict.detail
    assert not verdict.holds
    assert verdict.opened == ()
    assert verdict.passed == tuple(proofs.STEPS)[: tuple(proofs.STEPS).index(step)]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"\xff", b"[" * 100_000, b"{"], ids=lambda c: repr(c[:4])
)
def test_what_is_no_proof_at_all_fails_as_a_file(content):
    assert verify_event_proof(content).failed == "file"


def test_a_key_that_stands_twice_is_refused(file):
    """A reader might show the first text while the last is checked."""
    shown = file.replace(b'"name": "facts"', b'"part": "{}",\n   "name": "facts"', 1)
    origin = file.replace(b'"origin"', b'"origin": "x",\n "origin"', 1)

    assert verify_event_proof(shown).detail == "a key stands twice in one object"
    assert verify_event_proof(origin).detail == "a key stands twice in one object"


def test_a_file_has_a_largest_size(file):
    padded = file + b" " * (proofs.EVENT_PROOF_BYTES_MAX - len(file))

    assert verify_event_proof(padded).holds
    assert verify_event_proof(padded + b" ").failed == "file"


def test_a_forger_s_own_key_fails_against_the_trusted_one(log, file):
    forger = Signer(bytes([7]) * 32, ORIGIN)
    note = forger.sign_checkpoint(ORIGIN, log.size, log.root())
    forged = write_event_proof(EVENT, prove(log.reader(), 300, note), forger.vkey)

    assert verify_event_proof(forged).holds
    assert verify_event_proof(forged, SIGNER.vkey).failed == "key"


def test_one_log_s_event_does_not_pass_for_another_s(file):
    """The public key is the same; the name in the vkey is not."""
    assert verify_event_proof(file, OTHER_LOG).failed == "key"


def test_a_trusted_key_that_is_none_is_the_caller_s_mistake(file):
    with pytest.raises(Misconfigured):
        verify_event_proof(file, "not a vkey")


def test_the_file_says_how_to_check_it(file):
    steps = msgspec.json.decode(file)["how_to_check"]

    assert steps == list(proofs.HOW_TO_CHECK)
    assert "verify-with-openssl.sh PROOF ENTRY VKEY" in steps[-1]
