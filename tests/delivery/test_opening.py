import threading

import pytest
from tests.archive.made import ALPHA, BETA, Home, event

from sealog.delivery.opening import Chances, Chosen, delivery, telling_by
from sealog.delivery.stream import Happened
from sealog.delivery.wishes import read
from sealog.errors import Misconfigured, Refused
from sealog.event.moulds import Derive
from sealog.query.tree import Query

HAPPENED = Happened("sealog.streams.paused", 5, "n-1", {"user": {}}, {"stream": {"id": "x"}})


class FakeTenants:
    def numbered(self, number):
        return {1: ALPHA, 2: BETA}.get(number)


class FakeRecorder:
    def __init__(self):
        self.recorded = []

    def record(self, happenings):
        self.recorded += happenings
        return []


def opened(home, folder, recorder=None):
    chosen = Chosen(20, (), (folder,), home.folder.path)
    below = (home.store, home.archive, FakeTenants(), recorder or FakeRecorder())
    chances = Chances(lambda: 5, bytes)
    return delivery(below, chosen, chances, Derive(lambda _: None))


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "data")
    yield home
    home.close()


def test_streams_drop_files_where_the_operator_allowed_it(home, tmp_path):
    folder = tmp_path / "drop"
    folder.mkdir()
    recorder = FakeRecorder()
    found = opened(home, folder, recorder)
    asked = {"name": "x", "destination": {"kind": "folder", "path": str(folder), "form": "json"}}
    wish = read(asked, lambda _: Query(), found.destination)
    home.add(ALPHA, event(0))

    found.streams.start()
    try:
        found.streams.create(ALPHA, wish, 0, {"user": {"id": "k"}})
        pause = threading.Event()
        for _ in range(500):
            if files := [one for one in folder.iterdir() if one.suffix == ".json"]:
                break
            pause.wait(0.01)
    finally:
        found.streams.stop()

    assert b'"event-' in files[0].read_bytes()
    assert [one.action for one in recorder.recorded] == ["sealog.streams.created"]


def test_a_destination_is_refused_by_its_place_in_the_stream(home, tmp_path):
    with pytest.raises(Refused) as caught:
        opened(home, tmp_path / "drop").destination({"kind": "folder", "path": "/elsewhere"})

    assert caught.value.pointer == "/destination/path"


def test_a_folder_that_holds_the_data_is_no_place_for_files(home):
    with pytest.raises(Misconfigured):
        opened(home, home.folder.path)


def test_what_is_told_becomes_an_event_of_the_tenant():
    recorder = FakeRecorder()

    telling_by(recorder, FakeTenants())(2, HAPPENED)

    (told,) = recorder.recorded
    assert (told.tenant, told.action, told.name, told.at_us) == (
        BETA,
        "sealog.streams.paused",
        "n-1",
        5,
    )
    assert told.details == {"stream": {"id": "x"}}


def test_a_tenant_that_is_not_there_any_more_is_told_nothing():
    recorder = FakeRecorder()

    telling_by(recorder, FakeTenants())(9, HAPPENED)

    assert recorder.recorded == []
