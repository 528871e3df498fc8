import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from sealog.catalog.shelf import load
from sealog.cli.cast import WEEKS
from sealog.cli.history import DIALECTS, history

UNTIL = datetime(2026, 10, 26, 12, tzinfo=UTC)
NATIVE = {"closer": "event.action", "easysend": "action", "chatvisor": "type",
          "supsis": "activity", "logichub": "type"}  # fmt: skip


def made(dialect, seed=1, count=800):
    return list(history(dialect, UNTIL, count=count, seed=seed))


def native(dialect, record):
    if dialect == "closer":
        return record["_source"]["message"]["event.action"]
    return record["event"]["action"] if dialect == "easysend" else record[NATIVE[dialect]]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_same_seed_gives_the_same_history(dialect):
    assert made(dialect) == made(dialect)
    assert made(dialect) != made(dialect, seed=2)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_record_is_of_a_documented_type(dialect):
    documented = {one["native"] for one in load().published()[dialect]}

    kinds = {native(dialect, msgspec.json.decode(record)) for record in made(dialect)}

    assert kinds <= documented
    assert len(kinds) >= 6


@pytest.mark.parametrize("dialect", DIALECTS)
def test_there_is_one_incident_beside_the_everyday(dialect):
    assert 800 < len(made(dialect)) <= 820


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_two_records_are_identical(dialect):
    """Else an import would take them for one, or for true duplicates."""
    records = made(dialect)

    assert len(set(records)) >= len(records) - 2


def test_times_lie_in_the_weeks_before_and_mostly_in_office_hours():
    times = [
        datetime.fromisoformat(msgspec.json.decode(record)["timestamp"])
        for record in made("chatvisor")
    ]

    weekdays = [at for at in times if at.weekday() < 5]
    office = [at for at in times if 7 <= at.hour < 18]
    assert min(times) >= UNTIL - timedelta(weeks=WEEKS)
    assert max(times) <= UNTIL + timedelta(hours=1)
    assert len(weekdays) > 0.9 * len(times)
    assert len(office) > 0.8 * len(times)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_nobody_in_it_exists(dialect):
    """Accounts are named after what they do; hosts and addresses are those kept for examples."""
    text = b"\n".join(made(dialect)).decode()

    domains = set(re.findall(r"[\w.-]+@([\w.-]+)|https?://([\w.-]+)", text))
    addresses = set(re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", text)) - {"129.0.0.0"}

    assert all("".join(domain).endswith(".example") for domain in domains)
    assert all(
        address.startswith(("192.0.2.", "198.51.100.", "203.0.113.")) for address in addresses
    )
