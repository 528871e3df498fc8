"""Every option of the commands that ask arrives."""

import msgspec
import pytest
from tests.cli.made import ecs, lines, script
from typer.testing import CliRunner

from sealog.cli.main import app


@pytest.fixture
def acme(sealog):
    events = [ecs(number, organization={"id": "acme"}) for number in range(6)]
    sealog("ingest", "-", stdin=lines(*events))
    return sealog


def ids(ran):
    return [event["event"]["id"] for event in ran.value["events"]]


def test_a_query_and_options_are_fulfilled_together(acme):
    ran = acme("search", "actor:u-1 OR actor:u-2", "--from", "2026-10-05T08:00:02Z", "--json")

    assert ids(ran) == ["e-5", "e-4", "e-2"]


@pytest.mark.parametrize(
    "asked",
    [
        ("--actor", "u-1", "--action", "user.login", "--from", "2026-10-05T08:00:02Z"),
        ("actor:u-1 action:user.login after:2026-10-05T08:00:02Z",),
        ("actor:u-1", "--action", "user.*", "--from", "2026-10-05T08:00:02Z"),
    ],
    ids=["options", "query", "both"],
)
def test_one_users_events_of_one_type_are_found_within_a_time(acme, asked):
    """CP-20, CP-21: both filters, and time."""
    assert ids(acme("search", *asked, "--json")) == ["e-4"]


def test_the_oldest_come_first_where_that_is_asked(acme):
    assert ids(acme("search", "--oldest", "--limit", "2", "--json")) == ["e-0", "e-1"]


@pytest.mark.parametrize(
    ("zone", "days"),
    [("Europe/Berlin", ["2026-10-05"]), ("Pacific/Pago_Pago", ["2026-10-04"])],
)
def test_a_zone_says_whose_days_are_meant(acme, zone, days):
    """The events are of 2026-10-05, eight o'clock in UTC, when it is still the day before there."""
    found = [
        day
        for day in ("2026-10-04", "2026-10-05")
        if len(ids(acme("search", f"on:{day}", "--zone", zone, "--json"))) == 6
    ]

    assert found == days


def test_a_query_that_begins_with_a_minus_stands_behind_two(acme):
    assert ids(acme("search", "--json", "--", "-actor:u-1 -actor:u-2")) == ["e-3", "e-0"]


@pytest.mark.parametrize("command", ["search", "count", "facets", "histogram"])
def test_a_mistake_is_pointed_at_under_the_query(acme, command):
    ran = acme(command, "has:findings acter:ada", "--tenant", "acme")

    assert ran.code == 2
    assert ran.err.splitlines() == [
        "has:findings acter:ada",
        "             ^^^^^",
        "sealog: unknown field 'acter'; did you mean 'actor'? (HTTP 400)",
    ]


EVENTS = [
    {
        "@timestamp": "2026-01-31T23:30:00.000Z",
        "event": {"id": "login", "action": "user.login", "category": ["authentication"],
                  "type": ["start"], "outcome": "failure"},
        "user": {"id": "u-1", "name": "Ada L", "email": "ada@example.org"},
        "source": {"ip": "::ffff:10.1.2.3"},
        "session": {"id": "a:b"},
        "http": {"response": {"status_code": 403}},
        "message": "Wrong password for the administrator",
    },
    {
        "@timestamp": "2026-02-01T12:00:00.000Z",
        "event": {"id": "grant", "action": "role.grant", "category": ["iam"], "type": ["change"],
                  "outcome": "success"},
        "user": {"id": "u-2", "name": "DOMAIN\\bob", "target": {"id": "u-1", "name": "Ada L"}},
        "source": {"ip": "2001:db8:0:0::1"},
        "http": {"response": {"status_code": 200}},
    },
    {
        "@timestamp": "2026-03-01T12:00:00.000Z",
        "event": {"id": "odd", "action": "x,y", "kind": "no such kind", "outcome": "unknown"},
        "user": {"id": "system"},
    },
]  # fmt: skip


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A folder with three events, and what a query finds there."""
    data = tmp_path_factory.mktemp("small") / "data"
    ran = script(
        "ingest", "-", "--tenant", "acme", "--data", data, cwd=data.parent, stdin=lines(*EVENTS)
    )
    assert ran.code == 0, ran

    def found(query, *more):
        result = CliRunner().invoke(
            app, ["search", "--data", str(data), "--oldest", "--json", *more, "--", query]
        )
        assert result.exit_code == 0, result.stderr
        events = msgspec.json.decode(result.stdout)["events"]
        return " ".join(event["event"]["id"] for event in events)

    return found


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", "login grant odd"),
        ("action:user.*", "login"),
        ("event.action:role.grant,user.login", "login grant"),
        ('action:"x,y"', "odd"),
        (r"action:x\,y", "odd"),
        ("category:iam", "grant"),
        ("type:start", "login"),
        ("outcome:(failure OR unknown)", "login odd"),
        ('actor:"ada l"', "login"),
        ("actor:ADA@*", "login"),
        ("actor.id:u-2", "grant"),
        (r"actor.name:DOMAIN\bob", "grant"),
        ("user.email:ada@example.org", "login"),
        ("target:u-1", "grant"),
        ('target:"Ada L"', "grant"),
        ("has:target", "grant"),
        ("-has:ip", "odd"),
        ("ip:10.1.2.3", "login"),
        ("ip:::ffff:10.1.2.3", "login"),
        ("ip:10.0.0.0/8", "login"),
        ("ip:2001:db8::1", "grant"),
        ("ip:2001:db8::/32", "grant"),
        ("ip:10.*", "login"),
        ("session:a:b", "login"),
        ("status:403", "login"),
        ("status:>=400", "login"),
        ("status:200..<403", "grant"),
        ("-status:200..299", "login odd"),
        ("findings:yes", "odd"),
        ("has:findings OR status:403", "login odd"),
        ("findings:no", "login grant"),
        ("id:grant", "grant"),
        ("index:1..", "grant odd"),
        ("dialect:ecs", "login grant odd"),
        ("password", "login"),
        ('"the administrator"', "login"),
        ('"administrator the"', ""),
        ("admin*", "login"),
        ("-password", "grant odd"),
        ("on:2026-01-31", "login"),
        ("date:2026-02", "grant"),
        ("date:2026-01..2026-02", "login grant"),
        ("after:2026-02-01", "grant odd"),
        ("before:2026-02-01", "login"),
        ("-date:2026-02", "login odd"),
        ("on:2026-01-31 OR findings:yes", "login odd"),
        ("actor:system OR (outcome:success -target:nobody)", "grant odd"),
        ("*", "login grant odd"),
        ("-*", ""),
    ],
)
def test_a_query_finds_what_it_says(small, query, ids):
    assert small(query) == ids


def test_the_first_hour_of_a_month_is_of_the_zone(small):
    assert small("date:2026-02", "--zone", "Europe/Berlin") == "login grant"
