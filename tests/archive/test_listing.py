"""The list of segments in `state.db`: what was cut stands in it, and what was altered is named."""

import pytest
from sqlalchemy import Connection, text
from tests.archive.made import ALPHA, BEGIN_US, BETA, TENANTS, Home, event, statement

from sealog.archive import listing
from sealog.storage.store import driver
from sealog.storage.tables import row_digest


def _listed(home: Home):
    with home.store.reading() as connection:
        return listing.read(driver(connection), home.folder, TENANTS.__getitem__)


def test_what_was_cut_is_listed_with_its_digests(home: Home):
    home.add(ALPHA, event(1), statement(2), event(3))
    home.archive.cut()

    segments, wrong = _listed(home)

    assert wrong == []
    assert sorted(one.kept for one in segments) == ["default", "statements"]
    assert tuple(sorted(segments, key=lambda one: one.first)) == home.archive.segments(ALPHA)
    for segment in segments:
        segment.check()


def test_a_row_altered_in_place_is_named_and_the_rest_is_read(home: Home):
    home.add(ALPHA, event(1), statement(2))
    home.archive.cut()
    change = text("UPDATE segments SET last_us = 0 WHERE class = 'default'")
    home.store.write(lambda connection: connection.execute(change) and None).result()

    segments, wrong = _listed(home)

    assert len(segments) == 2
    assert [str(one).rpartition("/")[2] for one in wrong] == ["0-0-0.parquet is altered"]


@pytest.mark.parametrize("change", ["first = 'one'", "class = x'00'", "parts_digest = 7"])
def test_a_row_that_does_not_read_is_named_and_the_server_starts(home: Home, change: str):
    home.add(ALPHA, event(1), statement(2))
    home.archive.cut()
    altering = text(f"UPDATE segments SET {change} WHERE class = 'default'")
    home.store.write(lambda connection: connection.execute(altering) and None).result()
    files = home.files()

    home.restart()

    assert [one.kept for one in home.archive.segments(ALPHA)] == ["statements"]
    (wrong,) = home.archive.damaged()
    assert "a row of segments does not read" in str(wrong)
    assert home.files() == files


def test_a_row_of_a_tenant_that_is_not_there_is_named_and_the_rest_is_read(home: Home):
    home.add(ALPHA, event(1))
    home.archive.cut()
    change = text(
        "INSERT INTO segments SELECT 99, class, first, last, generation, count, first_us, last_us,"
        " columns_bytes, columns_digest, parts_bytes, parts_digest, digest, NULL, NULL FROM segments"
    )
    home.store.write(lambda connection: connection.execute(change) and None).result()

    home.restart()

    named = [str(one) for one in home.archive.damaged()]
    assert named == ["a segment is listed for tenant 99, which is not there"]
    assert home.archive.get(ALPHA, 0) is not None


def test_tenants_are_found_one_after_the_other(home: Home):
    home.add(ALPHA, event(1))
    home.add(BETA, event(1))
    home.archive.cut()

    with home.store.reading() as connection:
        inner = driver(connection)
        found = [listing.next_tenant(inner, after) for after in (None, 1, 2)]
        names = listing.names_of(inner, 2)
        nobody = listing.names_of(inner, 3)

    assert found == [1, 2, None]
    assert names == {"default/0-0-0.parquet", "default/0-0-0.arrow"}
    assert nobody == set()


def test_when_events_came_is_listed_of_what_expires_alone(lasting: Home):
    """Rows of what never does keep the digest that they had before there were classes."""
    lasting.add(ALPHA, event(0), *[event(n, dialect="easysend", came=n) for n in (1, 7, 3)])
    lasting.archive.cut()

    segments, wrong = _listed(lasting)

    assert wrong == []
    came = {one.kept: (one.first_ingested_us, one.last_ingested_us) for one in segments}
    assert came == {
        "default": (None, None),
        "172800s": (BEGIN_US + 1_000_000, BEGIN_US + 7_000_000),
    }
    with lasting.store.reading() as connection:
        row = connection.exec_driver_sql(
            "SELECT tenant, class, first, last, generation, count, first_us, last_us, columns_bytes,"
            " columns_digest, parts_bytes, parts_digest, digest FROM segments"
            " WHERE class = 'default'"
        ).one()
    assert row_digest("segments", *row[:-1]) == row[-1]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("last_ingested_us = last_ingested_us + 1", "is altered"),
        ("first_ingested_us = NULL, last_ingested_us = NULL", "is altered"),
        ("first_ingested_us = NULL", "does not read"),
    ],
)
def test_a_row_whose_times_were_altered_is_named(lasting: Home, change: str, what: str):
    """Else what is kept could be made to go."""
    lasting.add(ALPHA, event(dialect="easysend"))
    lasting.archive.cut()
    altering = text(f"UPDATE segments SET {change}")
    lasting.store.write(lambda connection: connection.execute(altering) and None).result()

    segments, (wrong,) = _listed(lasting)

    assert what in str(wrong)
    assert [one.last_ingested_us for one in segments] == [None] * len(segments)


def test_by_which_version_tenants_are_sorted_is_noted_once(home: Home):
    def note(connection: Connection) -> None:
        for tenant, version in ((1, 3), (2, 0), (1, 4)):
            listing.note_sorted(driver(connection), tenant, version)

    home.store.write(note).result()

    with home.store.reading() as connection:
        assert listing.sorted_by(driver(connection)) == {1: 4, 2: 0}
