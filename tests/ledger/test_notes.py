import base64
from pathlib import Path

import pytest

from sealog.errors import Altered, Misconfigured
from sealog.ledger import notes
from sealog.ledger.notes import Checkpoint, Signer, open_note, parse_vkey, read_checkpoint

GOLDEN = Path(__file__).parents[1] / "golden/checkpoint"
ORIGIN = "audit.example.com/t/acme"
SEED = bytes(range(32))
VKEY = "audit.example.com/t/acme+70b59b12+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
ROOT_7 = bytes.fromhex("0c107f6e156ddeb4862e015f17219cebeb779d4c4e85813e154894ffb9f71dba")
EMPTY_ROOT = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
AT_7 = (GOLDEN / "size-7.txt").read_bytes()

GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


def signed(text, name=ORIGIN, seed=SEED):
    """A note over any text, well signed: what a strict reader must still refuse."""
    signer = Signer(seed, name)
    return f"{text}\n{signer._signature(text)}".encode()


@pytest.mark.parametrize(
    ("size", "root", "golden"),
    [(7, ROOT_7, "size-7.txt"), (0, EMPTY_ROOT, "size-0.txt")],
    ids=["seven entries", "none"],
)
def test_a_checkpoint_is_the_published_bytes(size, root, golden):
    note = Signer(SEED, ORIGIN).sign_checkpoint(ORIGIN, size, root)

    assert note == (GOLDEN / golden).read_bytes()


def test_a_checkpoint_says_what_was_signed():
    assert read_checkpoint(AT_7, [VKEY]) == Checkpoint(ORIGIN, 7, ROOT_7)


@pytest.mark.parametrize("golden", ["size-7-cosigned.txt", "size-7-cosigned-pq.txt"])
def test_cosignatures_of_unknown_keys_are_ignored(golden):
    """Witnesses add lines, even of algorithms we do not know."""
    assert read_checkpoint((GOLDEN / golden).read_bytes(), [VKEY]) == Checkpoint(ORIGIN, 7, ROOT_7)


def test_sixteen_signatures_and_more_are_read():
    others = [Signer(bytes([n]) * 32, f"witness.example/{n}") for n in range(99)]
    text = AT_7.decode().partition("\n\n")[0] + "\n"
    lines = [other._signature(text).encode() for other in others]

    assert read_checkpoint(AT_7 + b"".join(lines[:15]), [VKEY]).size == 7
    assert read_checkpoint(AT_7 + b"".join(lines), [VKEY]).size == 7
    with pytest.raises(Altered, match="at most 100 signatures"):
        read_checkpoint(AT_7 + b"".join(lines) + lines[0], [VKEY])


def test_a_note_of_any_length_but_one_too_long_is_read():
    line = "— w.example " + base64.b64encode(bytes(600_000)).decode() + "\n"
    whole = AT_7 + line.encode()

    assert len(whole) < notes.NOTE_BYTES_MAX
    assert read_checkpoint(whole, [VKEY]).size == 7
    with pytest.raises(Altered, match="at most 1000000 bytes"):
        read_checkpoint(whole + line.encode(), [VKEY])


def test_a_wrong_signature_by_a_known_key_spoils_the_note():
    text = AT_7.decode().partition("\n\n")[0] + "\n"
    good = Signer(bytes(32), "witness.example")
    other_text = good._signature("something else\n")

    assert read_checkpoint(AT_7 + other_text.encode(), [VKEY]).size == 7
    with pytest.raises(Altered, match=r"witness\.example does not fit"):
        read_checkpoint(AT_7 + other_text.encode(), [VKEY, good.vkey])
    assert read_checkpoint(AT_7 + good._signature(text).encode(), [VKEY, good.vkey]).size == 7


def test_a_changed_byte_of_the_text_is_found():
    with pytest.raises(Altered, match="does not fit what it signs"):
        read_checkpoint(AT_7.replace(b"\n7\n", b"\n8\n"), [VKEY])


def test_another_key_is_not_trusted():
    with pytest.raises(Altered, match="no trusted key"):
        read_checkpoint(AT_7, [Signer(bytes(32), ORIGIN).vkey])


def test_one_key_gives_every_log_a_vkey_of_its_own():
    acme, bolt = Signer(SEED, "audit.example/a").vkey, Signer(SEED, "audit.example/b").vkey

    assert acme.public_key == bolt.public_key
    assert acme.key_id != bolt.key_id


def test_another_log_s_checkpoint_cannot_pass_for_this_one_s():
    """The key is the same, so its signature fits; only the name tells the logs apart."""
    other = Signer(SEED, "audit.example.com/t/bolt")
    note = other.sign_checkpoint("audit.example.com/t/bolt", 7, ROOT_7)
    text, _, line = note.decode().rpartition("\n\n")
    raw = base64.b64decode(line.split(" ")[2])
    disguised = base64.b64encode(parse_vkey(VKEY).key_id + raw[4:]).decode()
    note = f"{text}\n\n— {ORIGIN} {disguised}\n".encode()

    assert open_note(note, [VKEY])[1] == {ORIGIN}
    with pytest.raises(Altered, match="no trusted key signed this checkpoint of"):
        read_checkpoint(note, [VKEY])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{ORIGIN}\n07\n{base64.b64encode(ROOT_7).decode()}\n", "second line"),
        (f"{ORIGIN}\n+7\n{base64.b64encode(ROOT_7).decode()}\n", "second line"),
        (f"{ORIGIN}\n\n{base64.b64encode(ROOT_7).decode()}\n", "second line"),
        (f"{ORIGIN}\n٧\n{base64.b64encode(ROOT_7).decode()}\n", "second line"),
        (f"{ORIGIN}\n9223372036854775808\n{base64.b64encode(ROOT_7).decode()}\n", "second line"),
        (f"{ORIGIN}\n7\n{base64.b64encode(ROOT_7).decode()[:-1]}\n", "third line"),
        (f"{ORIGIN}\n7\n{base64.b64encode(ROOT_7[:31]).decode()}\n", "third line"),
        (f"{ORIGIN}\n7\n{base64.b64encode(ROOT_7).decode()[:-2]}p=\n", "third line"),
        (f"{ORIGIN}\n7\n{base64.b64encode(ROOT_7).decode()}\nmore\n", "three lines"),
        (f"{ORIGIN}\n7\n", "three lines"),
        (f"\n7\n{base64.b64encode(ROOT_7).decode()}\n", "first line"),
        (f"a b\n7\n{base64.b64encode(ROOT_7).decode()}\n", "first line"),
        (f"{ORIGIN}\n0\n{base64.b64encode(bytes(32)).decode()}\n", "empty log"),
        (f"{ORIGIN}\r\n7\n{base64.b64encode(ROOT_7).decode()}\n", "control character"),
    ],
    ids=[
        "a leading zero",
        "a plus",
        "no size",
        "another script's digit",
        "2^63",
        "base64 cut short",
        "31 bytes",
        "stray bits in base64",
        "an extension line",
        "no root",
        "no origin",
        "a space in the origin",
        "zeros as the empty root",
        "a carriage return",
    ],
)
def test_what_is_signed_but_could_be_written_otherwise_is_refused(text, why):
    with pytest.raises(Altered, match=why):
        read_checkpoint(signed(text), [VKEY])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda note: note[:-1], "no signatures after"),
        (lambda note: note.partition(b"\n\n")[0] + b"\n", "no signatures after"),
        (lambda note: note + b"\n", "not a signature line|no signatures after"),
        (lambda note: note.replace("—".encode(), b"-"), "not a signature line"),
        (lambda note: note.replace(b"=\n", b"\n", 2), "third line|not a signature line"),
        (lambda note: note + "— \n".encode(), "not a signature line"),
        (lambda note: note + "— a+b AAAAAAA=\n".encode(), "not a signature line"),
        (lambda note: note + "— ab AAAAAA==\n".encode(), "not a signature line"),
        (lambda note: note + "— ab  AAAAAAA=\n".encode(), "not a signature line"),
        (lambda note: note + "— ab AAAAAAA= \n".encode(), "not a signature line"),
        (lambda note: note + b"\xff\n", "not UTF-8"),
        (lambda note: note + "— a\tb AAAAAAA=\n".encode(), "control character"),
        (lambda note: note[:0], "no signatures after"),
    ],
    ids=[
        "no last newline",
        "no signatures",
        "a blank line at the end",
        "a hyphen for the dash",
        "base64 without padding",
        "a dash alone",
        "a plus in a name",
        "a key id without signature",
        "two spaces",
        "a space at the end",
        "not UTF-8",
        "a tab",
        "nothing",
    ],
)
def test_a_note_in_any_other_form_is_refused(change, why):
    with pytest.raises(Altered, match=why):
        read_checkpoint(change(AT_7), [VKEY])


def test_the_reference_note_of_the_go_implementation_opens():
    note = (GOLDEN / "go-reference.txt").read_bytes()

    text, signers = open_note(note, [GO_VKEY])

    assert text.startswith("If you think cryptography")
    assert signers == {"PeterNeumann"}


def test_a_note_is_split_at_its_last_blank_line():
    """The specification's own example has one inside its text."""
    text, signatures = notes._split((GOLDEN / "spec-example.txt").read_bytes())

    assert text.endswith("di sole:\n\ned è subito sera.\n")
    assert [(name, key_id.hex(), len(rest)) for name, key_id, rest in signatures] == [
        ("quasimodo.example/salvatore", "367ba04b", 64)
    ]


@pytest.mark.parametrize(
    "vkey",
    [
        VKEY,
        GO_VKEY,
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6",
    ],
    ids=["ours", "go", "specification", "plus in the key"],
)
def test_published_vkeys_are_read_and_written_the_same(vkey):
    assert str(parse_vkey(vkey)) == vkey


def test_a_signer_shows_its_vkey():
    assert str(Signer(SEED, ORIGIN).vkey) == VKEY


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        "name+70b59b12",
        VKEY.replace("70b59b12", "70b59b13"),
        VKEY.replace("70b59b12", "70B59B12"),
        VKEY.replace("acme", "bolt"),
        VKEY[:-1],
        VKEY + "A",
        VKEY + "\n",
        " " + VKEY,
        VKEY.replace("+AQ", "+BA"),
        VKEY[len(ORIGIN) :],
    ],
    ids=repr,
)
def test_a_vkey_in_any_other_form_is_refused(vkey):
    with pytest.raises(Misconfigured):
        parse_vkey(vkey)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_seed_is_32_bytes(length):
    with pytest.raises(Misconfigured, match="32 bytes"):
        Signer(bytes(length), ORIGIN)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb"], ids=repr)
def test_a_key_s_name_is_one_word(name):
    with pytest.raises(Misconfigured, match="cannot name a key"):
        Signer(SEED, name)


def test_a_peek_reads_without_trust():
    assert notes.peek_checkpoint(AT_7) == Checkpoint(ORIGIN, 7, ROOT_7)
