"""Proofs that outlive the server: of an entry as text, of an event as one file that explains itself.

An entry's proof is a `c2sp.org/tlog-proof@v1` (docs/formats/log.md). An event's proof adds what was
hashed into the entry: the opened parts with their salts, and the digests of the others.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from sealog.errors import Altered, Misconfigured, Refused
from sealog.event import parts, tokens
from sealog.event.packs import Opened
from sealog.event.parts import PART_NAMES
from sealog.ledger.files import LogReader
from sealog.ledger.notes import (
    NOTE_BYTES_MAX,
    Checkpoint,
    Vkey,
    base64_of,
    bytes_of_base64,
    decimal_of,
    hash_of_base64,
    parse_vkey,
    peek_checkpoint,
    read_checkpoint,
)
from sealog.merkle.checks import verify_inclusion
from sealog.merkle.hashes import leaf_hash

HEADER = "c2sp.org/tlog-proof@v1"
FORMAT = "sealog-event-proof/v1"
PROOF_BYTES_MAX = NOTE_BYTES_MAX + 100_000
EVENT_PROOF_BYTES_MAX = 32 << 20
PATH_HASHES_MAX = 63

HOW_TO_CHECK = (
    "This file proves, without any server, that an event stands in a sealed log.",
    (
        "1. Every part shown has a digest: SHA-256 of 'sealog/part/v1', a zero byte, the part's number"
        " as one byte, its 16-byte salt, and the part's text in UTF-8. A part without text was withheld"
        " or erased; its digest stands for it."
    ),
    (
        "2. The commitment is SHA-256 of 'sealog/event/v1', a zero byte, and for each part in order its"
        " number as one byte and its digest."
    ),
    "3. The log's entry is the entry type (01 event, 02 statement) followed by the commitment.",
    (
        "4. `proof` is a c2sp.org/tlog-proof@v1. From SHA-256 of a zero byte and the entry, its hashes"
        " lead to the root in its checkpoint, as in RFC 9162, 2.1.3.2."
    ),
    (
        "5. The checkpoint is signed with Ed25519 by the key in `vkey` (c2sp.org/signed-note). A file"
        " can name any key: compare it with one that you have from elsewhere."
    ),
    (
        "With Sealog: sealog verify FILE --key VKEY. With bash and openssl: save `proof` to a file,"
        " then verify-with-openssl.sh PROOF ENTRY VKEY, where ENTRY is the entry in hex."
    ),
)

Digest = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Salt = Annotated[str, Meta(pattern=r"\A[0-9a-f]{32}\Z")]


class Proof(msgspec.Struct, frozen=True):
    """A `tlog-proof`: an index, the path from its leaf to the root, and the signed checkpoint.

    `extra` is carried along, proved by nothing.
    """

    index: int
    path: tuple[bytes, ...]
    note: bytes
    extra: bytes | None = None


class Included(msgspec.Struct, frozen=True):
    """What a proof of an entry has shown: where it stands, and in which signed tree."""

    index: int
    checkpoint: Checkpoint


def prove(reader: LogReader, index: int, note: bytes) -> bytes:
    """The proof text of the entry at `index` under a checkpoint of the reader's size.

    Raises `Missing` for an index that the checkpoint does not cover.
    """
    assert peek_checkpoint(note).size == reader.size
    return write_proof(Proof(index, tuple(reader.inclusion(index)), note))


def write_proof(proof: Proof) -> bytes:
    """The text of a proof; the checkpoint stands in it as it was signed."""
    lines = [HEADER]
    if proof.extra is not None:
        lines.append(f"extra {base64_of(proof.extra)}")
    lines.append(f"index {proof.index}")
    lines.extend(map(base64_of, proof.path))
    return "\n".join(lines).encode() + b"\n\n" + proof.note


def read_proof(text: bytes) -> Proof:
    """Read a proof's text, in its one form; raises `Altered`. Checks nothing yet."""
    if len(text) > PROOF_BYTES_MAX:
        raise Altered(f"a proof is at most {PROOF_BYTES_MAX} bytes")
    head, blank, note = text.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise Altered("a proof is ASCII up to its checkpoint") from error
    if not blank or lines[0] != HEADER:
        raise Altered(f"a proof begins with {HEADER} and ends with a checkpoint")
    rest = lines[1:]
    extra = None
    if rest and rest[0].startswith("extra "):
        extra = bytes_of_base64(rest.pop(0).removeprefix("extra "))
        if extra is None:
            raise Altered("a proof's extra line is base64")
    index = decimal_of(rest[0].removeprefix("index ")) if rest else None
    if index is None or not rest[0].startswith("index "):
        raise Altered("a proof names its entry's index, a plain decimal")
    path = [hash_of_base64(line) for line in rest[1:]]
    if None in path or len(path) > PATH_HASHES_MAX:
        raise Altered("a proof's path is at most 63 hashes of 32 bytes, in base64")
    return Proof(index, tuple(hash_ for hash_ in path if hash_ is not None), note, extra)


def verify_proof(text: bytes, entry: bytes, vkey: Vkey | str) -> Included:
    """Check that the log of `vkey` has signed a tree in which the entry stands at the proof's index.

    Raises `Altered` for whatever does not hold, `Misconfigured` for a vkey that is none.
    """
    proof = read_proof(text)
    checkpoint = read_checkpoint(proof.note, [vkey])
    _check_inclusion(proof, entry, checkpoint)
    return Included(proof.index, checkpoint)


def _check_inclusion(proof: Proof, entry: bytes, checkpoint: Checkpoint) -> None:
    leaf = leaf_hash(entry)
    if not verify_inclusion(proof.index, checkpoint.size, leaf, proof.path, checkpoint.root):
        raise Altered(
            f"the path does not lead from this entry at index {proof.index}"
            f" to the root of {checkpoint.size} entries"
        )


class PartShown(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part in an event's proof: its digest, and its salt and text unless they were kept back."""

    number: Annotated[int, Meta(ge=0, le=3)]
    name: str
    digest: Digest
    salt: Salt | None = None
    part: str | None = None


class EventProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file that proves one event; hashes and salts are lower-case hex."""

    format: str
    how_to_check: Sequence[str]
    origin: str
    vkey: str
    index: int
    entry_type: Annotated[str, Meta(pattern=r"\A0[12]\Z")]
    commitment: Digest
    parts: Annotated[list[PartShown], Meta(min_length=1, max_length=4)]
    proof: str


def write_event_proof(
    opened: Opened, proof: bytes, vkey: Vkey, *, withheld: Collection[int] = ()
) -> bytes:
    """The file that proves an event: JSON, with everything needed to check it but the trust in a key.

    `opened` is the event as it rests, `proof` the text of its entry's proof. Parts whose number is
    in `withheld` show only their digest, as erased ones do.
    """
    shown = [
        PartShown(number, PART_NAMES[number], parts.digest(number, salt, part).hex())
        if number in withheld
        else PartShown(
            number,
            PART_NAMES[number],
            parts.digest(number, salt, part).hex(),
            salt.hex(),
            part.decode("utf-8"),
        )
        for number, salt, part in opened.parts
    ]
    shown += [
        PartShown(number, PART_NAMES[number], digest.hex()) for number, digest in opened.erased
    ]
    content = EventProof(
        format=FORMAT,
        how_to_check=HOW_TO_CHECK,
        origin=vkey.name,
        vkey=str(vkey),
        index=read_proof(proof).index,
        entry_type=opened.kind.hex(),
        commitment=opened.entry()[1:].hex(),
        parts=sorted(shown, key=lambda part: part.number),
        proof=proof.decode("utf-8"),
    )
    return msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n"


class Verdict(msgspec.Struct, frozen=True):
    """What came of checking an event's proof.

    `failed` is the first step that does not hold, one of `STEPS`, with `detail` saying why; empty
    if all hold. `key_pinned`: the key was the caller's, not the file's own word. `opened` are the
    numbers and bytes of the parts shown, given only when everything holds.
    """

    failed: str = ""
    detail: str = ""
    passed: tuple[str, ...] = ()
    key_pinned: bool = False
    entry_type: int = 0
    included: Included | None = None
    opened: tuple[tuple[int, bytes], ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every step holds."""
        return not self.failed


def verify_event_proof(content: bytes, trusted_vkey: Vkey | str | None = None) -> Verdict:
    """Check a file of `write_event_proof` from its parts to the signature, step by step.

    Without `trusted_vkey` the file's own key is used: then the verdict says no more than that the
    file is consistent with itself. With one, its name MUST be the log's origin. Raises
    `Misconfigured` only for a `trusted_vkey` that is none; a file that does not hold is a verdict.
    """
    pinned = parse_vkey(trusted_vkey) if isinstance(trusted_vkey, str) else trusted_vkey
    check = _EventCheck(content, pinned)
    passed: list[str] = []
    for step, holds in STEPS.items():
        try:
            holds(check)
        except (Altered, Refused, Misconfigured) as error:
            return Verdict(step, str(error), tuple(passed), key_pinned=pinned is not None)
        passed.append(step)
    return Verdict(
        passed=tuple(passed),
        key_pinned=pinned is not None,
        entry_type=int(check.shown.entry_type, 16),
        included=Included(check.proof.index, check.checkpoint),
        opened=tuple(
            (part.number, part.part.encode()) for part in check.shown.parts if part.part is not None
        ),
    )


class _EventCheck:
    """One file on its way through the steps; each leaves what the next ones need."""

    shown: EventProof
    vkey: Vkey
    proof: Proof
    checkpoint: Checkpoint

    def __init__(self, content: bytes, pinned: Vkey | None) -> None:
        self._content = content
        self._pinned = pinned

    def reads_as_proof(self) -> None:
        if len(self._content) > EVENT_PROOF_BYTES_MAX:
            raise Altered(f"an event's proof is at most {EVENT_PROOF_BYTES_MAX} bytes")
        try:
            self.shown = msgspec.json.decode(self._content, type=EventProof)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Altered(f"not an event's proof: {error}") from error
        if self.shown.format != FORMAT:
            raise Altered(f"the format is {self.shown.format!r}, not {FORMAT!r}")
        # Of two equal keys one reader shows the first, another the last.
        if tokens.parse(self._content).equal:
            raise Altered("a key stands twice in one object")

    def names_the_trusted_key(self) -> None:
        self.vkey = self._pinned or parse_vkey(self.shown.vkey)
        if str(self.vkey) != self.shown.vkey:
            raise Altered(f"the file names the key {self.shown.vkey}, trusted is {self.vkey}")
        if self.vkey.name != self.shown.origin:
            raise Altered(f"the key is that of {self.vkey.name}, the file of {self.shown.origin}")

    def parts_have_their_digests(self) -> None:
        numbers = [part.number for part in self.shown.parts]
        if numbers != sorted(set(numbers)):
            raise Altered("the parts do not stand in order, each once")
        for part in self.shown.parts:
            name = PART_NAMES[part.number]
            if part.name != name:
                raise Altered(f"part {part.number} is called {part.name!r}, not {name!r}")
            if part.part is None and part.salt is None:
                continue
            if part.part is None or part.salt is None:
                raise Altered(f"part {name} has only one of salt and text")
            digest = parts.digest(part.number, bytes.fromhex(part.salt), part.part.encode())
            if digest.hex() != part.digest:
                raise Altered(f"the digest of part {name} is not that of its salt and text")

    def digests_make_the_commitment(self) -> None:
        committed = parts.commitment(
            (part.number, bytes.fromhex(part.digest)) for part in self.shown.parts
        )
        if committed.hex() != self.shown.commitment:
            raise Altered("the commitment is not that of the parts' digests")

    def path_leads_to_the_root(self) -> None:
        self.proof = read_proof(self.shown.proof.encode())
        if self.proof.index != self.shown.index:
            raise Altered(f"the proof is of index {self.proof.index}, not {self.shown.index}")
        entry = bytes.fromhex(self.shown.entry_type + self.shown.commitment)
        _check_inclusion(self.proof, entry, peek_checkpoint(self.proof.note))

    def key_signed_the_root(self) -> None:
        self.checkpoint = read_checkpoint(self.proof.note, [self.vkey])


STEPS: dict[str, Callable[[_EventCheck], None]] = {
    "file": _EventCheck.reads_as_proof,
    "key": _EventCheck.names_the_trusted_key,
    "parts": _EventCheck.parts_have_their_digests,
    "commitment": _EventCheck.digests_make_the_commitment,
    "inclusion": _EventCheck.path_leads_to_the_root,
    "signature": _EventCheck.key_signed_the_root,
}
"""The steps in order: what they are called in a verdict, and the check that each one is."""
