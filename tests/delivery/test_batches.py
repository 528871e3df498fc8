import msgspec
import numpy as np
import pytest
from tests.archive.made import ALPHA, BEGIN_US, BETA, Home, asking, event, statement

from sealog.archive.packwise import Piece
from sealog.delivery.batches import Reader, Ways, ingested_us, query_of
from sealog.delivery.destination import Batching
from sealog.delivery.shaping import Shape, Shaper
from sealog.delivery.stream import Wanted
from sealog.errors import Busy
from sealog.query.tree import Query
from sealog.rendering.rendering import Renderer

LARGE = Batching(1_000, 1 << 20)


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "data")
    yield home
    home.close()


class Time:
    def __init__(self):
        self.us = BEGIN_US


def reader(home, *, time=None, dialect="ecs", shape=None, source=None, **wanted):
    time = time or Time()
    wanted = Wanted(name="x", destination=wanted.pop("destination", {}), dialect=dialect, **wanted)
    shaper = Shaper(shape or Shape(), b"k" * 32, is_ecs=dialect == "ecs")
    ways = Ways(Renderer(dialect), shaper, lambda: time.us)
    return Reader(source or home.archive, ALPHA, ("str_1", wanted), ways)


def indexes(batch):
    return [record.index for record in batch.records]


def test_a_batch_holds_what_was_accepted_in_order_and_says_where_to_go_on(home):
    home.add(ALPHA, *[event(n, f"act.{n}") for n in range(5)])
    home.add(BETA, event(1))

    batch = reader(home).next(0, LARGE)

    assert indexes(batch) == [0, 1, 2, 3, 4]
    assert batch.next == 5
    third = batch.records[3]
    assert (third.id, third.type, third.at_us) == ("str_1-3", "act.3", BEGIN_US + 3_000_000)
    assert msgspec.json.decode(third.body)["sealog"]["index"] == 3


def test_there_is_nothing_beyond_what_is_visible(home):
    home.add(ALPHA, event())

    assert reader(home).next(1, LARGE) is None


def test_batches_follow_each_other_without_a_gap_whatever_rests_and_waits(home):
    home.add(ALPHA, *[event(n) for n in range(300)], statement(300))
    home.archive.cut()
    home.add(ALPHA, *[event(n) for n in range(50)])
    found = reader(home)

    at, seen = 0, []
    while batch := found.next(at, Batching(70, 1 << 20)):
        seen += indexes(batch)
        at = batch.next

    assert seen == list(range(351))


def test_a_batch_ends_at_its_bytes_and_holds_one_record_at_least(home):
    home.add(ALPHA, *[event(n, rest={"message": "x" * 500}) for n in range(4)])
    found = reader(home)

    sizes = [len(found.next(0, Batching(10, 1_500)).records)]
    sizes.append(len(reader(home).next(0, Batching(10, 1)).records))

    assert sizes == [2, 1]


def test_going_back_reads_anew(home):
    home.add(ALPHA, *[event(n) for n in range(10)])
    found = reader(home)
    found.next(0, Batching(3, 1 << 20))

    assert indexes(found.next(1, Batching(3, 1 << 20))) == [1, 2, 3]


def test_only_what_passes_leaves_and_statements_always(home):
    """Whoever holds a stream's records knows why others are missing, whatever it asked for."""
    home.add(ALPHA, event(0, "user.login"), event(1, "user.logout"), statement(2), event(3, "x.y"))

    batch = reader(home, query=asking(action="user.login")).next(0, LARGE)

    assert indexes(batch) == [0, 2]
    assert batch.next == 4


def test_a_range_of_time_does_not_hide_statements(home):
    home.add(ALPHA, event(0), statement(9), event(9))

    asked = asking(BEGIN_US, BEGIN_US + 1)

    assert indexes(reader(home, query=asked).next(0, LARGE)) == [0, 1]


def test_where_nothing_passes_it_goes_on_all_the_same(home):
    home.add(ALPHA, *[event(n) for n in range(5)])

    batch = reader(home, query=asking(action="never.seen")).next(0, LARGE)

    assert (batch.records, batch.next) == ([], 5)


def test_bare_documents_of_a_product_come_without_sealogs_own(home):
    home.add(ALPHA, event(0), statement(1), own(2), event(3))
    bare = {"body": "bare"}

    batch = reader(home, dialect="easysend", destination=bare).next(0, LARGE)

    assert 2 not in indexes(batch)
    assert batch.next == 4
    assert reader(home, destination=bare).next(0, LARGE).next == 4


def own(at):
    found = event(at, "sealog.keys.created")
    number, salt, facts = found.parts[0]
    facts = facts.replace(b'"dialect":"ecs"', b'"dialect":"sealog"')
    return msgspec.structs.replace(found, parts=((number, salt, facts), *found.parts[1:]))


def test_everything_is_asked_for_plainly():
    """The archive walks its packs whole then, without a look at its columns."""
    assert query_of(Wanted(name="x", destination={})) == Query()


def test_records_are_shaped_and_statements_are_not(home):
    home.add(ALPHA, event(0, rest={"message": "hello"}), statement(1))

    shape = Shape(include=("message",))
    batch = reader(home, shape=shape).next(0, LARGE)

    first, second = [msgspec.json.decode(record.body) for record in batch.records]
    assert first == {"message": "hello", "sealog": {"index": 0}}
    assert second["event"]["action"] == "sealog.retention"


def test_what_was_read_a_while_ago_is_read_again(home):
    """What has expired meanwhile is not sent because it was in memory still."""
    home.add(ALPHA, *[event(n) for n in range(10)])
    time = Time()
    source = Counted(home.archive)
    found = reader(home, time=time, source=source)
    found.next(0, Batching(3, 1 << 20))

    time.us += 2_000_001
    batch = found.next(3, Batching(3, 1 << 20))

    assert indexes(batch) == [3, 4, 5]
    assert source.walks == [0, 3]


class Counted:
    """An archive that counts walks, and from which events may expire."""

    def __init__(self, archive):
        self._archive = archive
        self.walks = []
        self.expired = set()
        self.error = None

    def visible(self, tenant):
        return self._archive.visible(tenant)

    def feed(self, tenant, after, limit):
        return self._archive.feed(tenant, after, limit)

    def pieces(self, tenant, query, end, first=0):
        self.walks.append(first)
        if self.error is not None:
            raise self.error
        for piece in self._archive.pieces(tenant, query, end, first):
            places = range(len(piece.pack.indexes)) if piece.places is None else piece.places
            indexes = np.array([piece.base + piece.pack.indexes[place] for place in places])
            left = [
                place
                for place, index in zip(places, indexes.tolist(), strict=True)
                if index not in self.expired
            ]
            if left:
                yield Piece(piece.pack, piece.base, left)


def test_what_has_expired_is_passed_over(home):
    """Retention wins over delivery; the statement comes at its own, later index."""
    home.add(ALPHA, *[event(n) for n in range(6)], statement(6))
    source = Counted(home.archive)
    source.expired = {0, 1, 2, 4}

    batch = reader(home, source=source).next(0, LARGE)

    assert indexes(batch) == [3, 5, 6]


def test_where_all_has_expired_it_goes_on_behind_it(home):
    home.add(ALPHA, *[event(n) for n in range(6)])
    source = Counted(home.archive)
    source.expired = set(range(6))

    batch = reader(home, source=source).next(2, LARGE)

    assert (batch.records, batch.next) == ([], 6)


def test_a_single_record_is_there_or_not(home):
    home.add(ALPHA, event(0, "a.b"), event(1, "c.d"))
    source = Counted(home.archive)
    found = reader(home, source=source, query=asking(action="never.seen"))

    assert found.single(1).type == "c.d"
    source.expired = {1}
    assert found.single(1) is None


def test_what_keeps_the_archive_from_it_is_told(home):
    home.add(ALPHA, event(0))
    source = Counted(home.archive)
    source.error = Busy("later")

    with pytest.raises(Busy):
        reader(home, source=source).next(0, LARGE)


def test_when_an_event_was_taken_in_is_read_of_its_facts(home):
    home.add(ALPHA, event(7))

    ((_, opened),) = home.archive.feed(ALPHA, -1, 1)

    assert ingested_us(opened) == BEGIN_US
