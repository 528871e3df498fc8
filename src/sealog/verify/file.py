"""One file that someone was given, verified without any server: what `sealog verify FILE` does."""

from collections.abc import Sequence

import msgspec

from sealog.errors import Altered, Misconfigured
from sealog.event.parts import EVENT_ENTRY, PART_NAMES
from sealog.ledger import proofs
from sealog.ledger.notes import NOTE_BYTES_MAX, parse_vkey, peek_checkpoint, read_checkpoint
from sealog.ledger.proofs import Verdict

EVENT_PROOF = "event proof"
ENTRY_PROOF = "entry proof"
CHECKPOINT = "checkpoint"
UNKNOWN = "unknown"

_STEPS = {
    "file": "the file reads as a proof",
    "key": "it names the key that is trusted",
    "parts": "every part shown has its digest",
    "commitment": "the digests make the commitment",
    "inclusion": "the path leads from the entry to the root",
    "signature": "the key signed the root",
}


class FileVerdict(msgspec.Struct, frozen=True):
    """What came of verifying one file."""

    holds: bool
    kind: str
    """`event proof`, `entry proof`, `checkpoint` or `unknown`."""
    key_pinned: bool = False
    lines: Sequence[str] = ()
    """What was checked and what came of it, for people, in order."""
    opened: Sequence[tuple[str, str]] = ()
    """Name and JSON text of each part that the file shows; only where everything holds."""


def verify_file(content: bytes, *, key: str | None = None) -> FileVerdict:
    """Verify what the file turns out to be: the proof of an event or of an entry, or a checkpoint.

    `key`: a vkey to trust; without it an event's proof is held against the key it names itself.
    Raises `Misconfigured` for a key that is none; whatever is wrong with the file is a verdict.
    """
    vkey = None if key is None else key.strip()
    if vkey is not None:
        parse_vkey(vkey)
    if content.startswith(proofs.HEADER.encode()):
        return _entry(content, vkey)
    if content.lstrip()[:1] == b"{":
        return _event(content, vkey)
    try:
        if len(content) <= NOTE_BYTES_MAX:
            peek_checkpoint(content)
            return _checkpoint(content, vkey)
    except Altered:
        pass
    line = (
        "not a proof: neither an event's proof (JSON), nor a c2sp.org/tlog-proof, nor a checkpoint"
    )
    return FileVerdict(holds=False, kind=UNKNOWN, key_pinned=vkey is not None, lines=[line])


def _event(content: bytes, vkey: str | None) -> FileVerdict:
    try:
        verdict = proofs.verify_event_proof(content, vkey)
    except (Misconfigured, RecursionError, ValueError) as error:
        verdict = Verdict("file", str(error), key_pinned=vkey is not None)
    lines = [f"{_STEPS[step]}: yes" for step in verdict.passed]
    if verdict.failed:
        lines.append(f"{_STEPS[verdict.failed]}: NO. {verdict.detail}")
        return FileVerdict(
            holds=False, kind=EVENT_PROOF, key_pinned=verdict.key_pinned, lines=lines
        )
    assert verdict.included is not None
    checkpoint = verdict.included.checkpoint
    kind = "an event" if verdict.entry_type == EVENT_ENTRY[0] else "a statement"
    lines.append(
        f"{kind} stands at index {verdict.included.index} of the {checkpoint.size} entries of"
        f" {checkpoint.origin}"
    )
    lines.append(_trust(pinned=verdict.key_pinned))
    return FileVerdict(
        holds=True,
        kind=EVENT_PROOF,
        key_pinned=verdict.key_pinned,
        lines=lines,
        opened=[(PART_NAMES[number], part.decode()) for number, part in verdict.opened],
    )


def _entry(content: bytes, vkey: str | None) -> FileVerdict:
    """A bare proof shows no event, so what it proves cannot be checked from it alone."""
    lines = []
    try:
        proof = proofs.read_proof(content)
        shown = peek_checkpoint(proof.note)
        lines.append(
            f"it is about index {proof.index} of the {shown.size} entries of {shown.origin}"
        )
        if vkey is not None:
            read_checkpoint(proof.note, [vkey])
            lines.append("the key signed its checkpoint: yes")
    except Altered as error:
        lines.append(f"it does not hold: {error}")
        return FileVerdict(holds=False, kind=ENTRY_PROOF, key_pinned=vkey is not None, lines=lines)
    lines.append(
        "not verified: the 33 bytes of the entry are not in this file, and without them the path"
        " proves nothing; ask for the event's proof, which holds its parts, or use"
        " verify-with-openssl.sh PROOF ENTRY VKEY"
    )
    return FileVerdict(holds=False, kind=ENTRY_PROOF, key_pinned=vkey is not None, lines=lines)


def _checkpoint(content: bytes, vkey: str | None) -> FileVerdict:
    shown = peek_checkpoint(content)
    lines = [f"a checkpoint of {shown.size} entries of {shown.origin}"]
    if vkey is None:
        lines.append("not verified: give the key that must have signed it, with --key")
        return FileVerdict(holds=False, kind=CHECKPOINT, lines=lines)
    try:
        read_checkpoint(content, [vkey])
    except Altered as error:
        lines.append(f"the key signed it: NO. {error}")
        return FileVerdict(holds=False, kind=CHECKPOINT, key_pinned=True, lines=lines)
    lines.append("the key signed it: yes")
    return FileVerdict(holds=True, kind=CHECKPOINT, key_pinned=True, lines=lines)


def _trust(*, pinned: bool) -> str:
    if pinned:
        return "key pinned: it is the one that you gave"
    return (
        "the file names the key itself: compare it with one that you have from elsewhere, or --key"
    )
