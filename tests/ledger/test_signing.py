"""What was signed is kept, and never taken back."""

import pytest
from tests.journal.made import tenant
from tests.ledger.lives import Life

from sealog.errors import Forked
from sealog.ledger import signing
from sealog.ledger.files import LogFiles
from sealog.ledger.notes import read_checkpoint
from sealog.ledger.signing import Signing


@pytest.fixture
def life(tmp_path):
    life = Life(tmp_path / "data")
    yield life
    life.stop()


@pytest.fixture
def signed(life):
    return Signing(life.store, life.installation)


def test_a_smaller_size_never_takes_the_place_of_a_larger(signed):
    for size in (3, 2, 4, 1):
        signed.keep([(1, size, b"r", b"%d" % size), (2, 7, b"r", b"n")])

    kept = {number: (row.size, row.note) for number, row in signed.newest().items()}
    assert kept == {1: (4, b"4"), 2: (7, b"n")}


def test_a_log_is_signed_as_it_is_under_its_tenants_key(life, signed):
    life.append(1, "a", "b")
    life.ledger.settle()
    log = LogFiles(life.log(1), 1)

    number, size, root, note = signed.sign(life.tenants[1], log)

    shown = read_checkpoint(note, [life.installation.vkey(life.tenants[1])])
    assert (number, size, root) == (1, 1, log.root())
    assert (shown.size, shown.root) == (1, log.root())


def test_few_signers_are_held(signed, monkeypatch):
    monkeypatch.setattr(signing, "SIGNERS_MAX", 2)

    names = {signed.signer(tenant(number)).vkey.name for number in (1, 2, 3, 1)}

    assert len(names) == 3
    assert len(signed._signers) == 2


def test_a_log_that_grew_from_what_was_signed_passes_and_no_other(life, signed):
    life.append(1, "a", "b")
    signed.check_grown(2, life.log(2))
    life.ledger.settle()
    signed.check_grown(1, life.log(1))
    with (life.log(1) / "entries").open("r+b") as file:
        file.write(bytes(33))

    with pytest.raises(Forked, match="signed at 2 entries"):
        signed.check_grown(1, life.log(1))
