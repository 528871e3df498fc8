"""How long events are kept holds everywhere: in the write-ahead log, in exports, in the archive."""

import pytest
from tests.lifecycle.made import Shelf, tenant

from sealog.catalog.shelf import load
from sealog.journal.journal import Journal
from sealog.lifecycle import opening
from sealog.lifecycle.opening import Below
from sealog.policy.policies import Policies
from sealog.policy.retention import Retention, Rule
from sealog.storage.store import Store

NOW_US = 1_795_176_000_000_000


class Told(Shelf):
    """Stands for whoever is told of new rules."""

    def __init__(self):
        super().__init__()
        self.reclassed = []
        self.recalled = []

    def reclass(self, number):
        self.reclassed.append(number)


class Watched(Store):
    """A store that tells how often its log is to be truncated."""

    most_s = None

    def truncate_every(self, most_s):
        self.most_s = most_s
        super().truncate_every(most_s)


@pytest.fixture
def store(tmp_path):
    store = Watched(tmp_path / "state.db")
    yield store
    store.close()


@pytest.fixture
def below(store):
    told = Told()
    return Below(
        store=store,
        journal=Journal(store, lambda: NOW_US),
        archive=told,
        policies=Policies(store, lambda: NOW_US),
        catalog=load(),
        tenants=tenant,
        clock_us=lambda: NOW_US,
        randomness=bytes,
        recall=told.recalled.append,
    )


def test_new_rules_hold_everywhere_at_once(below, store):
    opening.opened(below)
    assert store.most_s == 900

    hour = Retention(rules=(Rule(dialect="closer", keep_s=3_600),))
    below.policies.change_retention(7, hour)

    assert store.most_s == 18.75
    assert below.archive.reclassed == below.archive.recalled == [7]


def test_other_choices_change_nothing_here(below):
    opening.opened(below)

    settings = below.policies.settings(7)
    below.policies.change_settings(7, type(settings)(recorded=()))

    assert below.archive.reclassed == below.archive.recalled == []


@pytest.mark.parametrize(
    ("rules", "spare_us"),
    [
        ((), 3_600_000_000),
        ((Rule(dialect="closer", keep_s=3_600),), 75_000_000),
        ((Rule(),), 0),
    ],
    ids=["as-it-is", "an-hour", "for-ever"],
)
def test_what_is_taken_out_is_kept_for_a_while_still(below, rules, spare_us):
    below.policies.change_retention(7, Retention(rules=rules))

    assert opening.spare_us(below.policies, 7) == spare_us


def test_the_newest_event_is_the_journals_or_nobody_knows(below, store):
    assert opening.newest_us(store) is None

    def write(sql, *values):
        store.write(lambda it: it.exec_driver_sql(sql, values).rowcount).result()

    write("INSERT INTO heads VALUES (1, 5, 5, 5, ?)", b"")
    assert opening.newest_us(store) == 0

    write("INSERT INTO blocks VALUES (1, 1, 0, 5, ?, ?, ?)", NOW_US, b"", b"")
    assert opening.newest_us(store) == NOW_US


def test_retention_is_opened_on_what_is_below_it(below):
    retainer = opening.opened(below)

    assert retainer.judge().is_trusted
    assert retainer.judge().now_us == NOW_US
