"""The numbers in docs/formats are those that the program computes."""

import base64
import hashlib
import re
from pathlib import Path

import msgspec
from tests.architecture.tree import ROOT

from sealog.event import ids, parts
from sealog.storage.tables import row_digest

FORMATS = ROOT / "docs" / "formats"


def numbers(page: str) -> dict[str, str]:
    """The `name   value` lines of the fenced blocks under "Worked example"."""
    text = (FORMATS / page).read_text("utf-8")
    example = text[re.search(r"Worked example", text).start() :]
    blocks = re.findall(r"^```\n(.*?)^```$", example, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    pairs = [re.split(r" {2,}", line, maxsplit=1) for line in lines]
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def test_parts():
    told = numbers("parts.md")
    digests = []
    for number in (0, 1):
        salt = bytes.fromhex(told[f"salt {number}"])
        digests.append((number, parts.digest(number, salt, told[f"part {number}"].encode())))

    committed = parts.commitment(digests)
    entry = parts.entry(parts.EVENT_ENTRY, committed)

    assert [digest.hex() for _, digest in digests] == [told["digest 0"], told["digest 1"]]
    assert committed.hex() == told["commitment"]
    assert entry.hex() == told["entry"]
    assert hashlib.sha256(b"\x00" + entry).hexdigest() == told["leaf hash"]


def test_the_list_of_facts_is_the_one_in_force():
    text = (FORMATS / "parts.md").read_text("utf-8")
    listed = re.search(r"of every event:\n\n(.*?)\n\n", text, re.DOTALL)[1]

    assert set(re.findall(r"`([^`]+)`", listed)) == parts.FACT_PATHS


def test_the_statements_are_those_in_force():
    text = (FORMATS / "statement.md").read_text("utf-8")

    assert set(re.findall(r"^\| `(sealog\.[a-z]+)`", text, re.MULTILINE)) == parts.STATEMENT_ACTIONS


def test_ids():
    told = numbers("ids.md")
    key, dialect, record = (
        bytes.fromhex(told["tenant key"]),
        told["dialect"],
        told["record"].encode(),
    )
    request = told["Idempotency-Key"]

    assert ids.fingerprint(key, dialect, record).hex() == told["fingerprint"]
    for n in (0, 1):
        assert ids.id_from_record(key, dialect, record, n) == told[f"import, n = {n}"]
        assert ids.id_from_request(key, dialect, request, n) == told[f"position {n}"]
    assert ids.id_key(key, told["event.id"], 1_769_860_800_000_000).hex() == told["key"]
    assert ids.id_key(key, told["event.id"], None).hex() == told["key, no time"]


def test_a_statement_in_both_forms_names_the_same_indexes():
    text = (FORMATS / "statement.md").read_text("utf-8")
    lines = [line for line in text.splitlines() if line.startswith('{"v":1')]
    by_range, by_bits = (msgspec.json.decode(line) for line in lines)

    bits = int.from_bytes(base64.b64decode(by_bits["bits"]), "little")
    named = {by_bits["first"] + n for n in range(bits.bit_length()) if bits >> n & 1}

    assert named == {i for first, last in by_range["ranges"] for i in range(first, last + 1)}


def test_a_row_digest():
    assert row_digest("heads", 1, 2, 2, 0).hex() == numbers("segment.md")["digest"]


def test_the_proof_that_is_told_is_the_golden_one():
    told = numbers("proof.md")
    golden = Path(ROOT / "tests" / "golden" / "checkpoint" / "event-proof-v1.json").read_bytes()
    proof = msgspec.json.decode(golden)

    assert proof["entry_type"] + proof["commitment"] == told["entry"]
    assert proof["vkey"] == told["vkey"]
    assert told["root"] in proof["proof"].splitlines()
