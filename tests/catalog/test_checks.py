"""A bad catalog file is refused in one sentence that names file, type and field."""

import pytest

from sealog.catalog import checks
from sealog.errors import Misconfigured

GOOD = """
dialect = "acme"
product = "Acme"
document = "Audit"
description = "What happens at Acme."

[fields]
status = { type = "string", description = "How it went.", path = "acme.status", part = "facts" }

[[types]]
native = "door_opened"
action = "door.open"
description = "A door was opened."
section = "Doors"
category = ["session"]
type = ["start"]
[types.fields]
who = { type = "string", description = "Who.", path = "acme.who", part = "actor" }
room = { type = "object", description = "Where.", path = "acme.room" }

[[types]]
native = "door_closed"
action = "door.close"
description = "A door was closed."
section = "Doors"
"""


def test_a_good_file_is_read_with_its_common_fields_in_every_type():
    file = checks.read("acme.toml", GOOD.encode())

    assert [list(each.fields) for each in file.types] == [["status", "who", "room"], ["status"]]


WHO = 'path = "acme.who", part = "actor"'


@pytest.mark.parametrize(
    ("was", "becomes", "sentence"),
    [
        pytest.param(
            'section = "Doors"\ncategory',
            'section = "Doors"\ncolour = "red"\ncategory',
            "catalog file acme.toml, type door_opened: Object contains unknown field `colour`",
            id="unknown key of a type",
        ),
        pytest.param(
            'path = "acme.who",',
            'path = "acme.who", colour = "red",',
            "catalog file acme.toml, type door_opened, field who: "
            "Object contains unknown field `colour`",
            id="unknown key of a field",
        ),
        pytest.param(
            'path = "acme.status",',
            "",
            "catalog file acme.toml, field status: Object missing required field `path`",
            id="missing key of a common field",
        ),
        pytest.param(
            'product = "Acme"',
            "",
            "catalog file acme.toml: Object missing required field `product`",
            id="missing key of the file",
        ),
        pytest.param(
            'native = "door_opened"\n',
            "",
            "catalog file acme.toml, type without a name: Object missing required field `native`",
            id="no native name",
        ),
        pytest.param(
            'part = "actor"',
            'part = "witness"',
            "catalog file acme.toml, type door_opened, field who: "
            "Invalid enum value 'witness' - at `$.part`",
            id="unknown part",
        ),
        pytest.param(
            'category = ["session"]',
            'category = ["doors"]',
            "catalog file acme.toml, type door_opened: doors is no event.category of ECS 8.11.0",
            id="unknown category",
        ),
        pytest.param(
            'type = ["start"]',
            'type = ["begin"]',
            "catalog file acme.toml, type door_opened: begin is no event.type of ECS 8.11.0",
            id="unknown type",
        ),
        pytest.param(
            'type = ["start"]',
            'type = ["start", "user"]',
            "catalog file acme.toml, type door_opened: "
            "event.type user is not expected beside category session",
            id="pair that ECS does not expect",
        ),
        pytest.param(
            'category = ["session"]',
            'category = ["session", "iam"]',
            "catalog file acme.toml, type door_opened: "
            "no event.type is expected beside category iam",
            id="category without a type of its own",
        ),
        pytest.param(
            'category = ["session"]\n',
            "",
            "catalog file acme.toml, type door_opened: event.type stands without a category",
            id="type without a category",
        ),
        pytest.param(
            "door_closed",
            "door_opened",
            "catalog file acme.toml, type door_opened: "
            "the name door_opened stands twice in its group",
            id="name twice",
        ),
        pytest.param(
            'native = "door_closed"',
            'native = "door_closed"\nnatives_seen = ["door_opened"]',
            "catalog file acme.toml, type door_closed: "
            "the name door_opened stands twice in its group",
            id="name twice, once as another spelling",
        ),
        pytest.param(
            'product = "Acme"',
            'product = "Acme"\nfold = true',
            None,
            id="folding alone is no fault",
        ),
        pytest.param(
            '"door.close"',
            '"door.open"',
            "catalog file acme.toml, type door_closed: "
            "the alias door.open is taken by another type",
            id="alias twice",
        ),
        pytest.param(
            '"door.open"',
            '"dooropen"',
            "catalog file acme.toml, type door_opened: "
            "the alias 'dooropen' is not lower case and dotted",
            id="alias without a dot",
        ),
        pytest.param(
            '"door.open"',
            '"Door.open"',
            "catalog file acme.toml, type door_opened: "
            "the alias 'Door.open' is not lower case and dotted",
            id="alias in upper case",
        ),
        pytest.param(
            '"door.open"',
            '"sealog.open"',
            "catalog file acme.toml, type door_opened: "
            "names that begin with sealog. are Sealog's own",
            id="reserved alias",
        ),
        pytest.param(
            '"door_opened"',
            '""',
            "catalog file acme.toml, type : the name is empty",
            id="empty name",
        ),
        pytest.param(
            '"A door was opened."',
            '""',
            "catalog file acme.toml, type door_opened: the description or the section is empty",
            id="empty description",
        ),
        pytest.param(
            '"Who."',
            '""',
            "catalog file acme.toml, type door_opened, field who: the description is empty",
            id="empty description of a field",
        ),
        pytest.param(
            'path = "acme.room"',
            'path = "acme.room", part = "facts"',
            "catalog file acme.toml, type door_opened, field room: "
            "facts cannot hold the type object",
            id="object as a fact",
        ),
        pytest.param(
            WHO,
            'path = "sealog.who"',
            "catalog file acme.toml, type door_opened, field who: "
            "the path sealog.who is under sealog, which only Sealog writes",
            id="path under sealog",
        ),
        pytest.param(
            WHO,
            'path = "event.original"',
            "catalog file acme.toml, type door_opened, field who: "
            "the path event.original is under event, which only Sealog writes",
            id="path under event",
        ),
        pytest.param(
            WHO,
            'path = "acme"',
            "catalog file acme.toml, type door_opened, field who: the path 'acme' is not dotted",
            id="path that is the whole object",
        ),
        pytest.param(
            WHO,
            'path = "acme..who"',
            "catalog file acme.toml, type door_opened, field who: "
            "the path 'acme..who' is not dotted",
            id="path with an empty step",
        ),
        pytest.param(
            WHO,
            'path = "user.name", part = "facts"',
            "catalog file acme.toml, type door_opened, field who: "
            "the path user.name stands in actor, not in facts",
            id="person as a fact",
        ),
        pytest.param(
            WHO,
            'path = "user.target.name", part = "actor"',
            "catalog file acme.toml, type door_opened, field who: "
            "the path user.target.name stands in target, not in actor",
            id="target as the actor",
        ),
        pytest.param(
            WHO,
            'path = "http.request.body.content", part = "facts"',
            "catalog file acme.toml, type door_opened, field who: "
            "the path http.request.body.content stands in rest, not in facts",
            id="free text as a fact",
        ),
        pytest.param(
            '"acme.who"',
            '"acme.room.who"',
            "catalog file acme.toml, type door_opened, field room: "
            "the path acme.room meets another field's, acme.room.who",
            id="path below another's",
        ),
        pytest.param(
            '"acme.who"',
            '"acme.status"',
            "catalog file acme.toml, type door_opened, field who: "
            "the path acme.status meets another field's, acme.status",
            id="path twice",
        ),
        pytest.param(
            'dialect = "acme"',
            'dialect = "apex"',
            "catalog file acme.toml: it says it is of the dialect apex",
            id="name of another dialect",
        ),
    ],
)
def test_a_fault_is_told_in_one_sentence_that_says_where(was, becomes, sentence):
    assert was in GOOD
    text = GOOD.replace(was, becomes, 1).encode()

    if sentence is None:
        checks.read("acme.toml", text)
        return
    with pytest.raises(Misconfigured) as caught:
        checks.read("acme.toml", text)

    assert str(caught.value) == sentence


def test_names_that_fold_into_one_stand_twice_where_the_dialect_folds():
    text = GOOD.replace("door_closed", "Door Opened").replace(
        'product = "Acme"', 'product = "Acme"\nfold = true'
    )

    with pytest.raises(Misconfigured, match="the name Door Opened stands twice"):
        checks.read("acme.toml", text.encode())


def test_one_name_may_stand_in_two_groups():
    text = GOOD.replace('native = "door_closed"', 'native = "door_opened"\ngroup = "yard"')

    file = checks.read("acme.toml", text.encode())

    assert [each.group for each in file.types] == ["", "yard"]


@pytest.mark.parametrize("text", [b"dialect = ", b"\xff", b'a = "\xc3"'])
def test_what_is_not_toml_is_refused(text):
    with pytest.raises(Misconfigured, match=r"catalog file acme\.toml: not TOML: "):
        checks.read("acme.toml", text)


def test_paths_that_ecs_routes_itself_may_be_declared_alike():
    text = GOOD.replace(WHO, 'path = "user.target.name", part = "target"')

    file = checks.read("acme.toml", text.encode())

    assert file.types[0].fields["who"].part == "target"
