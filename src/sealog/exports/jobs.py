"""Export jobs as they stand in `state.db`."""

from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from sealog.exports.forms import Form
from sealog.rendering.rendering import ECS, ECS_VERSIONS
from sealog.storage.tables import exports as table

PENDING, RUNNING, READY = "pending", "running", "ready"
FAILED, CANCELLED, EXPIRED = "failed", "cancelled", "expired"
UNFINISHED = frozenset({PENDING, RUNNING})
STATES = (PENDING, RUNNING, READY, FAILED, CANCELLED, EXPIRED)

_JSON = msgspec.json.Encoder(order="deterministic").encode


class Job(msgspec.Struct, frozen=True):
    """An export: what was asked for, and how far it is."""

    id: str
    tenant: int
    """The tenant's number."""
    key: str
    """The id of the key that asked for it."""
    state: str
    format: str
    columns: tuple[str, ...]
    asked: dict[str, Any]
    """The parameters as they were given."""
    query: str
    """What they mean, as JSON."""
    size: int
    """It holds what stood below this index when it was asked for, and nothing else."""
    estimated: int
    """How many events there may be, at most."""
    created_us: int
    dialect: str = ECS
    """Whose shape each event has."""
    ecs_version: str = ECS_VERSIONS[0]
    finished_us: int | None = None
    expires_us: int | None = None
    events: int = 0
    sha256: bytes | None = None
    error: str | None = None
    # Last, because its name is a type's.
    bytes: int = 0

    @property
    def form(self) -> Form:
        """What its file looks like."""
        return Form(self.format, self.columns, self.dialect, self.ecs_version)

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.id}.{self.format}"


def read_all(connection: Connection) -> list[Job]:
    """Every job, in the order they were asked for."""
    rows = connection.execute(select(table).order_by(table.c.created_us, table.c.id))
    return [_job(row._asdict()) for row in rows]


def add(connection: Connection, job: Job) -> None:
    """A new job."""
    connection.execute(insert(table), _values(job))


def change(connection: Connection, job: Job, *, from_state: str) -> bool:
    """Put down what became of a job, if it is in that state still."""
    where = update(table).where(table.c.id == job.id, table.c.state == from_state)
    return connection.execute(where.values(_values(job))).rowcount == 1


def remove(connection: Connection, job_id: str) -> None:
    """Forget a job."""
    connection.execute(delete(table).where(table.c.id == job_id))


def _values(job: Job) -> dict[str, Any]:
    values = msgspec.structs.asdict(job)
    values["asked"] = _JSON(job.asked).decode()
    values["columns"] = _JSON(job.columns).decode()
    return values


def _job(values: dict[str, Any]) -> Job:
    values["asked"] = msgspec.json.decode(values["asked"])
    values["columns"] = tuple(msgspec.json.decode(values["columns"]))
    return Job(**values)
