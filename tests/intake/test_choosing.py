"""What a tenant chose not to record, by every way in: never silent, never kept, always counted."""

import asyncio

import msgspec
import pytest
from tests.intake.sent import ALL, ONE, SOME, Sender, ndjson, record

from sealog.errors import Busy
from sealog.event.batch import Receipt
from sealog.intake.choosing import NotRecorded, Type
from sealog.intake.source import Source
from sealog.policy.settings import Recording, TenantSettings

NO_LOGINS = TenantSettings(1, (Recording(record=False, dialect="ecs", action="user.login"),))
LARGE = 30_000
"""Bytes that are not prepared where they arrive."""


class Counted:
    def __init__(self):
        self.noted = []

    def __call__(self, tenant, types):
        self.noted += [(tenant.name, *one) for one in types]


@pytest.fixture
def sender(tmp_path):
    sender = Sender(tmp_path / "state.db")
    sender.counted = Counted()
    sender.intake._note = sender.counted
    yield sender
    sender.close()


@pytest.fixture
def with_workers(tmp_path):
    sender = Sender(tmp_path / "state.db", workers=1)
    sender.counted = Counted()
    sender.intake._note = sender.counted
    yield sender
    sender.close()


def login(name=None, **more):
    return record(name, **more) | {"event": {**record(name)["event"], "action": "user.login"}}


def short(answers):
    return [
        "left out"
        if isinstance(answer, NotRecorded)
        else answer.index
        if isinstance(answer, Receipt)
        else answer.code
        for answer in answers
    ]


def test_what_is_left_out_has_an_answer_in_its_place_and_its_neighbours_are_kept(sender):
    """ES-12; design: one answer per record, never silent."""
    sender.intake.choose({"acme": NO_LOGINS})

    answers = sender(record("a"), login("b"), b"{", login("c"), record("d"))

    assert short(answers) == [0, "left out", "not-json", "left out", 1]
    assert answers[1] == NotRecorded(Type("acme", "ecs", "user.login"))
    assert msgspec.json.encode(answers[1]) == (
        b'{"not_recorded":{"tenant":"acme","dialect":"ecs","action":"user.login"}}'
    )
    assert [event["event"]["id"] for event in sender.kept()] == ["a", "d"]
    assert sender.counted.noted == [("acme", "ecs", "user.login")] * 2


def test_a_request_of_nothing_else_is_answered_and_keeps_nothing(sender):
    sender.intake.choose({"acme": NO_LOGINS})

    assert short(sender(login("a"), login("b"))) == ["left out", "left out"]
    assert sender.kept() == []


def test_another_tenants_records_are_kept(sender):
    sender.intake.choose({"acme": NO_LOGINS})

    assert short(sender(login("a"), login("b", tenant="globex"))) == ["left out", 0]
    assert short(sender(login("a"), grant=ONE, tenant="acme")) == ["left out"]


def test_a_change_holds_from_the_next_request_on(sender):
    assert short(sender(login("a"))) == [0]
    sender.intake.choose({"acme": NO_LOGINS})
    assert short(sender(login("b"))) == ["left out"]
    sender.intake.choose({"acme": TenantSettings(2)})
    assert short(sender(login("c"))) == [1]
    assert sender.intake._here.chosen == {}


def test_small_requests_that_come_together_are_answered_each_for_itself(sender):
    sender.intake.choose({"acme": NO_LOGINS})

    async def both():
        return await asyncio.gather(
            sender.intake.accept(ndjson(login("a"), record("b")), Source(SOME)),
            sender.intake.accept(ndjson(record("c")), Source(SOME)),
            sender.intake.accept(ndjson(login("d")), Source(SOME)),
        )

    first, second, third = asyncio.run(both())

    assert [short(one) for one in (first, second, third)] == [["left out", 0], [1], ["left out"]]
    assert sender.counted.noted == [("acme", "ecs", "user.login")] * 2


def test_large_requests_are_answered_alike_in_the_thread(sender):
    sender.intake.choose({"acme": NO_LOGINS})
    filler = "x" * LARGE

    assert short(sender(login("a"), record("b", message=filler), login("c"))) == [
        "left out",
        0,
        "left out",
    ]


def test_large_requests_are_answered_alike_in_workers_and_changes_reach_them(with_workers):
    sender, filler = with_workers, "x" * LARGE
    sent = (login("a"), record("b", message=filler))

    before = short(sender(login("z"), record("y", message=filler)))
    sender.intake.choose({"acme": NO_LOGINS})
    during = short(sender(*sent))
    sender.intake.choose({"acme": TenantSettings(2)})
    after = short(sender(login("c"), record("d", message=filler)))

    assert before == [0, 1]
    assert during == ["left out", 2]
    assert after == [3, 4]
    assert sender.counted.noted == [("acme", "ecs", "user.login")]


def test_a_worker_that_is_started_later_knows_what_was_chosen_before(with_workers):
    sender, filler = with_workers, "x" * LARGE
    sender.intake.choose({"acme": NO_LOGINS})

    assert short(sender(login("a"), record("b", message=filler))) == ["left out", 0]


def test_records_keep_the_ids_of_their_places_under_an_idempotency_key(sender):
    """Left out or not, the record at a place has the same id: sent again it adds nothing."""
    source = {"request_key": "monday"}
    sender.intake.choose({"acme": NO_LOGINS})
    first = sender(login(), record(), **source)
    sender.intake.choose({"acme": TenantSettings(2)})

    second = sender(login(), record(), **source)

    assert short(first) == ["left out", 0]
    assert [(one.index, one.repeated) for one in second] == [(1, False), (0, True)]


def test_identical_records_of_a_file_keep_their_ids(sender):
    """What is left out counts where identical records are counted."""
    same = record(None, at="2026-11-20T12:00:00.000Z")
    sender.intake.choose({"acme": NO_LOGINS})
    first = sender(login(), same, login(), same, imported=True)
    again = sender(login(), same, login(), same, imported=True)

    assert short(first) == ["left out", 0, "left out", 1]
    assert [one.repeated for one in again if isinstance(one, Receipt)] == [True, True]


def test_a_file_whose_ids_are_taken_leaves_out_what_it_would_anyway(sender):
    sender.intake.choose({"acme": NO_LOGINS})
    sender(record("a", message="first"))

    answers = sender(record("a", message="other"), login("b"), imported=True)

    assert short(answers) == [1, "left out"]
    assert sender.counted.noted == [("acme", "ecs", "user.login")]


def test_what_has_to_be_sent_again_is_not_counted_before(sender, monkeypatch):
    sender.intake.choose({"acme": NO_LOGINS})

    def full(_batches):
        raise Busy("too much waits")

    monkeypatch.setattr(sender.journal, "append", full)
    with pytest.raises(Busy):
        sender(login("a"), record("b", message="x" * LARGE))
    assert sender.counted.noted == []


def test_a_request_of_many_pieces_has_every_answer_in_its_place(sender):
    """Some records are prepared at a time; their places are those in the request."""
    sender.intake.choose({"acme": NO_LOGINS})
    filler = "x" * 10_000
    sent = [login() if nth % 3 else record(message=filler) for nth in range(90)]

    answers = sender(*sent)

    assert [isinstance(answer, NotRecorded) for answer in answers] == [
        bool(nth % 3) for nth in range(90)
    ]


def test_a_tenant_is_not_made_for_what_it_cannot_have_chosen(sender):
    """Names that are not there have chosen nothing: their records make them as ever."""
    sender.intake.choose({"acme": NO_LOGINS})

    assert short(sender(login("a", tenant="fresh"), grant=ALL)) == [0]


@pytest.mark.parametrize(
    ("source", "at"),
    [
        ({"tenant": "acme"}, "2020-03-11T06:40:59.000Z"),
        ({"grant": ONE}, "2020-03-11T06:40:59.000Z"),
        ({"tenant": "globex"}, "2020-11-03T06:40:59.000Z"),
    ],
    ids=["the request's tenant", "the key's only one", "another"],
)
def test_the_order_of_logichubs_dates_is_the_tenants(sender, source, at):
    """LH-Q12: 11/03/2020 is the 11th of March where the day stands first."""
    sent = {"time": "11/03/2020 12:10:59+05:30", "event": "UserLogoutSuccess", "category": "user"}
    sender.intake.choose({"acme": TenantSettings(1, day_first=True)})
    sender.intake.choose({"globex": TenantSettings(1, day_first=False)})

    sender(sent, dialect="logichub", **source)

    [event] = sender.kept()
    assert event["@timestamp"] == at
