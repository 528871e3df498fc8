"""What is noted before it is stated is there after a crash, and gone with what it speaks of."""

import pytest

from sealog.event import stating
from sealog.lifecycle import intents
from sealog.lifecycle.intents import Intent
from sealog.storage.store import Store

AT_US = 1_795_176_000_000_000


def intent(number=1, nth=0, spans=((3, 5), (9, 9))):
    (says,) = stating.sayings(spans, reason="kept for 172800 s", policy="version 1")
    return Intent(number, f"retention/{AT_US}/{nth}", AT_US, says)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.db"


def test_what_was_noted_is_read_back_by_the_next_start_until_it_is_removed(path):
    store = Store(path)
    several = [intent(), intent(nth=1), intent(number=2)]
    intents.note(store, several)
    store.close()

    store = Store(path)
    assert sorted(intents.read_all(store), key=lambda one: (one.tenant, one.name)) == several
    store.write(lambda connection: intents.remove(connection, several[:2])).result()
    assert intents.read_all(store) == several[2:]
    store.close()


@pytest.mark.parametrize(
    "spans",
    [((3, 5), (9, 9)), tuple((index, index) for index in range(0, 200, 2))],
    ids=["ranges", "bits"],
)
def test_it_speaks_of_the_indexes_that_its_statement_names(spans):
    one = intent(spans=spans)

    assert one.spans() == list(spans)
    assert (one.statement.action, one.statement.name) == ("sealog.retention", one.name)
    assert (one.statement.at_us, one.statement.says) == (AT_US, one.says)
