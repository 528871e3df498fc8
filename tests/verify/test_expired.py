"""What is noted to have expired MUST be what a sealed statement says."""

import msgspec
import pytest
from tests.verify.made import alter, event, statement

from sealog.storage.tables import row_digest
from sealog.verify import expired
from sealog.verify.folder import verify_folder

NUMBER = 1
FLAT = msgspec.msgpack.encode([1, 2, 1, 1])
"""1, 2 and 4."""


@pytest.fixture
def path(home):
    """Six events, of which a statement at index 6 says that 1, 2 and 4 have expired."""
    home.add("acme", *[event() for _ in range(6)])
    home.add("acme", statement("sealog.retention", ranges=[[1, 2], [4, 4]]))
    home.cut()
    home.settle()
    home.close()
    return home.path


def noted(path, *, statement=6, first=1, last=4, count=3, indexes=FLAT, digest=None):
    values = (NUMBER, statement, first, last, count, indexes)
    digest = row_digest("expired", *values) if digest is None else digest
    alter(path, "INSERT INTO expired VALUES (?, ?, ?, ?, ?, ?, ?)", *values, digest)


def faults(path):
    return [(one.where, one.index, one.what) for one in verify_folder(path).faults]


def test_a_row_that_says_what_its_statement_says_holds(path):
    noted(path)

    assert faults(path) == []


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"digest": b"x"}, "it is not what was written"),
        ({"first": 0}, "first, last or count are not those of its indexes"),
        ({"last": 5}, "first, last or count are not those of its indexes"),
        ({"count": 4}, "first, last or count are not those of its indexes"),
        ({"indexes": b"\xc1"}, "its indexes do not read"),
        ({"indexes": msgspec.msgpack.encode([1])}, "its indexes do not read"),
        ({"indexes": msgspec.msgpack.encode([1, 2, 0, 1])}, "its indexes do not read"),
        ({"statement": 5}, "no statement at this index says that all of these have expired"),
        (
            {"indexes": msgspec.msgpack.encode([1, 4]), "count": 4},
            "no statement at this index says that all of these have expired",
        ),
    ],
    ids=[
        "digest",
        "first",
        "last",
        "count",
        "no-list",
        "too-short",
        "an-empty-run",
        "another-statement",
        "more-than-it-says",
    ],
)
def test_a_row_that_says_anything_else_is_named(path, wrong, what):
    noted(path, **wrong)

    assert faults(path) == [(expired.EXPIRED, wrong.get("statement", 6), what)]


def test_a_row_of_no_tenant_is_named(path):
    values = (9, 6, 1, 4, 3, FLAT)
    alter(path, "INSERT INTO expired VALUES (?, ?, ?, ?, ?, ?, ?)", *values, b"x")

    assert faults(path) == [("state.db expired", None, "tenant 9 is not in the list of tenants")]
