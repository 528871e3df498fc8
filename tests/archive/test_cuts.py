"""Segments are listed with how far the archive is, sorted by the policy of the moment."""

from tests.archive.made import ALPHA, BETA, Home, event

from sealog.archive import listing
from sealog.policy.retention import Retention, Rule
from sealog.storage.store import driver


def _sorted_by(home: Home) -> dict[int, int]:
    with home.store.reading() as connection:
        return listing.sorted_by(driver(connection))


def test_a_tenant_is_sorted_from_its_first_segment_on(lasting: Home):
    lasting.rules = {BETA.number: Retention(4, (Rule(keep_s=3_600),))}
    lasting.add(ALPHA, event())
    lasting.add(BETA, event())

    lasting.archive.cut()

    assert _sorted_by(lasting) == {1: 0, 2: 4}
    assert [one.kept for one in lasting.archive.segments(BETA)] == ["3600s"]


def test_a_later_cut_does_not_say_that_all_is_sorted(lasting: Home):
    lasting.add(ALPHA, event())
    lasting.archive.cut()
    lasting.decide(ALPHA, Rule(keep_s=3_600))
    lasting.add(ALPHA, event())

    lasting.archive.cut()

    assert _sorted_by(lasting) == {1: 0}
    assert lasting.archive.unsorted() == 1


def test_only_some_tenants_may_be_cut(lasting: Home):
    lasting.add(ALPHA, event())
    lasting.add(BETA, event())

    lasting.archive._follower.cut([BETA.number])

    assert lasting.archive.segments(ALPHA) == ()
    assert len(lasting.archive.segments(BETA)) == 1
