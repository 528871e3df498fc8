import pytest
from starlette.datastructures import QueryParams

from sealog.errors import Refused
from sealog.query.tree import And, Is, Like, Or, Query
from sealog.server import asking
from sealog.server.problems import BadParameter

NOW_US = 1_700_000_000_000_000


def search(text):
    return asking.search(QueryParams(text), NOW_US, default=50, most=1_000)


def test_every_parameter_of_a_search_arrives():
    asked = search(
        "tenant=acme&tenant=globex&tenant=acme&from=-15m&to=2023-11-14T22:13:20Z&action=agent_*"
        "&action=user.login&category=iam&outcome=failure&actor=a%40b.c&address=192.0.2.1"
        "&dialect=closer&session=s1&limit=1000&cursor=abc&at_least=7"
    )

    assert asked.tenants == ("acme", "globex")
    assert asked.query.from_us == NOW_US - 900_000_000
    assert asked.query.to_us == NOW_US
    assert asked.query.where == And(
        (
            Is("category", "iam"),
            Is("outcome", "failure"),
            Is("actor", "a@b.c"),
            Is("dialect", "closer"),
            Is("session", "s1"),
            Is("ip", "192.0.2.1"),
            Or((Like("action", "agent_*"), Is("action", "user.login"))),
        )
    )
    assert (asked.limit, asked.cursor, asked.at_least) == (1_000, "abc", 7)


def test_a_search_for_nothing_in_particular_asks_for_the_newest_fifty():
    asked = search("")

    assert asked == asking.Asked(Query(), (), 50, None, None)


@pytest.mark.parametrize(
    ("text", "at_us"),
    [
        ("now", NOW_US),
        ("-1s", NOW_US - 1_000_000),
        ("-2h", NOW_US - 7_200_000_000),
        ("-1d", NOW_US - 86_400_000_000),
        ("-1w", NOW_US - 604_800_000_000),
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01T02:00:00.5+02:00", 500_000),
        ("1970-01-01t00:00:00.000001z", 1),
    ],
)
def test_a_time_is_absolute_or_so_long_ago(text, at_us):
    assert asking.moment(text, NOW_US) == at_us


@pytest.mark.parametrize(
    "text",
    ["yesterday", "2023-11-14", "14/11/2023 10:00:00", "-15", "15m", "2023-13-01T00:00:00Z", ""],
)
def test_what_is_no_time_is_none(text):
    assert asking.moment(text, NOW_US) is None


def test_a_plus_that_arrives_as_a_space_is_a_plus():
    assert search("from=1970-01-01T02:00:00+02:00").query.from_us == 0


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        ("actr=a", "actr"),
        ("actor=a&actor=b", "actor"),
        ("actor=", "actor"),
        ("actor=" + "x" * 1_025, "actor"),
        ("from=yesterday", "from"),
        ("to=2023", "to"),
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


def test_limits_themselves_are_taken():
    assert len(search("&".join(["action=a"] * 100)).query.where.nodes) == 100
    assert len(search("&".join(f"tenant=t{n}" for n in range(1_000))).tenants) == 1_000
    assert search("actor=" + "x" * 1_024).query.where.value == "x" * 1_024


def test_one_tenant_is_the_named_one_or_the_keys_only_one():
    assert asking.one_tenant(QueryParams("tenant=acme"), "globex") == "acme"
    assert asking.one_tenant(QueryParams(""), "globex") == "globex"
    with pytest.raises(Refused) as error:
        asking.one_tenant(QueryParams(""), None)
    assert error.value.code == "no-tenant"
