import msgspec
import pytest
from tests.verify.made import Home, event

from sealog.errors import Misconfigured
from sealog.verify.file import verify_file


@pytest.fixture(scope="module")
def proved(tmp_path_factory):
    """An event's proof, the bare proof inside it, a checkpoint, and the key of its log."""
    home = Home(tmp_path_factory.mktemp("proved") / "folder")
    events = [event() for _ in range(5)]
    home.add("acme", *events)
    home.settle()
    tenant = home.tenant("acme")
    content = home.ledger.event_proof(tenant, 3, events[3])
    note = home.ledger.checkpoint(tenant)
    vkey = home.vkey("acme")
    home.close()
    return content, msgspec.json.decode(content)["proof"].encode(), note, vkey


def test_an_events_proof_holds_under_its_key_and_shows_its_parts(proved):
    content, _, _, vkey = proved

    verdict = verify_file(content, key=vkey)

    assert verdict.holds
    assert verdict.kind == "event proof"
    assert verdict.key_pinned
    assert [name for name, _ in verdict.opened] == ["facts", "actor"]
    assert verdict.lines[:2] == [
        "the file reads as a proof: yes",
        "it names the key that is trusted: yes",
    ]
    assert verdict.lines[-2].startswith("an event stands at index 3 of the 5 entries of log.exam")
    assert verdict.lines[-1].startswith("key pinned")


def test_without_a_key_it_says_that_the_file_names_it_itself(proved):
    verdict = verify_file(proved[0])

    assert verdict.holds
    assert not verdict.key_pinned
    assert verdict.lines[-1].startswith("the file names the key itself")


def test_every_changed_digit_of_a_proof_is_told(proved):
    content, _, _, vkey = proved
    begin = content.index(b'"origin"')
    for at in range(begin, len(content), 7):
        if content[at : at + 1].isdigit():
            digit = b"%d" % ((content[at] - 48 + 1) % 10)
            changed = content[:at] + digit + content[at + 1 :]
            assert not verify_file(changed, key=vkey).holds, at


def test_a_failed_step_says_which_and_why(proved):
    content, _, _, vkey = proved

    verdict = verify_file(content.replace(b'"index": 3', b'"index": 2'), key=vkey)

    assert not verdict.holds
    assert verdict.opened == ()
    assert verdict.lines[-1] == (
        "the path leads from the entry to the root: NO. the proof is of index 3, not 2"
    )


def test_a_bare_proof_says_what_is_missing(proved):
    _, bare, _, vkey = proved

    verdict = verify_file(bare, key=vkey)

    assert not verdict.holds
    assert verdict.kind == "entry proof"
    assert verdict.lines[0].startswith("it is about index 3 of the 5 entries")
    assert verdict.lines[1] == "the key signed its checkpoint: yes"
    assert "ask for the event's proof" in verdict.lines[2]


def test_a_bare_proof_that_is_damaged_says_so(proved):
    verdict = verify_file(proved[1][:-30])

    assert not verdict.holds
    assert verdict.lines[-1].startswith("it does not hold")


def test_a_checkpoint_holds_under_its_key_only(proved):
    _, _, note, vkey = proved

    assert verify_file(note, key=vkey).holds
    assert not verify_file(note).holds
    assert not verify_file(note.replace(b"\n5\n", b"\n6\n"), key=vkey).holds
    assert verify_file(note, key=vkey).kind == "checkpoint"


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"{", b"{}", b"[]", b"\xff\xfe", b'{"format":"x"}', b"{" * 100_000],
    ids=["empty", "text", "brace", "object", "array", "bytes", "format", "deep"],
)
def test_anything_else_is_a_verdict_and_no_traceback(content):
    verdict = verify_file(content)

    assert not verdict.holds
    assert verdict.lines


def test_a_key_that_is_none_is_the_callers_mistake(proved):
    with pytest.raises(Misconfigured):
        verify_file(proved[0], key="nonsense")
