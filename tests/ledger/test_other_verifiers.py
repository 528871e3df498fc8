"""Tools that nobody here wrote check our logs: what they accept, the world accepts."""

import subprocess
from pathlib import Path

import metamorphic_log
import msgspec
import pymerkle
import pytest
from tests.ledger.whole import entries_of, sha256
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey as ScalesVkey
from tlog_scales.signing import VkeySet

from sealog.errors import Missing
from sealog.ledger.files import LogFiles, LogReader, parse_tile
from sealog.ledger.notes import Signer
from sealog.ledger.proofs import prove

ORIGIN = "sealog.invalid/0011223344556677/00112233445566778899aabbccddeeff"
SIGNER = Signer(bytes(range(32)), ORIGIN)
VKEY = str(SIGNER.vkey)
KEY_ID = SIGNER.vkey.key_id.hex()
SIZES = [1, 2, 255, 256, 257, 4097, 65_535, 65_536, 65_537, 70_000]
GOLDEN = Path(__file__).parents[1] / "golden/checkpoint"
SCRIPT = Path(__file__).parents[2] / "docs/verify-with-openssl.sh"


@pytest.fixture(scope="module")
def entries():
    return entries_of(70_000)


@pytest.fixture(scope="module")
def folder(entries, tmp_path_factory):
    """One log; every size below is a past size of it."""
    files = LogFiles(tmp_path_factory.mktemp("logs") / "log")
    files.append(entries)
    return files.folder


def signed(reader):
    return SIGNER.sign_checkpoint(ORIGIN, reader.size, reader.root())


def entry_of(entries, index):
    return entries[index * 33 : (index + 1) * 33]


class Served:
    """What a server answers for one log: the storage that tlog-scales reads from."""

    def __init__(self, reader):
        self.reader = reader

    def get(self, *path):
        if path == ("checkpoint",):
            return signed(self.reader)
        try:
            return self.reader.resource(parse_tile("/".join(path)))
        except Missing:
            return None


@pytest.mark.parametrize("size", SIZES)
def test_tlog_scales_reads_our_tiles_and_believes_our_checkpoint(folder, entries, size):
    theirs = TilesReader(Served(LogReader(folder, size)))

    checkpoint = theirs.get_checkpoint()

    assert (checkpoint.origin, checkpoint.size) == (ORIGIN, size)
    assert len(VkeySet(ScalesVkey.from_string(VKEY)).verify(checkpoint.signatures, checkpoint)) == 1
    assert theirs.calculate_root_hash() == checkpoint.root_hash
    for index in {0, size // 2, size - 1}:
        assert theirs.get_entry(index) == entry_of(entries, index)
        inclusion = theirs.get_inclusion_proof(index, size)
        inclusion.check(sha256(b"\x00" + entry_of(entries, index)), checkpoint.root_hash)
        assert inclusion.node_hashes == LogReader(folder, size).inclusion(index)
    for old in {1, size // 3, size - 1} - {0}:
        consistency = theirs.get_consistency_proof(old, size)
        assert consistency.node_hashes == LogReader(folder, size).consistency(old)


@pytest.mark.parametrize("size", SIZES)
def test_metamorphic_log_believes_our_checkpoints_and_proofs(folder, entries, size):
    new = LogReader(folder, size)
    note = signed(new).decode()

    head = metamorphic_log.checkpoint_verify(note, [VKEY])

    assert (head.origin, head.size, head.root) == (ORIGIN, size, new.root())
    assert metamorphic_log.verify_signed_note(note, [VKEY]) == 1
    for index in {0, size // 2, size - 1}:
        leaf = sha256(b"\x00" + entry_of(entries, index))
        metamorphic_log.checkpoint_verify_inclusion(note, [VKEY], index, leaf, new.inclusion(index))
    for old_size in {1, size // 3, size - 1, size} - {0}:
        old = signed(LogReader(folder, old_size)).decode()
        metamorphic_log.checkpoint_verify_consistency(old, note, [VKEY], new.consistency(old_size))


def test_metamorphic_log_refuses_what_we_break(folder, entries):
    """Or its belief above would say nothing."""
    reader = LogReader(folder, 257)
    note = signed(reader).decode()
    leaf = sha256(b"\x00" + entry_of(entries, 3))

    with pytest.raises(metamorphic_log.VerifyError):
        metamorphic_log.checkpoint_verify(note.replace("\n257\n", "\n258\n"), [VKEY])
    with pytest.raises(metamorphic_log.VerifyError):
        metamorphic_log.checkpoint_verify_inclusion(note, [VKEY], 4, leaf, reader.inclusion(3))


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 1000])
def test_pymerkle_grows_the_same_tree(folder, entries, size):
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    for index in range(size):
        theirs.append_entry(entry_of(entries, index))
    root = LogReader(folder, size).root()

    assert theirs.get_root() == root
    for index in {0, size // 2, size - 1}:
        leaf = sha256(b"\x00" + entry_of(entries, index))
        proof = theirs.prove_inclusion(index + 1)
        pymerkle.verify_inclusion(leaf, root, proof, index=index + 1, size=size)
    proof = theirs.prove_consistency(1 + size // 2 if size > 1 else 1, size)
    old = LogReader(folder, proof.prior_size).root()
    pymerkle.verify_consistency(old, root, proof, prior_size=proof.prior_size, later_size=size)


def run_script(proof, entry, vkey):
    return subprocess.run(
        ["bash", str(SCRIPT), str(proof), entry, vkey], capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def proof(folder, tmp_path):
    reader = LogReader(folder, 70_000)
    path = tmp_path / "entry.tlog-proof"
    path.write_bytes(prove(reader, 65_537, signed(reader)))
    return path


@pytest.mark.parametrize(
    ("index", "size"), [(0, 1), (0, 2), (1, 3), (255, 256), (256, 257), (65_535, 65_537)]
)
def test_bash_and_openssl_prove_an_entry(folder, entries, tmp_path, index, size):
    reader = LogReader(folder, size)
    path = tmp_path / "entry.tlog-proof"
    path.write_bytes(prove(reader, index, signed(reader)))

    done = run_script(path, entry_of(entries, index).hex(), VKEY)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"PROVED: entry {index} of {size} in {ORIGIN}\n"


def test_bash_and_openssl_prove_the_event_of_an_event_s_proof(tmp_path):
    """As the file itself says how."""
    event = msgspec.json.decode((GOLDEN / "event-proof-v1.json").read_bytes())
    path = tmp_path / "event.tlog-proof"
    path.write_text(event["proof"])

    done = run_script(path, event["entry_type"] + event["commitment"], event["vkey"])

    assert done.stdout == f"PROVED: entry 300 of 602 in {ORIGIN}\n"


def test_bash_and_openssl_pass_over_cosignatures_and_extra(proof, entries):
    witness = Signer(bytes(32), "witness.example/w1")
    text = proof.read_bytes().decode()
    text = text.replace("@v1\n", "@v1\nextra aGVsbG8=\n") + witness._signature("anything\n")
    proof.write_text(text)

    assert run_script(proof, entry_of(entries, 65_537).hex(), VKEY).returncode == 0


BROKEN = {
    "another entry": (lambda t: t, 65_536, VKEY, "does not lead to the root"),
    "another index": (lambda t: t.replace("index 65537", "index 65539"), 65_537, VKEY, "root"),
    "an index past the end": (
        lambda t: t.replace("index 65537", "index 70000"),
        65_537,
        VKEY,
        "not among",
    ),
    "a command for an index": (
        lambda t: t.replace("index 65537", "index a[$(id)]"),
        65_537,
        VKEY,
        "no index",
    ),
    "a size": (lambda t: t.replace("\n70000\n", "\n70001\n"), 65_537, VKEY, "signature is wrong"),
    "a header": (lambda t: t.replace("@v1", "@v2"), 65_537, VKEY, "not a c2sp.org/tlog-proof@v1"),
    "no path": (
        lambda t: t[: t.index("65537\n") + 6] + t[t.index("\n\n") + 1 :],
        65_537,
        VKEY,
        "too short",
    ),
    "a longer path": (
        lambda t: t.replace("\n\n", "\n" + "A" * 43 + "=\n\n", 1),
        65_537,
        VKEY,
        "too long",
    ),
    "another log": (
        lambda t: t.replace(ORIGIN, ORIGIN[:-1] + "e"),
        65_537,
        VKEY,
        "the checkpoint of",
    ),
    "another key": (lambda t: t, 65_537, str(Signer(bytes(32), ORIGIN).vkey), "did not sign"),
    "a vkey of another algorithm": (
        lambda t: t,
        65_537,
        VKEY.replace("+AQ", "+BQ"),
        "not an Ed25519",
    ),
    "a vkey with a false id": (
        lambda t: t,
        65_537,
        VKEY.replace(KEY_ID, "00000000"),
        "id is not its key's",
    ),
}


@pytest.mark.parametrize("case", BROKEN, ids=str)
def test_bash_and_openssl_refuse_what_is_broken(proof, entries, case):
    change, index, vkey, why = BROKEN[case]
    proof.write_text(change(proof.read_text()))

    done = run_script(proof, entry_of(entries, index).hex(), vkey)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("NOT PROVED: ")
    assert why in done.stderr


def test_the_script_needs_nothing_but_bash_openssl_and_coreutils():
    """A machine without xxd or jq can still check."""
    words = set(SCRIPT.read_text().replace("(", " ").replace("|", " ").split())

    assert not words & {"xxd", "jq", "python", "python3", "perl", "awk"}


def test_the_script_explains_itself_without_arguments():
    done = subprocess.run(["bash", str(SCRIPT)], capture_output=True, text=True, timeout=60)

    assert done.returncode == 2
    assert "verify-with-openssl.sh PROOF ENTRY VKEY" in done.stderr
