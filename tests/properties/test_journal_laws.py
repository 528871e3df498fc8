"""A journal's and a ledger's life in any order: nothing promised is lost, nothing signed is undone."""

import shutil
import tempfile
from collections import defaultdict
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.journal.made import Counted
from tests.ledger.lives import Life
from tests.ledger.whole import leaves_of, tree_root

from sealog.event.sealing import Sealer
from sealog.merkle.checks import verify_consistency

NAMES = st.lists(st.integers(0, 40), min_size=1, max_size=30)
TENANTS = st.integers(1, 2)


class LedgersLife(RuleBasedStateMachine):
    """Append, settle, archive and crash, as they come; the model is a list of entries a tenant."""

    def __init__(self):
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="sealog-life-"))
        self.sealer = Sealer(Counted())
        self.entries = defaultdict(list)
        self.first = {}
        self.signed = {}
        self.lives = 0
        self.life = Life(self.root / "0", sealer=self.sealer)

    def teardown(self):
        self.life.stop()
        shutil.rmtree(self.root)

    @rule(of=TENANTS, numbers=NAMES)
    def append(self, of, numbers):
        """Every event gets the next index once; sent again, it gets the same one."""
        outcome, entries = self.life.append(of, *(f"e{n}" for n in numbers))
        for place, number in enumerate(numbers):
            index = outcome.indexes[place]
            if (of, number) in self.first:
                assert place in outcome.repeated
                assert index == self.first[of, number]
            else:
                assert place not in outcome.repeated
                assert index == len(self.entries[of])
                self.first[of, number] = index
                self.entries[of].append(entries[place])
        assert not outcome.conflicts

    @rule()
    def settle(self):
        self.life.ledger.settle()
        for of, entries in self.entries.items():
            self.life.check(of, entries)

    @rule()
    def archive(self):
        self.life.archive_all()

    @precondition(lambda self: self.lives < 6)
    @rule(torn=st.sampled_from(["nothing", "entries", "checkpoint", "all unsynced"]))
    def crash(self, torn):
        """The process dies; what was not synced may be there, torn or gone."""
        self.lives += 1
        path = self.life.copy(self.root / f"{self.lives}")
        synced = {head.tenant: head.synced for head in self.life.journal.heads()}
        tenants = self.life.tenants
        self.life.stop()
        for of, size in synced.items():
            log = path / "logs" / tenants[of].log_id
            if torn == "checkpoint":
                (log / "checkpoint").unlink(missing_ok=True)
            elif torn != "nothing" and (log / "entries").exists():
                with (log / "entries").open("r+b") as file:
                    file.truncate(33 * size)
                    if torn == "entries":
                        file.seek(33 * size)
                        file.write(b"torn")
        self.life = Life(path, sealer=self.sealer)

    @invariant()
    def every_promise_is_kept(self):
        for of, entries in self.entries.items():
            assert self.life.journal.size(of) == len(entries)
            for index in {0, len(entries) // 2, len(entries) - 1} if entries else ():
                assert self.life.ledger.entry(self.life.tenants[of], index) == entries[index]

    @invariant()
    def what_is_signed_only_grows(self):
        for of, entries in self.entries.items():
            now = self.life.signed(of)
            before = self.signed.get(of)
            if now is None:
                assert before is None
                continue
            leaves = leaves_of(b"".join(entries))
            assert now.root == tree_root(leaves[: now.size])
            if before is not None:
                assert now.size >= before.size
                path = self.life.ledger.consistency(self.life.tenants[of], before.size, now.size)
                assert verify_consistency(before.size, now.size, path, before.root, now.root)
            self.signed[of] = now


LedgersLife.TestCase.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)
test_a_ledgers_life_in_any_order = LedgersLife.TestCase
