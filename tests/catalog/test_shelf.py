"""Looking up types by name, alias and spelling; what is published; and every shipped file."""

import re
from pathlib import Path

import msgspec
import pytest

from sealog.catalog import ecs, shelf
from sealog.errors import Misconfigured
from sealog.event.parts import ACTOR, FACTS, TARGET

GOLDEN = Path(__file__).parents[1] / "golden" / "catalog"

SMALL = {
    "acme.toml": b"""
dialect = "acme"
product = "Acme"
document = "Audit"
description = "What happens at Acme."
fold = true

[[types]]
native = "DoorOpened"
natives_seen = ["Unlocked"]
action = "door.open"
description = "A door was opened."
section = "Doors"
[types.fields]
door = { type = "string", description = "Which.", path = "acme.door", part = "facts" }
who = { type = "string", description = "Who.", path = "acme.who", part = "actor" }
host = { type = "string", description = "Whom.", path = "acme.host", part = "target" }
why = { type = "string", description = "Why.", path = "acme.why" }
""",
    "apex.toml": b"""
dialect = "apex"
product = "Apex"
document = "Log"
description = "What happens at Apex."

[[types]]
native = "open"
action = "door.open"
description = "A door was opened."
section = "Doors"
group = "doors"
groups_seen = ["door"]

[[types]]
native = "open"
action = "account.open"
description = "An account was opened."
section = "Accounts"
group = "accounts"
[types.fields]
tier = { type = "string", description = "Which.", path = "apex.tier", part = "facts" }
""",
    "bare.toml": b"""
dialect = "bare"
product = "Bare"
document = "Log"
description = "Nothing is documented."
types = []
""",
}


@pytest.fixture(scope="module")
def small():
    return shelf.load(SMALL)


@pytest.fixture(scope="module")
def shipped():
    return shelf.load()


def test_the_shipped_catalog_is_read_once():
    assert shelf.load() is shelf.load()


@pytest.mark.parametrize(
    ("dialect", "count"),
    [
        ("closer", 58),
        ("easysend", 9),
        ("chatvisor", 21),
        ("supsis", 6),
        ("logichub", 44),
        ("sealog", 16),
    ],
)
def test_every_documented_type_is_there(shipped, dialect, count):
    assert len(shipped.dialects[dialect].types) == count


def test_there_are_five_dialects_and_our_own_and_no_more(shipped):
    five = {"closer", "easysend", "chatvisor", "supsis", "logichub"}

    assert set(shipped.dialects) == five | {"sealog"}


def test_what_the_shipped_types_mean_is_pinned(shipped):
    """Names, aliases and facts are sealed with every event: a change here is meant or a mistake."""
    header, *rows = (GOLDEN / "types.tsv").read_text(encoding="utf-8").splitlines()

    assert header.split("\t")[:3] == ["dialect", "group", "native"]
    assert [_row(file, each) for file in shipped.dialects.values() for each in file.types] == rows


def _row(file, each):
    def paths(part):
        return ",".join(f.path for f in each.fields.values() if f.part == part) or "-"

    return "\t".join(
        [
            file.dialect,
            each.group or "-",
            each.native,
            each.action,
            each.kind,
            ",".join(each.category),
            ",".join(each.type),
            each.outcome,
            paths("facts"),
            paths("actor"),
            paths("target"),
        ]
    )


def test_every_alias_is_dotted_and_unique_in_its_dialect(shipped):
    """X-01: five ways of naming, one way of asking."""
    for file in shipped.dialects.values():
        aliases = [each.action for each in file.types]

        assert len(set(aliases)) == len(aliases)
        assert all(re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", alias) for alias in aliases)


def test_every_type_is_what_ecs_expects(shipped):
    for file in shipped.dialects.values():
        for each in file.types:
            assert each.category
            assert ecs.lint(each.kind, list(each.category), list(each.type), None) == []


def test_every_field_stands_where_its_dialect_may_put_it(shipped):
    paths = {
        (file.dialect, re.match(r"[a-z]+(\.data|\.details|\.agent|\.id)?", field.path)[0])
        for file in shipped.dialects.values()
        for each in file.types
        for field in each.fields.values()
    }

    assert paths == {
        ("chatvisor", "chatvisor.agent"),
        ("chatvisor", "chatvisor.data"),
        ("chatvisor", "session.id"),
        ("easysend", "labels"),
        ("logichub", "logichub.details"),
        ("sealog", "sealog"),
    }


def test_no_id_or_name_of_a_person_is_a_fact(shipped):
    facts = {
        name
        for file in shipped.dialects.values()
        for each in file.types
        for name, field in each.fields.items()
        if field.part == "facts"
    }

    assert facts == {
        # easysend
        "app_type",
        "deploy_timestamp",
        "is_co_browsing_on",
        "page_index",
        "role",
        "source_type",
        "step_index",
        "player_version",
        "authentication_method",
        "authentication_status",
        "auth_action",
        # chatvisor, besides `role` and `status`
        "operation",
        "agent",
        # logichub
        "status",
        "actorRole",
        "authenticationType",
        "needsPasswordReset",
        "resetRole",
        "oldRole",
        "newRole",
        "version",
        "modifiedType",
        "action",
        "batchStartTime",
        "batchEndTime",
        "noOfResults",
        "executionTime",
        "nodeCount",
        "size",
        "timeTaken",
        "countDone",
        "countToDo",
        "countTodo",
        "countProgress",
        "integrationCount",
        "connectionCount",
        # sealog: of a key its id, never its name
        "hour",
        "searches",
        "counts",
        "feeds",
        "tails",
        "single",
        "proofs",
        "exports",
        "events",
        "first",
        "last",
        "key_id",
        "scopes",
        "all_tenants",
        "compat",
        "records",
        "v",
        "ranges",
        "bits",
        "reason",
        "policy",
        # of a stream its id and kind, never its name or where it sends to
        "stream_id",
        "destination",
        "next",
        "from",
        "changed",
        "error",
    }


def test_a_type_is_found_by_its_name_as_printed(small):
    assert small.find("acme", "DoorOpened").action == "door.open"


@pytest.mark.parametrize("sent", ["DOOR_OPENED", "door opened", "Door-Opened event", "unlocked"])
def test_a_folding_dialect_knows_other_spellings(small, sent):
    assert small.find("acme", sent).native == "DoorOpened"


def test_a_dialect_that_does_not_fold_knows_only_the_name_as_printed(shipped):
    assert shipped.find("closer", "Agent_Login") is None


@pytest.mark.parametrize(
    ("dialect", "native"), [("acme", "door.open"), ("apex", "close"), ("ecs", "open"), ("", "")]
)
def test_what_is_not_catalogued_is_not_found(small, dialect, native):
    assert small.find(dialect, native) is None
    assert small.entry_paths(dialect, native) == ()


@pytest.mark.parametrize(
    ("group", "action"),
    [("doors", "door.open"), ("door", "door.open"), ("accounts", "account.open")],
)
def test_a_group_tells_two_types_of_one_name_apart(small, group, action):
    """LH-Q2: a group is known by the spellings that real records carry, too."""
    assert small.find("apex", "open", group).action == action


@pytest.mark.parametrize("group", [None, "", "windows"])
def test_a_name_in_two_groups_is_nobody_without_its_group(small, group):
    """To guess would give one type's facts to the other's records."""
    assert small.find("apex", "open", group) is None


@pytest.mark.parametrize("group", [None, "", "Script", "UserAccounts", "Surprise"])
def test_a_group_does_not_hide_a_name_that_stands_once(shipped, group):
    """LH-Q2: spellings of the category drift; the type's name does not."""
    assert shipped.find("logichub", "PythonScriptAdded", group).action == "script.creation"


def test_a_type_declares_its_facts_its_actor_and_its_target(small):
    assert small.entry_paths("acme", "DoorOpened") == (
        ("acme.door", FACTS),
        ("acme.who", ACTOR),
        ("acme.host", TARGET),
    )


def test_declarations_are_the_same_for_every_spelling(small):
    assert small.entry_paths("acme", "unlocked") == small.entry_paths("acme", "DoorOpened")


def test_declarations_are_those_of_the_group(small):
    assert small.entry_paths("apex", "open", "accounts") == (("apex.tier", FACTS),)
    assert small.entry_paths("apex", "open", "doors") == ()


def test_declarations_are_made_once(shipped):
    """They are asked for with every event."""
    first = shipped.entry_paths("logichub", "UserLoginSuccess")

    assert shipped.entry_paths("logichub", "UserLoginSuccess") is first


@pytest.mark.parametrize(
    ("name", "natives"),
    [
        ("agent_login", {("closer", "agent_login")}),
        ("agent.login", {("closer", "agent_login")}),
        ("chat-opened", {("supsis", "chat-opened")}),
        ("chat.open", {("supsis", "chat-opened")}),
        ("START_CALL", {("chatvisor", "START_CALL")}),
        ("UserLoginFailed", {("logichub", "UserLoginFailed")}),
        ("link sent event", {("easysend", "LinkSent")}),
        ("Completed Step", {("easysend", "StepCompleted")}),
        (
            "user.login.failed",
            {
                ("easysend", "CheckAuthResponseAuthenticationFailed"),
                ("logichub", "UserLoginFailed"),
            },
        ),
        ("user.logout", {("supsis", "logout"), ("logichub", "UserLogoutSuccess")}),
        (
            "widget_logo_*",
            {("closer", "widget_logo_creation"), ("closer", "widget_logo_deletion")},
        ),
        ("LOGGED_OUT", set()),
        ("", set()),
        (".*", set()),
        ("agent.logi[n]", set()),
    ],
)
def test_a_name_or_an_alias_finds_the_types_it_means(shipped, name, natives):
    """X-01"""
    assert shipped.natives_of(name) == natives


def test_one_wildcard_finds_every_login_of_every_product(shipped):
    """X-01"""
    assert shipped.natives_of("*.login*") == {
        ("closer", "agent_login"),
        ("closer", "agent_login_with_magic_link"),
        ("closer", "oauth_authorization"),
        ("easysend", "CheckAuthResponseMissingCredentials"),
        ("easysend", "CheckAuthResponseAuthenticationSucceed"),
        ("easysend", "CheckAuthResponseAuthenticationError"),
        ("easysend", "CheckAuthResponseAuthenticationFailed"),
        ("chatvisor", "LOGGED_IN"),
        ("supsis", "login"),
        ("logichub", "UserLoginSuccess"),
        ("logichub", "UserLoginFailed"),
    }


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("door.*", True),
        ("*open", True),
        ("*oor*pe*", True),
        ("d*o*o*r*.*o*p*e*n*", True),
        ("**", True),
        ("door.open*", True),
        ("*door.open", True),
        ("door.op*pen", False),
        ("*.close", False),
        ("oor*", False),
    ],
)
def test_a_star_stands_for_anything_and_nothing_twice(small, pattern, found):
    assert (("apex", "open") in small.natives_of(f"{pattern}")) is found


def test_many_stars_are_no_more_work_than_one(small):
    """Patterns come from outside; a backtracking matcher would not come back from this one."""
    assert small.natives_of("*o" * 5_000 + "x") == set()


def test_published_types_carry_all_that_a_reader_needs(small):
    assert msgspec.json.decode(msgspec.json.encode(small.published()))["acme"] == [
        {
            "native": "DoorOpened",
            "natives_seen": ["Unlocked"],
            "action": "door.open",
            "name": "",
            "description": "A door was opened.",
            "document": "Audit",
            "section": "Doors",
            "documented": True,
            "note": "",
            "kind": "event",
            "category": [],
            "type": [],
            "outcome": "unknown",
            "group": "",
            "groups_seen": [],
            "fields": [
                {
                    "name": name,
                    "type": "string",
                    "description": description,
                    "path": f"acme.{name}",
                    "part": part,
                    "optional": False,
                }
                for name, description, part in [
                    ("door", "Which.", "facts"),
                    ("who", "Who.", "actor"),
                    ("host", "Whom.", "target"),
                    ("why", "Why.", "rest"),
                ]
            ],
        }
    ]


def test_a_dialect_without_types_is_not_published(small):
    assert set(small.published()) == {"acme", "apex"}


def test_publishing_gives_every_shipped_type_in_the_order_of_its_document(shipped):
    published = shipped.published()

    assert {dialect: len(types) for dialect, types in published.items()} == {
        "chatvisor": 21,
        "closer": 58,
        "easysend": 9,
        "logichub": 44,
        "sealog": 16,
        "supsis": 6,
    }
    assert published["closer"][0]["native"] == "org_config_change"
    assert published["closer"][0]["document"] == "Elasticsearch security logs"
    assert published["closer"][57]["native"] == "org_topic_deletion"


def test_a_bad_file_stops_the_loading():
    with pytest.raises(Misconfigured, match=r"catalog file acme\.toml"):
        shelf.load({**SMALL, "acme.toml": SMALL["acme.toml"].replace(b"door.open", b"door")})
