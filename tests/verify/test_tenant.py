"""One tenant at a time, and the law that no byte of a log or an archive changes unnamed."""

import os
import shutil

import pytest

from sealog.event.parts import ENTRY_BYTES
from sealog.verify import keys, resting, tenant, waiting
from sealog.verify.logs import Log
from sealog.verify.moment import State
from sealog.verify.report import Findings, TenantReport
from sealog.verify.tenant import Outcome, Subject


@pytest.fixture
def folder(stopped, tmp_path):
    """A copy of the small folder, to be damaged."""
    path = tmp_path / "copy"
    shutil.copytree(stopped, path)
    return path


def subjects(path):
    """Every tenant of a folder, and a moment of its state."""
    with State(path / "state.db", owned=False) as state, state.moment() as moment:
        name = moment.installation_name()
        trusted = keys.of_folder(path)
        for row in moment.tenants()[0]:
            yield Subject(path, row, f"{name}/{row.log_id}", trusted), moment


def flips(path):
    """Change one byte after the other, each put right again before the next."""
    content = path.read_bytes()
    number = os.open(path, os.O_RDWR)
    try:
        for at, byte in enumerate(content):
            os.pwrite(number, bytes([byte ^ 1 << at % 8]), at)
            yield at
            os.pwrite(number, content[at : at + 1], at)
    finally:
        os.close(number)
    assert path.read_bytes() == content


def log_of(subject, moment):
    """The tenant's log as `tenant.check` sees it."""
    head = moment.head(subject.row.number)
    held = waiting.check(moment, head, Findings())
    tail = bytes(held.entries[(head.synced - held.first) * ENTRY_BYTES :])
    return head, Log(subject.log_folder, subject.log_name, head.synced, tail)


def test_every_flipped_byte_of_every_file_of_a_log_is_named(folder):
    """A byte of `entries`, of a level or of a checkpoint; the fault names the file."""
    seen = set()
    for subject, moment in subjects(folder):
        head, log = log_of(subject, moment)
        for path in sorted(subject.log_folder.iterdir()):
            name = f"{subject.log_name}/{path.name}"
            seen.add(path.name)
            unnamed = []
            for at in flips(path):
                outcome = Outcome(TenantReport("", "", head.size), Findings())
                tenant.check_log(subject, moment, log, outcome)
                if name not in {fault.where for fault in outcome.findings.faults}:
                    unnamed.append(at)
            assert unnamed == []
    assert seen == {"entries", "hashes-1", "checkpoint"}


def test_every_flipped_byte_of_every_segment_file_is_named(folder):
    """Nothing of a file that is not what was cut is read, whatever the byte means in it."""
    seen = []
    for subject, moment in subjects(folder):
        for row in moment.segments(subject.row.number):
            one = resting.listed(row, subject.archive)
            for name, path, _, _ in one.files:
                seen.append(path.suffix)
                unnamed = []
                for at in flips(path):
                    findings = Findings()
                    assert not resting.check_files(one, findings)
                    if [fault.where for fault in findings.faults] != [name]:
                        unnamed.append(at)
                assert unnamed == []
    assert sorted(seen) == [".arrow"] * 3 + [".parquet"] * 3


def test_a_tenant_that_is_well_has_every_index_in_one_sort(folder):
    found = {}
    for subject, moment in subjects(folder):
        outcome = tenant.check(subject, moment)
        assert outcome.findings.faults == []
        assert outcome.findings.unfinished == []
        counts = outcome.report.counts
        found[subject.row.name] = (
            counts.opened,
            counts.erased,
            counts.expired,
            counts.statement,
            counts.unexplained,
        )
    assert found == {"acme": (300, 0, 0, 0, 0), "bolt": (3, 1, 0, 1, 0), "core": (1, 0, 0, 0, 0)}


def test_a_tenant_without_events_has_nothing_to_verify(home):
    home.tenant("empty")
    home.close()

    outcomes = [tenant.check(subject, moment) for subject, moment in subjects(home.path)]

    (outcome,) = outcomes
    assert outcome.findings.faults == []
    assert outcome.report.size == 0
