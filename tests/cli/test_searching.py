import msgspec
import pytest
from tests.cli.made import ecs, lines

from sealog.cli.searching import pointed


@pytest.fixture
def acme(sealog):
    events = [ecs(number, organization={"id": "acme"}) for number in range(6)]
    events.append(ecs(6, organization={"id": "other"}, user={"id": "[bold]x[/bold]"}))
    sealog("ingest", "-", stdin=lines(*events))
    return sealog


def test_a_page_is_a_table_newest_first(acme):
    ran = acme("search", "--tenant", "acme", "--limit", "2")

    rows = [line for line in ran.out.splitlines() if "user.login" in line]
    assert ran.code == 0
    assert [row[:23] for row in rows] == ["2026-10-05 08:00:05.000", "2026-10-05 08:00:04.000"]
    assert ran.err.startswith("more: --cursor ")


def test_the_next_page_begins_where_the_cursor_says(acme):
    cursor = acme("search", "--tenant", "acme", "--limit", "4").err.split()[-1]

    ran = acme("search", "--tenant", "acme", "--limit", "4", "--cursor", cursor, "--json")

    assert [event["event"]["id"] for event in ran.value["events"]] == ["e-1", "e-0"]
    assert ran.value["next_cursor"] is None


def test_json_is_the_apis_own_answer_on_one_line(acme):
    found = acme("search", "--json").value["events"]

    assert [event["event"]["id"] for event in found] == [
        f"e-{number}" for number in range(6, -1, -1)
    ]


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        (("--tenant", "other"), ["e-6"]),
        (("--tenant", "acme", "--tenant", "other", "--limit", "2"), ["e-6", "e-5"]),
        (("--actor", "u-2"), ["e-5", "e-2"]),
        (("--from", "2026-10-05T08:00:05Z", "--to", "2026-10-05T08:00:06Z"), ["e-5"]),
        (("--action", "user.*", "--tenant", "other"), ["e-6"]),
        (("--action", "nothing", "--action", "user.login", "--limit", "1"), ["e-6"]),
        (("--outcome", "failure"), []),
        (("--dialect", "ecs", "--limit", "1"), ["e-6"]),
        (("--category", "iam"), []),
        (("--session", "s-1"), []),
    ],
)
def test_filters_narrow_the_search(acme, asked, ids):
    found = acme("search", *asked, "--json").value["events"]

    assert [event["event"]["id"] for event in found] == ids


def test_what_stands_in_an_event_is_never_markup(acme):
    assert "[bold]x[/bold]" in acme("search", "--tenant", "other").out


@pytest.mark.parametrize(
    ("asked", "code", "says"),
    [
        (("--from", "soon"), 2, "from: 'soon' is no time"),
        (("--limit", "0"), 2, "Invalid value for '--limit'"),
        (("--cursor", "made-up"), 2, "cursor"),
        (("--tenant", "nobody"), 1, "no such tenant"),
    ],
)
def test_what_cannot_be_asked_is_said(acme, asked, code, says):
    ran = acme("search", *asked)

    assert ran.code == code
    assert says in ran.err


def test_a_server_is_searched_the_same_way(sealog, served):
    where = ("--server", served.url, "--key", served.key)
    sealog("ingest", "-", "--tenant", "searched", *where, stdin=lines(ecs(1)))

    ran = sealog("search", "--tenant", "searched", "--json", *where)

    assert [event["event"]["id"] for event in ran.value["events"]] == ["e-1"]


@pytest.mark.parametrize(
    ("query", "offset", "length", "lines"),
    [
        ("acter:ada", 0, 5, ("acter:ada", "^^^^^")),
        ("a AND", 5, 0, ("a AND", "     ^")),
        ("a\nacter:b", 2, 5, ("a acter:b", "  ^^^^^")),
        ("日本 acter:b", 3, 5, ("日本 acter:b", "     ^^^^^")),
        (
            "x" * 50 + " acter:" + "y" * 50,
            51,
            5,
            ("…" + "x" * 39 + " acter:" + "y" * 24 + "…", " " * 41 + "^^^^^"),
        ),
        ("z" * 200, 0, 200, ("z" * 76 + "…", "^" * 76)),
    ],
    ids=["first", "end", "lines", "wide", "long", "all"],
)
def test_a_place_in_a_query_is_pointed_at(query, offset, length, lines):
    assert pointed(query, offset, length) == lines


def test_events_in_a_products_shape_stand_on_lines_of_their_own(acme):
    """They have no columns in common."""
    ran = acme("search", "--dialect", "logichub", "--limit", "1")

    (event,) = [msgspec.json.decode(line) for line in ran.out.splitlines()]
    assert event["type"] == "user.login"
    assert "--cursor" in ran.err


def test_events_of_one_dialect_are_asked_for_in_the_query(acme):
    assert acme("search", "dialect:closer", "--json").value["events"] == []
    assert acme("search", "dialect:ecs", "--json").value["events"] != []
