"""Every version of what tenants chose: durable, told, and in force, in that order."""

import threading

import pytest

from sealog.errors import Busy, Conflict
from sealog.policy import policies
from sealog.policy.policies import Policies
from sealog.policy.retention import Retention, Rule
from sealog.policy.settings import Recording, TenantSettings
from sealog.storage.store import Store

ACME, GLOBEX = 1, 2
NOW_US = 1_700_000_000_000_000
DAY_S = 86_400
NO_PAGES = (Recording(record=False, action="Page*"),)
ACTOR = {"user": {"id": "key_1"}}


class Teller:
    """Remembers what it was told, unless it is to fail."""

    def __init__(self):
        self.told = []
        self.error = None

    def __call__(self, change):
        if self.error is not None:
            raise self.error
        self.told.append((change.tenant, change.kind, change.new.version, change.actor))


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "state.db")
    yield store
    store.close()


@pytest.fixture
def tell():
    return Teller()


@pytest.fixture
def chosen(store):
    return Policies(store, lambda: NOW_US)


def test_who_chose_nothing_has_the_defaults(chosen):
    assert chosen.settings(ACME) == TenantSettings()
    assert chosen.retention(ACME) == Retention()
    assert chosen.shortest_s() == 172_800
    assert chosen.chosen() == {}


def test_a_change_is_in_force_when_it_is_told_and_after_a_restart(store, chosen, tell):
    wanted = Retention(0, (Rule("easysend", None, 7 * DAY_S),))

    made = chosen.change_retention(ACME, wanted, by="key_1", actor=ACTOR, tell=tell)

    assert made == Retention(1, wanted.rules)
    assert tell.told == [(ACME, "retention", 1, ACTOR)]
    for one in (chosen, Policies(store, lambda: NOW_US)):
        assert one.retention(ACME) == made
        assert one.retention(GLOBEX) == Retention()


def test_a_change_is_in_force_for_no_one_before_it_is_told(chosen):
    seen = []

    def tell(_change):
        seen.append(chosen.settings(ACME).version)

    chosen.change_settings(ACME, TenantSettings(recorded=NO_PAGES), tell=tell)

    assert seen == [0]
    assert chosen.settings(ACME).version == 1


def test_who_watches_hears_of_a_change_once_it_is_in_force(chosen):
    heard = []
    end = chosen.watch(lambda tenant, kind: heard.append((tenant, kind, chosen.settings(tenant))))

    made = chosen.change_settings(ACME, TenantSettings(recorded=NO_PAGES))
    end()
    chosen.change_settings(ACME, made.__class__(version=1))

    assert heard == [(ACME, "settings", made)]


def test_a_change_that_is_based_on_another_version_is_refused(chosen):
    chosen.change_settings(ACME, TenantSettings(recorded=NO_PAGES))

    for version in (0, 2, 7):
        with pytest.raises(Conflict) as refused:
            chosen.change_settings(ACME, TenantSettings(version, day_first=True))
        assert (refused.value.code, refused.value.pointer) == ("stale-version", "/version")
    assert chosen.settings(ACME) == TenantSettings(1, NO_PAGES)


def test_what_changes_nothing_makes_no_version_and_tells_nothing(chosen, tell):
    first = chosen.change_settings(ACME, TenantSettings(recorded=NO_PAGES), tell=tell)

    again = chosen.change_settings(ACME, first, tell=tell)
    as_before = chosen.change_settings(ACME, TenantSettings(recorded=NO_PAGES), tell=tell)

    assert again == as_before == first
    assert len(tell.told) == 1


def test_a_change_that_could_not_be_told_is_told_by_the_next_start(store, chosen, tell):
    """No crash leaves a change without its event, or an event without its change."""
    tell.error = Busy("too much waits")
    with pytest.raises(Busy):
        chosen.change_settings(
            ACME, TenantSettings(recorded=NO_PAGES), by="key_1", actor=ACTOR, tell=tell
        )
    assert chosen.settings(ACME).version == 0

    later = Policies(store, lambda: NOW_US + 5)
    assert later.settings(ACME).version == 0
    assert later.history(ACME, "settings", 9) == []
    tell.error = None
    later.finish(tell)
    later.finish(tell)

    assert later.settings(ACME) == TenantSettings(1, NO_PAGES)
    assert tell.told == [(ACME, "settings", 1, ACTOR)]
    assert [(one.at_us, one.by) for one in later.history(ACME, "settings", 9)] == [
        (NOW_US, "key_1")
    ]


def test_a_change_that_could_not_be_told_is_done_when_it_is_asked_for_again(chosen, tell):
    tell.error = Busy("too much waits")
    with pytest.raises(Busy, match="noted, and in force once it can be told: send it again"):
        chosen.change_settings(ACME, TenantSettings(recorded=NO_PAGES), tell=tell)

    tell.error = None
    made = chosen.change_settings(ACME, TenantSettings(recorded=NO_PAGES), tell=tell)

    assert made.version == 1
    assert [told[:3] for told in tell.told] == [(ACME, "settings", 1)]


def test_who_did_it_is_not_kept_beyond_telling(store, chosen, tell):
    """Its address expires with the event, not with the file."""
    chosen.change_settings(ACME, TenantSettings(recorded=NO_PAGES), actor=ACTOR, tell=tell)

    with store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT untold FROM policies").all()
    assert rows == [(None,)]


def test_a_crash_between_telling_and_noting_tells_the_very_same_again(store, tell, monkeypatch):
    chosen = Policies(store, lambda: NOW_US)

    def die(*_args, **_named):
        raise KeyboardInterrupt

    monkeypatch.setattr(policies, "_note_told", die)
    with pytest.raises(KeyboardInterrupt):
        chosen.change_retention(
            ACME, Retention(0, (Rule(keep_s=DAY_S),)), by="key_1", actor=ACTOR, tell=tell
        )
    monkeypatch.undo()

    Policies(store, lambda: NOW_US + 9).finish(tell)

    assert tell.told == [(ACME, "retention", 1, ACTOR)] * 2


def test_the_history_has_every_version_newest_first_with_what_was_before(chosen):
    for number in range(4):
        rules = (Rule(keep_s=(number + 1) * DAY_S),)
        chosen.change_retention(ACME, Retention(number, rules), by=f"key_{number}")
    chosen.change_retention(GLOBEX, Retention(0, (Rule(keep_s=DAY_S),)))

    page = chosen.history(ACME, "retention", 2)
    rest = chosen.history(ACME, "retention", 9, below=page[-1].new.version)

    assert [(one.old.version, one.new.version, one.by) for one in (*page, *rest)] == [
        (3, 4, "key_3"),
        (2, 3, "key_2"),
        (1, 2, "key_1"),
        (0, 1, "key_0"),
    ]
    assert rest[-1].old == Retention()
    assert chosen.history(ACME, "settings", 9) == []


def test_secrets_are_kept_apart_and_only_while_they_are_in_force(store, chosen):
    first = TenantSettings(service={"kind": "webhook"}, secrets={"key": "whsec_first"})
    second = TenantSettings(1, service={"kind": "webhook"}, secrets={"key": "whsec_second"})
    chosen.change_settings(ACME, first)
    assert Policies(store, lambda: NOW_US).settings(ACME).secrets == {"key": "whsec_first"}

    chosen.change_settings(ACME, second)

    with store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT body, secrets FROM policies ORDER BY version")
        found = [(body, secrets) for body, secrets in rows]
    assert [secrets for _, secrets in found] == [None, b'{"key":"whsec_second"}']
    assert not any("whsec" in body for body, _ in found)
    assert Policies(store, lambda: NOW_US).settings(ACME).secrets == {"key": "whsec_second"}


def test_the_shortest_is_that_of_any_tenant(chosen):
    chosen.change_retention(ACME, Retention(0, (Rule("closer", None, 90 * DAY_S),)))
    assert chosen.shortest_s() == 172_800

    chosen.change_retention(GLOBEX, Retention(0, (Rule(keep_s=3_600),)))
    assert chosen.shortest_s() == 3_600


def test_of_changes_at_once_one_is_done_and_the_others_are_told_so(chosen):
    said = []

    def change(days):
        try:
            chosen.change_retention(ACME, Retention(0, (Rule(keep_s=days * DAY_S),)))
            said.append("done")
        except Conflict:
            said.append("stale")

    threads = [threading.Thread(target=change, args=(days,)) for days in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(said) == ["done", "stale", "stale", "stale"]
    assert chosen.retention(ACME).version == 1
