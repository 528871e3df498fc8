from datetime import UTC

import pytest
from starlette.datastructures import QueryParams

from sealog.errors import Refused
from sealog.query.tree import Between, Has, Inside, Is, Like, Not, Or, Query, Text, every
from sealog.server import asking
from sealog.server.problems import BadParameter
from sealog.server.showing import Shape

NOW_US = 1_700_000_000_000_000
HOUR_US = 3_600_000_000


def search(text):
    return asking.search(QueryParams(text), NOW_US, default=50, most=1_000)


def test_every_parameter_of_a_search_arrives():
    asked = search(
        "tenant=acme&tenant=globex&tenant=acme&from=-15m&to=2023-11-14T22:13:20Z&action=agent_*"
        "&action=user.login&category=iam&outcome=failure&actor=a%40b.c&address=192.0.2.1"
        "&dialect=closer&session=s1&limit=1000&cursor=abc&at_least=7&order=oldest"
        "&type=start&kind=user&ip=10.0.0.0/8&target=bob&status=>%3D400&findings=no&id=e-1"
        "&actor.id=u-1&actor.name=Ada&actor.email=a%40b.c&index=3..5&actor.kind=key"
        "&q=deleted+has:session"
    )

    assert asked.tenants == ("acme", "globex")
    assert asked.query == Query(
        NOW_US - 900_000_000,
        NOW_US,
        every(
            [
                Or((Like("action", "agent_*"), Is("action", "user.login"))),
                Is("category", "iam"),
                Is("type", "start"),
                Is("outcome", "failure"),
                Is("actor", "a@b.c"),
                Is("actor.id", "u-1"),
                Is("actor.name", "Ada"),
                Is("actor.email", "a@b.c"),
                Is("actor.kind", "key"),
                Inside("10.0.0.0/8"),
                Is("target", "bob"),
                Is("session", "s1"),
                Between("status", 400, None),
                Not(Has("findings")),
                Is("id", "e-1"),
                Between("index", 3, 5),
                Is("ip", "192.0.2.1"),
                Is("actor.kind", "user"),
                Text(("deleted",)),
                Has("session"),
            ]
        ),
    )
    assert (asked.limit, asked.cursor, asked.at_least) == (1_000, "abc", 7)
    assert asked.oldest_first
    assert asked.shape == Shape("closer")


def test_a_shape_is_no_part_of_what_is_searched_for():
    """A page of the same search may have another; events of one dialect are asked for in `q`."""
    assert search("dialect=ecs&ecs_version=1.9").words == search("").words
    assert search("dialect=ecs&ecs_version=1.9").shape == Shape("ecs", "1.9")
    assert search("q=dialect:closer").query.where == Is("dialect", "closer")


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("dialect=syslog", "dialect"),
        ("ecs_version=9.4", "ecs_version"),
        ("dialect=closer&ecs_version=1.9", "ecs_version"),
    ],
    ids=["no-dialect", "no-version", "not-of-ecs"],
)
def test_a_shape_that_there_is_not_is_named(query, parameter):
    with pytest.raises(BadParameter) as bad:
        search(query)

    assert bad.value.parameter == parameter


def test_a_shape_in_a_body_has_a_pointer():
    with pytest.raises(BadParameter) as bad:
        asking.shape({"dialect": 7, "tenant": "acme"}, in_body=True)

    assert bad.value.pointer == "/dialect"


def test_a_search_for_nothing_in_particular_asks_for_the_newest_fifty():
    asked = search("")

    assert asked == asking.Asked(Query(), (), 50, None, None)
    assert search("q=").query == Query()


def test_a_parameter_is_a_value_as_it_is():
    """Quotes, commas and backslashes mean nothing here; a star does."""
    assert search('actor="Ada,+L\\').query.where == Is("actor", '"Ada, L\\')
    assert search("actor=ada*").query.where == Like("actor", "ada*")


def test_the_query_and_the_parameters_are_fulfilled_together():
    asked = search("q=after:1970-01-02+(actor:ada+OR+actor:bob)&from=1970-01-03&action=login")

    either = Or((Is("actor", "ada"), Is("actor", "bob")))
    assert asked.query == Query(48 * HOUR_US, None, every([Is("action", "login"), either]))


@pytest.mark.parametrize(
    ("text", "from_us"),
    [
        ("now", NOW_US),
        ("-1s", NOW_US - 1_000_000),
        ("-2h", NOW_US - 2 * HOUR_US),
        ("-1w", NOW_US - 168 * HOUR_US),
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01T02:00:00.5%2B02:00", 500_000),
        ("1970-01-01T02:00:00+02:00", 0),
        ("1970-01-02", 24 * HOUR_US),
        ("1970-01-02&zone=Europe/Berlin", 23 * HOUR_US),
        ("1970-01-02&zone=Etc/GMT%2B5", 29 * HOUR_US),
        ("1970-01-02&zone=Etc/GMT+5", 29 * HOUR_US),
        ("1970-01-02&q=after:1970-01-03&zone=Europe/Berlin", 47 * HOUR_US),
    ],
)
def test_a_time_is_a_day_of_the_zone_a_moment_or_so_long_ago(text, from_us):
    """A + that arrives as a space is a +."""
    assert search(f"from={text}").query == Query(from_us, None)


def test_the_zone_is_utc_unless_named():
    assert asking.zone(QueryParams("")) == UTC
    assert str(asking.zone(QueryParams("zone=Asia/Tokyo"))) == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("zone", "says", "meant"),
    [
        ("Europe/Berln", "did you mean Europe/Berlin?", "Europe/Berlin"),
        ("europe/berlin", "did you mean Europe/Berlin?", "Europe/Berlin"),
        ("tokyo", "did you mean Asia/Tokyo?", "Asia/Tokyo"),
        ("America/New York", "did you mean America/New_York?", "America/New_York"),
        ("Europe", "write a name such as Europe/Berlin", None),
        ("/etc/passwd", "write a name such as Europe/Berlin", None),
        ("../../etc/passwd", "write a name such as Europe/Berlin", None),
        ("x" * 65, "write a name such as Europe/Berlin", None),
    ],
    ids=lambda text: str(text)[:20],
)
def test_an_unknown_zone_is_told_with_what_was_meant(zone, says, meant):
    with pytest.raises(BadParameter) as error:
        search(f"zone={zone}")

    assert error.value.parameter == "zone"
    assert error.value.detail.startswith("zone: unknown zone ")
    assert error.value.detail.endswith(says)
    assert error.value.wrong.suggestion == meant


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        ("actr=a", "actr"),
        ("outcome=", "outcome"),
        ("actor=" + "x" * 1_025, "actor"),
        ("q=a&q=b", "q"),
        ("q=acter:a", "q"),
        ("q=" + "x+" * 3_000, "q"),
        ("from=soon", "from"),
        ("to=2023-02-30", "to"),
        ("from=2023..2024", "from"),
        ("from=2023-02-02&to=2023-02-01", "from"),
        ("to=2023-02-01&q=after:2023-02-02", "to"),
        ("from=-999999999w", "from"),
        ("zone=UTC&zone=UTC", "zone"),
        ("ip=10.0.0.0/33", "ip"),
        ("status=4xx", "status"),
        ("findings=some", "findings"),
        ("id=a*", "id"),
        ("order=newest&order=oldest", "order"),
        ("order=random", "order"),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("limit=+1", "limit"),
        ("limit=%D9%A1", "limit"),
        ("at_least=-1", "at_least"),
        ("&".join(["action=a"] * 101), "action"),
        ("&".join(f"tenant=t{n}" for n in range(1_001)), "tenant"),
    ],
    ids=lambda text: text[:40],
)
def test_a_parameter_that_cannot_be_is_named(text, parameter):
    """A filter with a typing error in its name would quietly find too much."""
    with pytest.raises(BadParameter) as error:
        search(text)

    assert error.value.parameter == parameter


def test_a_query_that_cannot_be_says_where():
    with pytest.raises(BadParameter) as error:
        search("q=x+acter:a")

    assert (error.value.code, error.value.detail) == (
        "bad-query",
        "unknown field 'acter'; did you mean 'actor'?",
    )
    assert (error.value.wrong.offset, error.value.wrong.suggestion) == (2, "actor")


def test_limits_themselves_are_taken():
    assert search("&".join(["action=a"] * 100)).query.where == Or((Is("action", "a"),) * 100)
    assert len(search("&".join(f"tenant=t{n}" for n in range(1_000))).tenants) == 1_000
    assert search("actor=" + "x" * 1_024).query.where == Is("actor", "x" * 1_024)


def test_pages_of_a_search_are_asked_for_in_the_same_words():
    """Whatever the clock says meanwhile, and whichever page it is."""
    first = asking.search(QueryParams("q=a&from=-15m&tenant=b&limit=2"), 1 << 50, default=1, most=9)
    second = asking.search(
        QueryParams("limit=3&tenant=b&q=a&cursor=c&at_least=1&from=-15m"),
        2 << 50,
        default=1,
        most=9,
    )
    other = asking.search(QueryParams("q=a&from=-16m&tenant=b"), 1 << 50, default=1, most=9)

    assert first.words == second.words != other.words
    assert search("order=oldest&q=a").words != search("q=a").words


def test_a_body_asks_by_the_same_names_with_values_or_lists_of_them():
    body = {
        "q": "deleted",
        "zone": "Europe/Berlin",
        "from": "1970-01-02",
        "action": ["login", "log*"],
        "status": [404, ">=500"],
        "findings": True,
        "format": {"left": "alone"},
    }

    assert asking.asked_in_body(body, NOW_US) == Query(
        23 * HOUR_US,
        None,
        every(
            [
                Or((Is("action", "login"), Like("action", "log*"))),
                Or((Between("status", 404, 404), Between("status", 500, None))),
                Has("findings"),
                Text(("deleted",)),
            ]
        ),
    )
    assert asking.asked_in_body({}, NOW_US) == Query()


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"q": "acter:a"}, "/q", "bad-query"),
        ({"q": ["a"]}, "/q", "bad-parameter"),
        ({"status": [404, "4xx"]}, "/status/1", "bad-parameter"),
        ({"status": ["4xx"]}, "/status/0", "bad-parameter"),
        ({"status": "4xx"}, "/status", "bad-parameter"),
        ({"status": 4.5}, "/status", "bad-parameter"),
        ({"actor": None}, "/actor", "bad-parameter"),
        ({"actor": ["ada", {}]}, "/actor/1", "bad-parameter"),
        ({"actor": ""}, "/actor", "bad-parameter"),
        ({"actor": "x" * 1_025}, "/actor", "bad-parameter"),
        ({"actor": ["a"] * 101}, "/actor/0", "bad-parameter"),
        ({"zone": "Berln"}, "/zone", "bad-parameter"),
        ({"from": "2024", "to": "2023"}, "/from", "bad-parameter"),
    ],
    ids=lambda each: str(each)[:30],
)
def test_what_is_wrong_in_a_body_is_told_by_its_pointer(body, pointer, code):
    with pytest.raises(BadParameter) as error:
        asking.asked_in_body(body, NOW_US)

    assert (error.value.pointer, error.value.code) == (pointer, code)


def test_one_tenant_is_the_named_one_or_the_keys_only_one():
    assert asking.one_tenant(QueryParams("tenant=acme"), "globex") == "acme"
    assert asking.one_tenant(QueryParams(""), "globex") == "globex"
    with pytest.raises(Refused) as error:
        asking.one_tenant(QueryParams(""), None)
    assert error.value.code == "no-tenant"
