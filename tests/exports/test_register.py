import msgspec
import pytest
from tests.exports.made import Clock
from tests.exports.test_jobs import JOB

from sealog.errors import Busy, Limited
from sealog.exports import register as registering
from sealog.exports.register import Clocks, Limits, Register
from sealog.storage.store import Store

LIMITS = Limits(expire_after_s=86_400.0, per_tenant_max=10, bytes_max=1 << 30)


class Office:
    """A register in a folder, and the clocks it goes by."""

    def __init__(self, path):
        self.store = Store(path / "state.db")
        self.folder = path / "exports"
        self.folder.mkdir(exist_ok=True)
        self.clock = Clock()
        self.open()

    def open(self, **limits):
        clocks = Clocks(lambda: self.clock.us, lambda: self.clock.s)
        self.register = Register(
            self.store, self.folder, clocks, msgspec.structs.replace(LIMITS, **limits)
        )
        self.register.load()

    def new(self, number, **changes):
        job = msgspec.structs.replace(
            JOB, id=f"exp_{number}", created_us=self.clock.us + number, **changes
        )
        self.register.add(job)
        return job

    def ready(self, number, size=3, **changes):
        job = self.register.put(self.new(number, **changes), state="running")
        (self.folder / job.name).write_bytes(b"x" * size)
        return self.register.put(job, state="ready", bytes=size, sha256=b"\x02" * 32)

    def names(self):
        return sorted(path.name for path in self.folder.iterdir())

    def states(self):
        return [job.state for job in self.register.all()]


@pytest.fixture
def office(tmp_path):
    office = Office(tmp_path)
    yield office
    office.store.close()


def test_what_was_put_down_is_there_after_a_restart(office):
    made = [office.new(1), office.ready(2)]

    office.open()

    assert office.register.all() == made
    assert office.register.get("exp_2") == made[1]
    assert office.register.bytes() == 3


def test_what_was_being_made_waits_again(office):
    office.register.put(office.new(1), state="running")

    office.open()

    assert office.states() == ["pending"]


def test_files_that_nobody_lists_are_swept_away(office):
    """One that was being written when the program died, one of a job that was never ready."""
    office.ready(1)
    office.register.put(office.new(2), state="running")
    for name in ("exp_2.csv", "exp_2.csv.part", "stranger"):
        (office.folder / name).write_bytes(b"x")

    office.open()

    assert office.names() == ["exp_1.csv"]


@pytest.mark.parametrize("content", [None, b"xx"])
def test_a_ready_file_that_is_not_there_whole_is_told(office, content):
    job = office.ready(1)
    office.register.path(job).unlink()
    if content is not None:
        office.register.path(job).write_bytes(content)

    office.open()

    (found,) = office.register.all()
    assert (found.state, found.error) == ("failed", "its file was lost")
    assert office.names() == []


def test_a_file_goes_when_its_time_is_over(office):
    job = office.ready(1)
    assert job.expires_us == office.clock.us + 86_400 * 1_000_000

    office.clock.pass_by(86_399)
    office.register.expire()
    before = office.states()
    office.clock.pass_by(1)

    assert before == ["ready"]
    assert office.states() == ["expired"]  # At once, whenever the sweep comes.
    office.register.expire()
    assert office.names() == []
    assert office.register.bytes() == 0


def test_a_clock_that_is_set_back_keeps_nothing_for_longer(office):
    office.ready(1)
    office.clock.us -= 365 * 86_400 * 1_000_000

    assert office.register.next_s() == 86_400
    office.clock.s += 86_400

    assert office.states() == ["expired"]
    office.register.expire()
    assert office.names() == []


def test_a_clock_that_is_set_forward_is_believed(office):
    office.ready(1)

    office.clock.us += 365 * 86_400 * 1_000_000

    assert office.states() == ["expired"]


def test_a_restart_with_a_clock_set_back_keeps_nothing_for_longer_than_one_term(office):
    office.ready(1)
    office.clock.us -= 365 * 86_400 * 1_000_000

    office.open()

    assert office.register.next_s() == 86_400


def test_what_became_of_a_job_is_remembered_for_a_week(office):
    office.register.put(office.new(1), state="cancelled")
    office.ready(2)

    office.clock.pass_by(6 * 86_400)
    office.register.expire()
    after_six_days = office.states()
    office.clock.pass_by(86_401)
    office.register.expire()

    assert after_six_days == ["cancelled", "expired"]
    assert office.states() == []
    office.open()
    assert office.states() == []


def test_a_tenant_has_so_many_at_once_and_another_its_own(office):
    office.open(per_tenant_max=2)
    office.new(1)
    office.ready(2)

    with pytest.raises(Limited, match="has 2 exports") as limited:
        office.new(3)

    assert limited.value.retry_after_s == 60
    office.new(4, tenant=2)
    office.register.forget(office.register.get("exp_2"))
    office.new(5)


def test_one_that_is_over_takes_no_place(office):
    office.open(per_tenant_max=1)
    office.register.put(office.new(1), state="cancelled")

    office.new(2)

    assert office.states() == ["cancelled", "pending"]


def test_nothing_more_is_taken_on_when_the_room_is_used_up(office):
    office.open(bytes_max=10)
    office.ready(1, size=9)
    office.new(2)
    office.register.put(office.register.get("exp_2"), state="running")
    office.register.put(office.register.get("exp_2"), state="ready", bytes=1)

    with pytest.raises(Busy, match="used up") as busy:
        office.new(3)

    assert busy.value.retry_after_s == 300


def test_only_so_many_are_remembered_and_the_oldest_that_is_over_goes(office, monkeypatch):
    monkeypatch.setattr(registering, "JOBS_PER_TENANT_MAX", 3)
    office.new(1)
    for number in (2, 3):
        office.register.put(office.new(number), state="cancelled")

    office.new(4)

    assert [job.id for job in office.register.all()] == ["exp_1", "exp_3", "exp_4"]


def test_the_time_at_which_it_was_over_is_put_down(office):
    job = office.register.put(office.new(1), state="running")
    office.clock.pass_by(2)

    done = office.register.put(job, state="failed", error="no")

    assert (job.finished_us, done.finished_us) == (None, office.clock.us)
