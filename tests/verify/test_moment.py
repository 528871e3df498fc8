import shutil
import sqlite3

import pytest
from tests.verify.made import alter, event

from sealog.errors import Altered
from sealog.verify.moment import HeadRow, SegmentRow, State


class Unwritable(State):
    """A state on a medium where SQLite can make no file: it opens only what lies elsewhere."""

    def _begin(self, path, how):
        if path == self._path:
            raise sqlite3.OperationalError("unable to open database file")
        return super()._begin(path, how)


def test_a_moment_stays_as_it_is_while_others_write(home):
    home.add("acme", event())

    with State(home.folder.state, owned=True) as state, state.moment() as moment:
        before = moment.head(1)
        home.add("acme", event())
        after = moment.head(1)
        with state.moment() as later:
            newest = later.head(1)

    assert (before.size, after.size, newest.size) == (1, 1, 2)


def test_nothing_is_left_beside_a_file_that_nobody_owns(stopped, tmp_path):
    shutil.copyfile(stopped / "state.db", tmp_path / "state.db")

    with State(tmp_path / "state.db", owned=False) as state, state.moment() as moment:
        assert moment.troubles() == []
        assert moment.entries_in_all() == 306
        assert moment.installation_name() == "log.example.org"

    assert [path.name for path in tmp_path.iterdir()] == ["state.db"]


def test_what_the_write_ahead_log_holds_is_read(home, tmp_path):
    """Of a server that was killed, the newest rows are only there."""
    home.add("acme", event(), event())
    left = home.crash(tmp_path / "left")
    assert (left / "state.db-wal").stat().st_size > 0

    with State(left / "state.db", owned=False) as state, state.moment() as moment:
        assert moment.head(1).size == 2


def test_a_log_on_a_medium_that_cannot_be_written_is_read_from_a_second_copy(home, tmp_path):
    home.add("acme", event(), event())
    left = home.crash(tmp_path / "left")

    with Unwritable(left / "state.db", owned=False) as state:
        for _ in range(2):
            with state.moment() as moment:
                assert moment.head(1).size == 2

    assert sorted(path.name for path in left.glob("state.db*")) == ["state.db", "state.db-wal"]


def test_rows_have_their_types(stopped):
    with State(stopped / "state.db", owned=False) as state, state.moment() as moment:
        assert isinstance(moment.head(1), HeadRow)
        (segment,) = moment.segments(1)
        assert isinstance(segment, SegmentRow)
        assert (segment.kept, segment.first, segment.last, segment.events) == (
            "default",
            0,
            299,
            300,
        )
        assert moment.signed(1).size == 300
        assert moment.signed(77) is None
        assert moment.holds("blocks", 2)
        assert not moment.holds("blocks", 1)
        assert moment.strangers() == []


@pytest.mark.parametrize("value", ["many", None, 1.5, -1, b"1"], ids=repr)
def test_a_value_of_another_type_is_an_altered_row(stopped, tmp_path, value):
    shutil.copyfile(stopped / "state.db", tmp_path / "state.db")
    try:
        alter(tmp_path, "UPDATE heads SET synced = ? WHERE tenant = 1", value)
    except sqlite3.IntegrityError:
        return

    with (
        State(tmp_path / "state.db", owned=False) as state,
        state.moment() as moment,
        pytest.raises(Altered, match="does not read"),
    ):
        moment.head(1)


def test_a_class_that_would_lead_out_of_the_archive_does_not_read(stopped, tmp_path):
    shutil.copyfile(stopped / "state.db", tmp_path / "state.db")
    alter(tmp_path, "UPDATE segments SET class = '../../x' WHERE tenant = 1")
    alter(tmp_path, "UPDATE tenants SET log_id = '../x' WHERE number = 1")

    with State(tmp_path / "state.db", owned=False) as state, state.moment() as moment:
        (why,) = moment.segments(1)
        rows, wrong = moment.tenants()

    assert "does not read" in why
    assert [row.number for row in rows] == [2, 3]
    assert len(wrong) == 1


def test_what_is_no_database_is_altered(tmp_path):
    (tmp_path / "state.db").write_bytes(b"no" * 5_000)

    with (
        State(tmp_path / "state.db", owned=False) as state,
        pytest.raises(Altered),
        state.moment() as moment,
    ):
        moment.troubles()


def test_the_stamp_changes_when_the_file_does(stopped, tmp_path):
    shutil.copyfile(stopped / "state.db", tmp_path / "state.db")
    state = State(tmp_path / "state.db", owned=False)
    before = state.stamp()

    alter(tmp_path, "UPDATE heads SET size = 9 WHERE tenant = 1")

    assert state.stamp() != before
    assert State(tmp_path / "other", owned=False).stamp() == (0, 0, 0)
