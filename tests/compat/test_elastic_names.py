import pytest

from sealog.compat.elastic_errors import Rejected
from sealog.compat.elastic_names import INDICES, Choosing, capabilities, each, mappings, named
from sealog.dialects import registry
from sealog.query.fields import FIELDS


def test_there_is_an_index_for_each_dialect_and_one_for_all():
    assert {index.dialect or "ecs" for index in INDICES.values()} == set(registry.NAMES)


@pytest.mark.parametrize("name", INDICES)
def test_every_field_that_can_be_searched_is_one_of_the_search(name):
    asked = {field.asked for field in INDICES[name].fields.values()} - {None, "@timestamp"}

    assert asked <= set(FIELDS)


def test_closer_has_its_documented_fields():
    """CL-10 to CL-21: under `message`, dotted."""
    assert set(INDICES["closer"].fields) == {
        "@timestamp",
        "message.source.ip",
        "message.user.id",
        "message.user.roles",
        "message.http.request.body.content",
        "message.http.request.method",
        "message.http.response.body.content",
        "message.http.response.status_code",
        "message.url.full",
        "message.event.kind",
        "message.event.category",
        "message.event.type",
        "message.event.outcome",
        "message.event.action",
        "message.ecs.version",
    }


def test_easysend_has_all_its_labels():
    """ES-46: 26 of them."""
    labels = [name for name in INDICES["easysend"].fields if name.startswith("label.")]

    assert len(labels) == 26


@pytest.mark.parametrize("expression", [None, "", "_all", "*"])
def test_nothing_named_is_the_index_of_all(expression):
    assert [index.name for index in named(expression)] == ["sealog"]


def test_several_are_named_with_commas_and_stars():
    assert [index.name for index in named("closer,easy*")] == ["closer", "easysend"]


def test_an_index_that_is_not_there_is_named():
    with pytest.raises(Rejected, match="no such index \\[nowhere\\]") as raised:
        named("closer,nowhere")

    assert raised.value.status == 404
    assert named("nowhere", Choosing(ignore_missing=True)) == []
    assert named("nowhere*") == []


def test_the_index_of_all_stands_alone():
    """Its events would come twice."""
    with pytest.raises(Rejected, match="holds the events of all the others"):
        named("sealog,closer")


def test_a_text_may_be_asked_for_as_its_keyword():
    """Customers' own mappings made one for every text."""
    closer = INDICES["closer"]

    assert closer.field("message.event.action.keyword") == closer.field("message.event.action")
    assert closer.field("message.nothing.keyword") is None


def test_a_mapping_nests_its_fields():
    properties = mappings(INDICES["supsis"])["properties"]

    assert properties == {
        "dateTime": {"type": "date"},
        "user": {"type": "keyword"},
        "ip": {"type": "ip"},
        "activity": {"type": "keyword"},
    }
    nested = mappings(INDICES["closer"])["properties"]["message"]["properties"]
    assert nested["url"]["properties"]["full"] == {"type": "keyword", "index": False}


def test_capabilities_say_what_can_be_searched():
    fields = capabilities([INDICES["closer"]], ["message.u*"])

    assert set(fields) == {"message.user.id", "message.user.roles", "message.url.full"}
    assert fields["message.user.id"]["keyword"]["searchable"] is True
    assert fields["message.url.full"]["keyword"]["searchable"] is False


def test_each_index_is_named_by_itself_or_by_a_pattern():
    assert [index.name for index in each("closer")] == ["closer"]
    assert len(each("*")) == len(each("_all")) == len(INDICES)
    assert each("no*") == []
    with pytest.raises(Rejected, match="nowhere"):
        each("closer,nowhere")


@pytest.mark.parametrize("expression", ["no*", "*"])
def test_none_may_be_too_few(expression):
    with pytest.raises(Rejected, match="no such index"):
        named(expression, Choosing(may_be_none=False, expands=False))
    assert named(expression, Choosing(expands=False)) == []


def test_closers_fields_are_searched_by_the_names_in_its_documents():
    """CL-10 to CL-20."""
    asked = {name: one.asked for name, one in INDICES["closer"].fields.items() if one.asked}

    assert asked == {
        "@timestamp": "@timestamp",
        "message.event.action": "action",
        "message.event.category": "category",
        "message.event.type": "type",
        "message.event.outcome": "outcome",
        "message.user.id": "actor.id",
        "message.source.ip": "ip",
        "message.http.response.status_code": "status",
    }


def test_fields_of_ecs_are_those_of_the_schema():
    fields = INDICES["sealog"].fields

    assert fields["event.action"].asked == "action"
    assert fields["user.email"].asked == "actor.email"
    assert fields["sealog.dialect"].asked == "dialect"
    assert "by" not in fields


def test_every_index_says_when_it_happened():
    times = {
        name: next(path for path, one in index.fields.items() if one.asked == "@timestamp")
        for name, index in INDICES.items()
    }

    assert times == {
        "sealog": "@timestamp",
        "closer": "@timestamp",
        "easysend": "@timestamp",
        "chatvisor": "timestamp",
        "supsis": "dateTime",
        "logichub": "time",
    }
