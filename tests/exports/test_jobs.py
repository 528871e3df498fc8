import msgspec
import pytest

from sealog.exports import jobs
from sealog.exports.jobs import Job
from sealog.storage.store import Store

JOB = Job(
    id="exp_1",
    tenant=1,
    key="key_1",
    state="pending",
    format="csv",
    columns=("index", "event"),
    asked={"from": "-7d", "action": ["a", "b"]},
    query='{"from_us":1}',
    size=10,
    estimated=9,
    created_us=5,
)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "state.db")
    yield store
    store.close()


def read(store):
    with store.reading() as connection:
        return jobs.read_all(connection)


def test_a_job_is_read_as_it_was_put_down(store):
    done = msgspec.structs.replace(
        JOB, id="exp_0", created_us=6, state="ready", sha256=b"\x01" * 32, bytes=7, expires_us=8
    )

    store.write(lambda connection: jobs.add(connection, done)).result()
    store.write(lambda connection: jobs.add(connection, JOB)).result()

    assert read(store) == [JOB, done]


def test_a_job_changes_only_from_the_state_it_is_in(store):
    store.write(lambda connection: jobs.add(connection, JOB)).result()
    failed = msgspec.structs.replace(JOB, state="failed", error="no")

    late = store.write(lambda it: jobs.change(it, failed, from_state="running")).result()
    before = read(store)
    right = store.write(lambda it: jobs.change(it, failed, from_state="pending")).result()

    assert (late, before, right) == (False, [JOB], True)
    assert read(store) == [failed]


def test_a_job_that_is_removed_is_not_there(store):
    store.write(lambda connection: jobs.add(connection, JOB)).result()

    store.write(lambda connection: jobs.remove(connection, "exp_1")).result()

    assert read(store) == []


def test_its_file_is_named_by_its_id_and_format():
    """No name that anybody chose stands in a path."""
    assert JOB.name == "exp_1.csv"
