"""Whatever is accepted, cut, merged, chosen, dropped and restarted: nothing shows what has expired."""

import shutil
import tempfile
from itertools import pairwise
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.archive.made import ALPHA, BEGIN_US, Home, event, statement, still

from sealog.archive.archive import Query
from sealog.archive.classes import keep_of, window_us
from sealog.archive.segments import Parts
from sealog.errors import Gone
from sealog.event.packs import Unpacker
from sealog.policy.retention import Rule

HOUR = 3_600
DIALECTS = ("ecs", "easysend", "closer")
ACTIONS = ("user.login", "user.logout")
KEEPS = (None, HOUR, 2 * HOUR, 48 * HOUR)

rules = st.lists(
    st.builds(
        Rule,
        dialect=st.sampled_from([None, *DIALECTS]),
        action=st.sampled_from([None, *ACTIONS]),
        keep_s=st.sampled_from(KEEPS),
    ),
    max_size=3,
)
kinds = st.tuples(st.sampled_from(DIALECTS), st.sampled_from(ACTIONS))


class ExpiringLife(RuleBasedStateMachine):
    """One tenant's events of three dialects, from the journal until they are no more."""

    def __init__(self) -> None:
        super().__init__()
        self.path = Path(tempfile.mkdtemp())
        self.home = Home(self.path / "data", rules={})
        still(self.home)
        # Of each index: dialect, action and when it came; None for a statement.
        self.sent: list[tuple[str, str, int] | None] = []
        self.gone: set[int] = set()

    @rule(several=st.lists(kinds, min_size=1, max_size=40), statements=st.integers(0, 1))
    def accept(self, several: list[tuple[str, str]], statements: int) -> None:
        came = (self.home.now_us - BEGIN_US) / 1_000_000
        events = [
            event(n, action, dialect=one, came=came) for n, (one, action) in enumerate(several)
        ]
        self.home.add(ALPHA, *events, *[statement() for _ in range(statements)])
        self.sent += [(one, action, self.home.now_us) for one, action in several]
        self.sent += [None] * statements

    @rule(several=st.lists(kinds, min_size=1, max_size=6), times=st.integers(1, 18))
    def accept_and_cut(self, several: list[tuple[str, str]], times: int) -> None:
        for _ in range(times):
            self.accept(several, 0)
            self.home.archive.cut()

    @rule()
    def cut(self) -> None:
        self.home.archive.cut()

    @rule()
    def merge_and_sort(self) -> None:
        self.home.archive.merge()

    @rule()
    def merge_or_sort_once(self) -> None:
        self.home.archive._merger.step()

    @rule(seconds=st.sampled_from([1, 10, 60, 900, HOUR, 5 * HOUR, 47 * HOUR]))
    def wait(self, seconds: int) -> None:
        self.home.pass_time(seconds)

    @rule(chosen=rules)
    def choose(self, chosen: list[Rule]) -> None:
        self.home.decide(ALPHA, *chosen)

    @rule()
    def drop(self) -> None:
        for first, last in self.home.let_go(ALPHA):
            self.gone.update(range(first, last + 1))
        self.sent += [None] * (self.home.journal.size(ALPHA.number) - len(self.sent))

    @rule()
    def die_before_the_drop(self) -> None:
        """The statement was sealed, and what it says is dropped after the next start."""
        dues = list(self.home.archive.expired_until(ALPHA, self.home.now_us))
        if dues:
            (index,) = self.home.add(ALPHA, statement())
            self.sent.append(None)
            self.restart()
            self.home.archive.merge()
            self.home.archive.drop(ALPHA, index, dues[0].ranges)
            self.home.archive.drop(ALPHA, index, dues[0].ranges)
            self.gone.update(n for a, b in dues[0].ranges for n in range(a, b + 1))

    @rule()
    def restart(self) -> None:
        self.home.restart()
        still(self.home)

    @precondition(lambda self: self.home.archive.undeleted() == 0)
    @rule()
    def look_into_files(self) -> None:
        """What is gone is in no file any more."""
        held = set()
        for segment in self.home.archive.segments(ALPHA):
            parts = Parts(segment)
            for row in range(parts.rows):
                pack = parts.pack(row)
                assert len(Unpacker().events(pack)) == len(pack.indexes)
                held.update(pack.indexes)
        assert not held & self.gone
        listed = {
            f"{one.kept}/{path.name}"
            for one in self.home.archive.segments(ALPHA)
            for path in (one.columns_path, one.parts_path)
        }
        assert self.home.files() == listed

    def _alive(self) -> list[int]:
        keep_s = self.home._rules_of(ALPHA.number).keep_s
        alive = []
        for index, one in enumerate(self.sent):
            if index in self.gone:
                continue
            keep = None if one is None else keep_s(one[0], one[1], one[1])
            if keep is None or one is None or one[2] + keep * 1_000_000 > self.home.now_us:
                alive.append(index)
        return alive

    @invariant()
    def everything_gives_what_has_not_expired_once(self) -> None:
        archive, alive = self.home.archive, self._alive()
        assert [index for index, _ in archive.scan(ALPHA, Query())] == alive
        assert self._followed() == alive
        assert [index for index, _ in archive.feed(ALPHA, -1, 1_000)] == alive[:1_000]
        assert self._searched() == alive
        assert archive.count([ALPHA], Query()).count == len(alive)
        snapshot = archive.snapshot(ALPHA, Query())
        assert snapshot.count == len(alive) == sum(piece.count for piece in snapshot.pieces())
        facet = archive.facets([ALPHA], Query(), ["dialect"]).facets["dialect"]
        assert sum(count for _, count in facet.values) == len(alive)
        buckets = archive.histogram([ALPHA], Query(), "hour").buckets
        assert sum(bucket.count for bucket in buckets) == len(alive)
        assert archive.damaged() == []

    @invariant()
    def an_index_alone_is_given_or_has_expired(self) -> None:
        alive = set(self._alive())
        for index in range(0, len(self.sent), 7):
            try:
                found = self.home.archive.get(ALPHA, index)
            except Gone:
                assert index not in alive
            else:
                assert (found is not None) == (index in alive)
            if index in self.gone:
                assert self.home.archive.why_missing(ALPHA, index) is not None

    @invariant()
    def segments_of_a_class_stay_apart_and_within_their_window(self) -> None:
        classes: dict[str, list[tuple[int, int]]] = {}
        for one in self.home.archive.segments(ALPHA):
            classes.setdefault(one.kept, []).append((one.first, one.last))
            window = window_us(keep_of(one.kept))
            if window is not None:
                assert (one.last_ingested_us or 0) - (one.first_ingested_us or 0) <= window
        for spans in classes.values():
            assert all(before[1] < after[0] for before, after in pairwise(spans))

    def _searched(self) -> list[int]:
        found: list[int] = []
        cursor = None
        while True:
            page = self.home.archive.search([ALPHA], Query(), limit=100, cursor=cursor)
            assert page.damaged == ()
            found += [one.index for one in page.events]
            cursor = page.next_cursor
            if cursor is None:
                return sorted(found)

    def _followed(self) -> list[int]:
        found: list[int] = []
        first = 0
        while first < self.home.archive.visible(ALPHA):
            piece = self.home.archive.follow(ALPHA, Query(), first, 97)
            assert piece.next > first
            found += [index for index, _ in piece.events]
            first = piece.next
        return found

    def teardown(self) -> None:
        self.home.close()
        shutil.rmtree(self.path)


TestExpiringLife = ExpiringLife.TestCase
TestExpiringLife.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
