"""Files go when nobody reads them, and where events expire also when somebody does."""

from contextlib import nullcontext
from pathlib import Path

import pytest
from tests.archive.made import ALPHA, Home, event

from sealog.archive.retiring import HELD_S_MAX, Retired
from sealog.archive.segments import Segment


@pytest.fixture
def segment(lasting: Home) -> list[Segment]:
    """One, taken out of the archive's hands: whoever empties the list lets it go."""
    lasting.add(ALPHA, event())
    lasting.archive.cut()
    (one,) = lasting.archive.segments(ALPHA)
    del lasting.archive._waiting._trails[ALPHA.number]
    return [one]


def _files(segment: Segment) -> list[Path]:
    return [segment.columns_path, segment.parts_path]


def test_files_stay_while_somebody_holds_the_segment(segment: list[Segment]):
    retired = Retired(lambda: nullcontext(enter_result=True), lambda: 0.0)
    files = _files(segment[0])
    retired.add(segment, None)

    assert retired.sweep() == 1
    assert retired.paths() == set(files)
    segment.clear()
    assert retired.sweep() == 0
    assert not any(path.exists() for path in files)


def test_where_events_expire_they_go_after_a_moment_though_somebody_does(segment: list[Segment]):
    seconds = [0.0]
    retired = Retired(lambda: nullcontext(enter_result=False), lambda: seconds[0])
    retired.add(segment, 10.0)

    assert retired.sweep() == 1
    seconds[0] = 10.0
    assert retired.sweep() == 0
    assert not any(path.exists() for path in _files(segment[0]))


def test_at_the_end_nothing_waits_for_its_moment(segment: list[Segment]):
    retired = Retired(lambda: nullcontext(enter_result=False), lambda: 0.0)
    retired.add(segment, 10.0)

    assert retired.sweep(is_end=True) == 0


def test_another_process_holds_files_up_for_an_hour(segment: list[Segment]):
    seconds = [0.0]
    retired = Retired(lambda: nullcontext(enter_result=False), lambda: seconds[0])
    retired.add(segment, None)
    segment.clear()

    assert retired.sweep() == 1
    seconds[0] = HELD_S_MAX + 1
    assert retired.sweep() == 0
    assert len(retired) == 0
