import msgspec
from tests.delivery.fakes import ACTOR, GONE
from tests.delivery.test_stream import a_stream

from sealog.delivery import telling
from sealog.delivery.stream import Wanted
from sealog.query.tree import Is, Query


def test_what_is_told_names_the_stream_and_nothing_secret():
    stream = a_stream()

    told = telling.paused(stream, 9, ACTOR)

    assert told.action == "sealog.streams.paused"
    assert told.at_us == 9
    assert told.actor == ACTOR
    assert told.details == {
        "stream": {"id": "str_1", "name": "siem", "destination": "webhook", "version": 2, "next": 7}
    }
    assert b"whsec" not in msgspec.json.encode(told)


def test_the_same_twice_has_one_name_and_another_time_another():
    names = {telling.paused(a_stream(), at_us, ACTOR).name for at_us in (1, 1, 2)}

    assert len(names) == 2


def test_a_change_says_what_changed_and_not_how():
    after = Wanted(
        name="other",
        destination={"kind": "webhook", "body": "enveloped"},
        filter={"q": "actor:eve"},
        query=Query(where=Is("actor", "eve")),
        shape=a_stream().wanted.shape,
    )

    told = telling.changed(a_stream(), after, 9, ACTOR).details["stream"]

    assert told["changed"] == ["filter", "name"]
    assert told["version"] == 3


def test_a_new_secret_alone_is_told_too():
    told = telling.changed(a_stream(), a_stream().wanted, 9, ACTOR)

    assert told.details["stream"]["changed"] == ["secrets"]


def test_what_sealog_finds_by_itself_is_told_in_its_own_name():
    failing = telling.failing(a_stream(), 9)
    disabled = telling.disabled(a_stream(), 9, GONE)

    assert failing.actor["user"] == {"id": "sealog"}
    assert failing.details["stream"]["error"] == "timeout"
    assert disabled.details["stream"]["error"] == "status-410"


def test_a_replay_says_from_where_to_where():
    told = telling.replayed(a_stream(), 2, 9, ACTOR).details["stream"]

    assert (told["next"], told["from"]) == (7, 2)


def test_making_resuming_and_deleting_are_told():
    stream = a_stream()
    told = [
        telling.created(stream, ACTOR),
        telling.resumed(stream, 9, ACTOR),
        telling.deleted(stream, 9, ACTOR),
    ]

    assert [one.action.rpartition(".")[2] for one in told] == ["created", "resumed", "deleted"]
