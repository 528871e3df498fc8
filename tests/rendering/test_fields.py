import pytest

from sealog.query.fields import FIELDS
from sealog.rendering import fields
from sealog.rendering.rendering import DIALECTS


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_field_of_a_shape_is_one_that_a_search_knows(dialect):
    assert set(fields.paths_of(dialect).values()) <= FIELDS.keys()


def test_closers_fields_are_named_as_they_stand_in_its_documents():
    assert dict(fields.paths_of("closer")) == {
        "_id": "id",
        "message.event.action": "action",
        "message.event.category": "category",
        "message.event.type": "type",
        "message.event.outcome": "outcome",
        "message.user.id": "actor.id",
        "message.source.ip": "ip",
        "message.http.response.status_code": "status",
    }


def test_fields_of_ecs_are_those_of_the_schema():
    found = fields.paths_of("ecs")

    assert found["event.action"] == "action"
    assert found["user.email"] == "actor.email"
    assert found["sealog.dialect"] == "dialect"
    assert "by" not in found


def test_every_shape_says_when_it_happened():
    assert fields.TIMES == {
        "ecs": "@timestamp",
        "closer": "@timestamp",
        "easysend": "@timestamp",
        "chatvisor": "timestamp",
        "supsis": "dateTime",
        "logichub": "time",
    }


def test_what_is_no_dialect_has_no_fields():
    with pytest.raises(KeyError):
        fields.paths_of("syslog")
