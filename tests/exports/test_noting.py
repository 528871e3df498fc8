from tests.archive.made import ALPHA, TENANTS

from sealog.access.reads import Kind
from sealog.exports.exports import Finished
from sealog.exports.noting import noting


class Reads:
    """Remembers what it was told."""

    def __init__(self):
        self.noted = []

    def note(self, grant, tenant, kind, *, indexes, events):
        self.noted.append((grant.key, tenant, kind, indexes, events))


def test_an_export_counts_for_the_key_that_asked_for_it():
    reads = Reads()

    noting(reads, TENANTS.get)(Finished("exp_1", 1, "key_1", 33, 1, 97))

    assert reads.noted == [("key_1", ALPHA, Kind.EXPORTS, (1, 97), 33)]


def test_one_of_nothing_was_asked_for_all_the_same():
    reads = Reads()

    noting(reads, TENANTS.get)(Finished("exp_1", 1, "key_1", 0, None, None))

    assert reads.noted == [("key_1", ALPHA, Kind.EXPORTS, (), 0)]


def test_of_a_tenant_that_is_gone_there_is_nothing_to_note():
    reads = Reads()

    noting(reads, TENANTS.get)(Finished("exp_1", 9, "key_1", 0, None, None))

    assert reads.noted == []
