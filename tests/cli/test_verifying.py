import msgspec
import pytest
from tests.cli.made import ecs, lines

from sealog.cli import verifying
from sealog.verify.report import Fault, Report


@pytest.fixture
def acme(sealog):
    sealog("ingest", "-", "--tenant", "acme", stdin=lines(*[ecs(number) for number in range(8)]))
    return sealog


@pytest.fixture
def vkey(acme):
    [tenant] = acme("tenants", "list", "--json").value["tenants"]
    return tenant["vkey"]


def test_a_sound_folder_is_verified_and_says_what_it_was_held_against(acme):
    ran = acme("verify", "--data", "sealog-data")

    assert ran.code == 0
    assert "1 tenants: opened 8, erased 0, expired 0, statement 0, UNEXPLAINED 0" in ran.out
    assert "consistent with itself, no more" in ran.out
    assert ran.out.splitlines()[-1] == "verified"


def test_with_a_key_it_says_that_it_was_pinned(acme, vkey, tmp_path):
    (tmp_path / "keys.txt").write_text(f"# ours\n\n{vkey}\n")

    by_itself = acme("verify", "sealog-data", "--key", vkey)
    by_file = acme("verify", "sealog-data", "--key", "keys.txt", "--json")

    assert by_itself.code == 0
    assert "key pinned" in by_itself.out
    assert by_file.value["holds"] is True
    assert by_file.value["key_pinned"] is True
    assert by_file.value["counts"]["opened"] == 8


def test_another_key_verifies_nothing(acme, vkey):
    other = vkey[:-4] + ("AAA=" if vkey[-4:] != "AAA=" else "BBB=")

    ran = acme("verify", "sealog-data", "--key", other)

    assert ran.code != 0
    assert "verified\n" not in ran.out.replace("NOT verified", "")


def test_a_checkpoint_that_was_kept_pins_the_folder(acme, tmp_path):
    [note] = (tmp_path / "sealog-data" / "logs").glob("*/checkpoint")
    (tmp_path / "kept").write_bytes(note.read_bytes())
    acme("ingest", "-", "--tenant", "acme", stdin=lines(ecs(100)))

    ran = acme("verify", "sealog-data", "--against", "kept", "--json")

    assert ran.code == 0
    assert ran.value["counts"]["opened"] == 9


def test_a_changed_byte_is_named_by_tenant_and_file(acme, tmp_path):
    [entries] = (tmp_path / "sealog-data" / "logs").glob("*/entries")
    text = bytearray(entries.read_bytes())
    text[40] ^= 1
    entries.write_bytes(text)

    ran = acme("verify", "sealog-data")
    as_json = acme("verify", "sealog-data", "--json")

    assert ran.code == 1
    assert ran.out.startswith("WRONG  tenant acme: logs/")
    assert ran.out.splitlines()[-1] == "NOT verified"
    assert as_json.code == 1
    assert as_json.value["holds"] is False
    assert {fault["tenant"] for fault in as_json.value["faults"]} == {"acme"}


@pytest.mark.parametrize("how", [("--index", "3"), ("--id", "e-3")], ids=lambda how: how[0])
def test_a_proof_is_verified_without_the_folder(acme, vkey, tmp_path, how):
    wrote = acme("prove", "--tenant", "acme", *how, "-o", "proof.json")
    (tmp_path / "sealog-data").rename(tmp_path / "gone")

    ran = acme("verify", "proof.json", "--key", vkey)

    assert (wrote.code, wrote.out) == (0, "")
    assert ran.code == 0
    assert "an event stands at index 3 of the 8 entries of sealog.invalid/" in ran.out
    assert "key pinned" in ran.out


def test_a_proof_goes_to_standard_output_too(acme):
    ran = acme("prove", "--tenant", "acme", "--index", "0")

    assert msgspec.json.decode(ran.out)
    assert ran.err == ""


def test_a_changed_proof_does_not_hold(acme, tmp_path):
    acme("prove", "--tenant", "acme", "--index", "3", "-o", "proof.json")
    proof = (tmp_path / "proof.json").read_text()
    assert "user.login" in proof
    (tmp_path / "proof.json").write_text(proof.replace("user.login", "user.logon"))

    ran = acme("verify", "proof.json")
    as_json = acme("verify", "proof.json", "--json")

    assert ran.code == 1
    assert "every part shown has its digest: NO" in ran.out
    assert (as_json.code, as_json.value["holds"]) == (1, False)


def test_json_of_a_proof_shows_what_was_opened(acme):
    acme("prove", "--tenant", "acme", "--index", "3", "-o", "proof.json")

    shown = acme("verify", "proof.json", "--json").value

    assert shown["holds"] is True
    assert shown["kind"] == "event proof"
    assert [name for name, _ in shown["opened"]] == ["facts", "actor"]
    assert msgspec.json.decode(shown["opened"][0][1])["event"]["id"] == "e-3"


def test_a_file_that_proves_nothing_is_no_success(sealog, tmp_path):
    (tmp_path / "a.txt").write_text("trust me")

    ran = sealog("verify", "a.txt")

    assert ran.code == 1
    assert "not a proof" in ran.out


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("verify", "nowhere"), "there is no nowhere"),
        (("verify",), "there is no sealog-data"),
        (("verify", ".", "--key", "nowhere"), "--key is a vkey or a file of them"),
        (("prove", "--tenant", "acme"), "name the event by --index or by --id"),
        (("prove", "--tenant", "acme", "--index", "1", "--id", "x"), "by --index or by --id"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_a_matter_of_usage(sealog, command, says):
    ran = sealog(*command)

    assert ran.code == 2
    assert says in ran.err


def test_several_keys_for_one_proof_are_a_matter_of_usage(acme, vkey):
    acme("prove", "--tenant", "acme", "--index", "3", "-o", "proof.json")

    assert acme("verify", "proof.json", "--key", vkey, "--key", vkey).code == 2


@pytest.mark.parametrize("how", [("--index", "8"), ("--id", "e-8")], ids=lambda how: how[0])
def test_what_is_not_there_cannot_be_proven(acme, how):
    ran = acme("prove", "--tenant", "acme", *how)

    assert (ran.code, ran.out) == (1, "")
    assert "there is no event" in ran.err


def test_a_proof_comes_from_a_server_too(sealog, served):
    """What `ingest` has ended for is signed, and can be proven at once."""
    where = ("--server", served.url, "--key", served.key)
    sealog("ingest", "-", "--tenant", "proven", *where, stdin=lines(ecs(1)))

    ran = sealog("prove", "--tenant", "proven", "--id", "e-1", "-o", "p.json", *where)

    assert ran.code == 0
    assert sealog("verify", "p.json").code == 0


def test_a_report_of_many_faults_is_cut_and_counted():
    faults = [Fault("acme", index, "entries", "is wrong") for index in range(130)]
    report = Report(faults=faults, faults_left_out=5, trust="trusted nobody")

    shown = list(verifying.lines_of(report))

    assert shown[0] == "WRONG  tenant acme: entries (index 0): is wrong"
    assert shown[100] == "WRONG  and 35 more"
    assert shown[-1] == "NOT verified"


def test_what_is_unfinished_is_a_note_and_no_fault():
    report = Report(unfinished=[Fault(None, None, "state.db", "is being written")])

    shown = list(verifying.lines_of(report))

    assert shown[0] == "note   state.db: is being written"
    assert shown[-1] == "verified"
