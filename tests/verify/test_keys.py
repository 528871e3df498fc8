import pytest

from sealog.errors import Altered, Misconfigured
from sealog.ledger.notes import Signer
from sealog.merkle.hashes import EMPTY_ROOT
from sealog.verify import keys

ORIGIN = "log.example.org/" + "0" * 32
SEED = bytes(range(32))
NOTE = Signer(SEED, ORIGIN).sign_checkpoint(ORIGIN, 0, EMPTY_ROOT)


def folder_with(path, content):
    (path / "keys").mkdir()
    (path / "keys" / "signing-key").write_bytes(content)
    return path


def test_a_pinned_key_verifies_every_origin():
    """Its name is one log's; the public key is the installation's."""
    vkey = str(Signer(SEED, "log.example.org/" + "f" * 32).vkey)

    trusted = keys.pinned([f" {vkey}\n"])

    assert trusted.pinned
    assert trusted.read(NOTE, ORIGIN).size == 0
    assert trusted.sentence.startswith("key pinned")


def test_any_of_several_pinned_keys_may_have_signed():
    """An installation whose key was changed has two."""
    other = str(Signer(bytes(32), ORIGIN).vkey)

    trusted = keys.pinned([other, str(Signer(SEED, ORIGIN).vkey)])

    assert trusted.read(NOTE, ORIGIN).size == 0
    with pytest.raises(Altered, match="no trusted key"):
        keys.pinned([other]).read(NOTE, ORIGIN)


def test_a_text_that_is_no_vkey_is_refused():
    with pytest.raises(Misconfigured):
        keys.pinned(["log.example.org+00000000+AAAA"])


def test_the_folders_own_key_is_trusted_as_far_as_that_goes(tmp_path):
    trusted = keys.of_folder(folder_with(tmp_path, SEED.hex().encode() + b"\n"))

    assert not trusted.pinned
    assert trusted.read(NOTE, ORIGIN).size == 0
    assert trusted.sentence.startswith("consistent with itself")


def test_another_logs_note_is_not_this_ones(tmp_path):
    trusted = keys.of_folder(folder_with(tmp_path, SEED.hex().encode()))

    with pytest.raises(Altered):
        trusted.read(NOTE, "log.example.org/" + "1" * 32)
    with pytest.raises(Altered):
        trusted.read(NOTE, "no name")


def test_without_any_key_a_note_is_only_read(tmp_path):
    trusted = keys.of_folder(tmp_path)

    assert trusted.public_keys == ()
    assert trusted.sentence.startswith("no key")
    assert trusted.read(NOTE, ORIGIN).size == 0
    with pytest.raises(Altered, match="the checkpoint is of"):
        trusted.read(NOTE, "log.example.org/" + "1" * 32)


@pytest.mark.parametrize("content", [b"", b"00", b"zz" * 32, b"\xff" * 64], ids=repr)
def test_a_file_that_holds_no_key_is_altered(tmp_path, content):
    with pytest.raises(Altered):
        keys.of_folder(folder_with(tmp_path, content))
