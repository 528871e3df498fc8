"""Step 3 of the path of an event: secrets are cut out before anything is kept or hashed.

One scan over the batch flags what may hold a secret; only flagged records are read, judged by the
exact rules and cut on their bytes, in the original as well. Nothing outside a cut changes.
"""

from bisect import bisect_right
from collections import Counter
from itertools import accumulate
from typing import Any

import msgspec
from msgspec import Raw

from sealog.errors import Refused
from sealog.event import tokens
from sealog.event.findings import Finding
from sealog.event.record import Record
from sealog.refine.judge import Cut, cut, judged, judged_shaped
from sealog.refine.rules import MASKED
from sealog.refine.scan import suspects

FINDINGS_MAX = 256
"""Masked values named one by one in a record; the rest are cut too, and counted."""
_FOUND_BYTES_MIN = 4
_SURE_BYTES_MIN = 8

_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_Hits = list[tuple[int, int]]


def mask(
    records: list[Record | Refused], *, dialect: str, documented: frozenset[str] = frozenset()
) -> list[Record | Refused]:
    """Cut the secrets out of a batch; the records are changed in place, in their order.

    A record without secrets keeps the very same bytes. One with secrets is no longer strict, has
    one finding `masked` per value, and its `received`, `text`, `fields` and `equal` hold no secret.
    `documented`: field names that are no secrets by name (shapes still count).
    """
    with_inputs = dialect == "chatvisor"
    for record, text_hits, received_hits in _flagged(records, with_inputs=with_inputs):
        is_input = with_inputs and _is_input(record)
        cuts = None
        if record.shaped is not None and not is_input:
            cuts = judged_shaped(record.text, text_hits, record.shaped)
        if cuts is None:
            cuts = judged(record.text, text_hits, documented=documented, is_input=is_input)
        if record.received is record.text or record.received == record.text:
            if cuts:
                _change(record, cuts, received=None)
            continue
        others = judged(record.received, received_hits, documented=documented, is_input=is_input)
        if cuts or others:
            _change(record, cuts, received=_cut_original(record, cuts, others), extra=others)
    return records


def _flagged(
    records: list[Record | Refused], *, with_inputs: bool
) -> list[tuple[Record, _Hits, _Hits]]:
    """The records that the scan stopped at, with where it did in `text` and in `received`."""
    owners = [record for record in records if type(record) is Record]
    chunks = [record.text for record in owners]
    texts = len(chunks)
    mended = [record for record in owners if record.received is not record.text]
    chunks += [record.received for record in mended]
    found = list(suspects(b"\n".join(chunks)))
    flagged: dict[int, tuple[Record, _Hits, _Hits]] = {}
    if with_inputs:
        flagged = {id(record): (record, [], []) for record in owners if _is_input(record)}
    if not found:
        return list(flagged.values())
    begins = [0, *accumulate(len(chunk) + 1 for chunk in chunks)]
    for begin, end in found:
        # A hit may begin on the separator before its chunk: it belongs where it ends.
        at = bisect_right(begins, end - 1) - 1
        record = owners[at] if at < texts else mended[at - texts]
        _, text_hits, received_hits = flagged.setdefault(id(record), (record, [], []))
        hits = text_hits if at < texts else received_hits
        hits.append((begin - begins[at], end - begins[at]))
    return list(flagged.values())


def _is_input(record: Record) -> bool:
    """Whether this is a session event that carries what somebody typed (CV-Q5)."""
    kind: Any = record.fields.get("type")
    if kind is None or type(kind) is dict:
        return False
    plain = tokens.plain_leaf(kind)
    return type(plain) is str and plain.strip().lower() == "input"


def _change(
    record: Record, cuts: list[Cut], *, received: bytes | None, extra: list[Cut] | None = None
) -> None:
    secrets = [record.text[one.begin : one.end].decode("utf-8", "replace") for one in cuts]
    if cuts:
        record.text = cut(record.text, cuts)
        _reopen(record)
    record.received = record.text if received is None else received
    record.strict = False
    told = [_retold(finding, secrets) for finding in record.findings]
    record.findings = told + _findings(cuts or extra or [])


def _reopen(record: Record) -> None:
    # What the quick reader cannot see (equal keys, odd numbers) was read by the slow one before,
    # and its values may have held the secret.
    if record.shaped is not None:
        record.opened, record.shaped = None, record.shaped.again(record.text)
        if record.shaped is not None:
            return
    if not record.equal and record.keys is None:
        try:
            record.fields = _OBJECT.decode(record.text)
        except msgspec.DecodeError:
            pass
        else:
            return
    parsed = tokens.parse(record.text)
    record.fields, record.equal, record.keys = parsed.tree, parsed.equal, parsed.keys


def _cut_original(record: Record, cuts: list[Cut], others: list[Cut]) -> bytes:
    """The original of a mended record, cut by its own reading.

    What was cut from the mended text must be gone here too: where the original does not show it
    as plainly, it is looked for by its bytes; where even that cannot tell, the original is given
    up for the masked text.
    """
    original = cut(record.received, others)
    missing = Counter(one.detail for one in cuts) - Counter(one.detail for one in others)
    for one in cuts:
        forms = _forms(record.text[one.begin : one.end])
        seen = [form for form in forms if len(form) >= _FOUND_BYTES_MIN and form in original]
        if not seen and missing[one.detail] > 0:
            return cut(record.text, cuts)
        for form in seen:
            # Short values are words too: they are cut only where the reading missed something.
            if missing[one.detail] > 0 or len(form) >= _SURE_BYTES_MIN:
                original = original.replace(form, MASKED)
    return original


def _forms(written: bytes) -> set[bytes]:
    """How a value cut from JSON may stand elsewhere: as written, unescaped, in a CSV row."""
    plain = tokens.plain_leaf(Raw(b'"' + written + b'"'))
    decoded = plain.encode() if type(plain) is str else written
    return {written, decoded, decoded.replace(b'"', b'""')}


def _retold(finding: Finding, secrets: list[str]) -> Finding:
    """A finding from before masking, which must not quote what was cut since."""
    if any(len(secret) >= _FOUND_BYTES_MIN and secret in finding.detail for secret in secrets):
        return Finding(finding.code, finding.pointer, MASKED.decode())
    return finding


def _findings(cuts: list[Cut]) -> list[Finding]:
    told = [Finding("masked", one.pointer, one.detail) for one in cuts[:FINDINGS_MAX]]
    if len(cuts) > FINDINGS_MAX:
        told.append(Finding("masked", "", f"and {len(cuts) - FINDINGS_MAX} more"))
    return told
