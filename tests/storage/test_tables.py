import hashlib

from sealog.storage import tables


def test_a_row_digest_is_of_the_tables_name_and_every_value():
    digest = tables.row_digest("heads", 1, 2, None, b"\x05")

    packed = b"\x95\xa5heads\x01\x02\xc0\xc4\x01\x05"
    assert digest == hashlib.sha256(b"sealog/row/v1\x00" + packed).digest()


def test_every_table_is_declared():
    assert set(tables.metadata.tables) == {
        "installation",
        "tenants",
        "heads",
        "blocks",
        "recent_ids",
        "signed",
        "segments",
        "keys",
        "reads",
        "exports",
        "seen",
        "policies",
        "unrecorded",
        "expired",
        "expiring",
        "classed",
        "streams",
        "parked",
    }


def test_a_moved_value_changes_the_digest():
    assert tables.row_digest("heads", 1, 23) != tables.row_digest("heads", 12, 3)
    assert tables.row_digest("heads", 1) != tables.row_digest("blocks", 1)
