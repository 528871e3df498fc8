import msgspec
import pytest

from sealog.delivery import stream as rows
from sealog.delivery.shaping import Shape
from sealog.delivery.stream import Happened, Health, Parked, Secrets, Stream, Trouble, Wanted
from sealog.query.tree import Is, Query
from sealog.storage.store import Store


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "state.db")
    yield store
    store.close()


def a_stream(**more):
    values = {
        "id": "str_1",
        "tenant": 1,
        "state": "running",
        "version": 2,
        "wanted": Wanted(
            name="siem",
            destination={"kind": "webhook", "body": "enveloped"},
            filter={"q": "actor:ada"},
            query=Query(where=Is("actor", "ada")),
            shape=Shape(("a",), ("b",), {"c": "hash"}),
        ),
        "secrets": Secrets(b"\x00\xff", {"keys": ["whsec_x"]}),
        "next": 7,
        "health": Health(delivered=3, last_error=Trouble(5, "timeout", "too long")),
        "created_us": 1,
        "changed_us": 2,
        "untold": (Happened("sealog.streams.created", 1, "n", {"user": {}}, {"stream": {}}),),
    }
    return Stream(**(values | more))


def listed(store):
    with store.reading() as connection:
        return rows.read_all(connection)


def parked(store, *asked):
    with store.reading() as connection:
        return rows.parked(connection, *asked)


def test_a_stream_comes_back_as_it_was_put_down(store):
    store.write(lambda it: rows.add(it, a_stream())).result()

    assert listed(store) == [a_stream()]


def test_a_change_replaces_all_of_it(store):
    store.write(lambda it: rows.add(it, a_stream())).result()
    other = a_stream(state="paused", version=3, next=9, untold=())

    store.write(lambda it: rows.change(it, other)).result()

    assert listed(store) == [other]


def test_how_far_it_is_is_put_down_without_the_rest(store):
    store.write(lambda it: rows.add(it, a_stream())).result()
    health = Health(delivered=9)

    store.write(lambda it: rows.advance(it, [("str_1", 8, rows.encoded(health))])).result()

    assert listed(store) == [a_stream(next=8, health=health)]


def test_parked_records_stand_by_index_and_count_their_attempts(store):
    records = {9: Parked(9, 10, 1, "no"), 4: Parked(4, 10, 1, "no")}
    store.write(lambda it: rows.settle_parked(it, "str_1", records)).result()
    again = {4: Parked(4, 20, 1, "still no")}

    store.write(lambda it: rows.settle_parked(it, "str_1", again)).result()

    assert parked(store, "str_1") == [Parked(4, 20, 2, "still no"), Parked(9, 10, 1, "no")]
    assert parked(store, "str_1", 4, 1) == [Parked(9, 10, 1, "no")]
    assert parked(store, "str_2") == []


def test_what_is_parked_no_more_is_gone_and_counted_no_more(store):
    records = {9: Parked(9, 10, 1, "no"), 4: Parked(4, 10, 1, "no")}
    store.write(lambda it: rows.settle_parked(it, "str_1", records)).result()

    store.write(lambda it: rows.settle_parked(it, "str_1", {9: None})).result()

    with store.reading() as connection:
        assert rows.parked_counts(connection) == {"str_1": 1}
        assert rows.parked_counts(connection, ["str_2"]) == {}


def test_a_stream_goes_with_what_it_parked(store):
    store.write(lambda it: rows.add(it, a_stream())).result()
    store.write(lambda it: rows.settle_parked(it, "str_1", {9: Parked(9, 1, 1, "no")})).result()

    store.write(lambda it: rows.remove(it, "str_1")).result()

    assert listed(store) == []
    assert parked(store, "str_1") == []


def test_one_that_runs_and_was_not_taken_shows_as_failing():
    health = Health(failures=2)

    assert a_stream(health=health).shown_state == "failing"
    assert a_stream(health=health, state="paused").shown_state == "paused"
    assert a_stream().shown_state == "running"


@pytest.mark.parametrize(
    ("body", "dialect", "bare"),
    [("bare", "easysend", True), ("bare", "ecs", False), ("enveloped", "easysend", False)],
    ids=["bare", "bare-ecs", "enveloped"],
)
def test_only_a_products_own_documents_leave_bare(body, dialect, bare):
    wanted = Wanted(name="x", destination={"body": body}, dialect=dialect)

    assert wanted.is_bare is bare


def test_its_destination_is_whole_with_its_secrets():
    found = a_stream().destination

    assert found.shown == {"kind": "webhook", "body": "enveloped"}
    assert found.secrets == {"keys": ["whsec_x"]}
    assert msgspec.structs.asdict(found)["told"] == {}
