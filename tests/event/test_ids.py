import re
import uuid
from pathlib import Path

import msgspec
import pytest

from sealog.errors import Refused
from sealog.event import ids

VECTORS = msgspec.json.decode(
    (Path(__file__).parents[1] / "golden" / "entry" / "parts-vectors.json").read_bytes()
)["ids"]
KEY = bytes.fromhex(VECTORS["tenant_key"])
RECORD = VECTORS["record_bytes"].encode()


def test_an_imported_record_has_the_id_of_its_bytes():
    """LH-Q23: importing a file again finds the same ids."""
    assert ids.id_from_record(KEY, "logichub", RECORD, 0) == VECTORS["import_n0"]
    assert ids.id_from_record(KEY, "logichub", RECORD, 1) == VECTORS["import_n1"]


def test_a_retried_request_gives_every_record_the_id_it_had():
    made = ids.id_from_request(KEY, "logichub", VECTORS["idempotency_key"], VECTORS["position"])

    assert made == VECTORS["idempotent"]


def test_a_fingerprint_is_over_what_was_sent():
    assert ids.fingerprint(KEY, "logichub", RECORD).hex() == VECTORS["fingerprint"]


@pytest.mark.parametrize(
    "other",
    [
        ids.id_from_record(bytes(32), "logichub", RECORD, 0),
        ids.id_from_record(KEY, "ecs", RECORD, 0),
        ids.id_from_record(KEY, "logichub", RECORD + b" ", 0),
        ids.id_from_record(KEY, "logichub", RECORD, 2),
        ids.id_from_request(KEY, "logichub", RECORD.decode(), 0),
    ],
    ids=["tenant", "dialect", "bytes", "repeat", "request"],
)
def test_what_differs_has_another_id(other):
    assert other != VECTORS["import_n0"]


def test_a_derived_id_is_a_uuid_of_version_8():
    made = uuid.UUID(VECTORS["import_n0"])

    assert made.version == 8
    assert made.variant == uuid.RFC_4122
    assert ids.id_from_record(KEY, "logichub", RECORD, 0) == str(made)


def test_a_new_id_is_a_uuid_of_version_7_that_begins_with_its_time():
    made = ids.uuid7(0x019AA1C27C00, bytes.fromhex("ffffffffffffffffffff"))

    assert made == "019aa1c2-7c00-7fff-bfff-ffffffffffff"
    assert ids.uuid7(0x019AA1C27C00, bytes(10)) == "019aa1c2-7c00-7000-8000-000000000000"
    assert uuid.UUID(made).version == 7
    assert uuid.UUID(made).variant == uuid.RFC_4122


def test_an_id_is_remembered_under_its_time_so_that_writes_stay_in_order():
    early = ids.id_key(KEY, "b", 1_000_000)
    late = ids.id_key(KEY, "a", 1_792_000_000_000_000)

    assert early[:5] == bytes([0, 0, 0, 0, 1])
    assert early < late
    assert len(early) == len(late) == ids.ID_KEY_BYTES == 16


@pytest.mark.parametrize("at_us", [None, 0, -5_000_000])
def test_an_id_without_a_time_or_from_before_1970_is_remembered_under_0(at_us):
    assert ids.id_key(KEY, "a", at_us)[:5] == bytes(5)


def test_the_far_future_fits_the_key():
    assert ids.id_key(KEY, "a", 1 << 80)[:5] == b"\xff\xff\xff\xff\xff"


def test_another_tenant_remembers_the_same_id_differently():
    assert ids.id_key(KEY, "a", 0) != ids.id_key(bytes(32), "a", 0)


@pytest.mark.parametrize("name", ["a", "acme:eu-1", "x@y.z_Q", "t" * 128])
def test_a_tenant_may_be_named_so(name):
    assert ids.check_tenant(name) == name


@pytest.mark.parametrize("name", ["", "t" * 129, "a b", "a/b", "ä", "a\n", "../x/"])
def test_a_tenant_may_not_be_named_so(name):
    with pytest.raises(Refused, match=re.escape("1 to 128 of")) as refused:
        ids.check_tenant(name)

    assert refused.value.code == "bad-tenant"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("i" * 256, True), ("i" * 257, False), ("a@b", False), ("order [masked]", False)],
)
def test_an_id_is_short_has_no_at_sign_and_was_not_masked(name, expected):
    assert ids.may_be_id(name) is expected
