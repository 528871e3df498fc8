"""Whatever is accepted, cut, merged and restarted, in any order: every event is found exactly once."""

import shutil
import tempfile
from itertools import pairwise
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.archive.made import ALPHA, Home, event, statement

from sealog.archive.archive import Query


class ArchiveLife(RuleBasedStateMachine):
    """One tenant's events on their way from the journal into ever larger segments."""

    def __init__(self) -> None:
        super().__init__()
        self.path = Path(tempfile.mkdtemp())
        self.home = Home(self.path / "data")
        self.added = 0

    @rule(events=st.integers(1, 40), statements=st.integers(0, 2))
    def accept(self, events: int, statements: int) -> None:
        self.home.add(
            ALPHA, *[event(n) for n in range(events)], *[statement() for _ in range(statements)]
        )
        self.added += events + statements

    @rule(times=st.integers(1, 20))
    def cut(self, times: int) -> None:
        for _ in range(times):
            self.accept(1, 0)
            self.home.archive.cut()

    @rule()
    def merge(self) -> None:
        self.home.archive.merge()

    @rule()
    def restart(self) -> None:
        self.home.restart()

    @invariant()
    def every_event_is_found_once(self) -> None:
        indexes = list(range(self.added))
        assert [index for index, _ in self.home.archive.scan(ALPHA, Query())] == indexes
        assert self.home.archive.damaged() == []

    @invariant()
    def segments_of_a_class_stay_few_and_apart(self) -> None:
        classes: dict[str, list[tuple[int, int]]] = {}
        for one in self.home.archive.segments(ALPHA):
            classes.setdefault(one.kept, []).append((one.first, one.last))
        for spans in classes.values():
            assert len(spans) <= 60 + 20
            assert all(before[1] < after[0] for before, after in pairwise(spans))

    def teardown(self) -> None:
        self.home.close()
        shutil.rmtree(self.path)


TestArchiveLife = ArchiveLife.TestCase
TestArchiveLife.settings = settings(max_examples=12, stateful_step_count=12, deadline=None)
