from msgspec import Raw
from tests.rendering.made import parts

from sealog.event import tokens
from sealog.rendering import versions
from sealog.rendering.rendering import Renderer


def old(document):
    """A document in ECS 1.9."""
    tree = tokens.parse(tokens.encode({"sealog": {}, **document})).tree
    versions.to_1_9(tree)
    return tokens.plain(tokens.encode(tree))


def test_what_1_9_knows_stays_as_it_is():
    document = {
        "event": {"kind": "event", "category": ["iam"], "type": ["user", "change"]},
        "user": {"changes": {"email": "b"}, "target": {"id": "1"}, "roles": ["x"]},
        "user_agent": {"os": {"full": "x"}},
    }

    assert old(document) == {"sealog": {}, "ecs": {"version": "1.9.0"}, **document}


def test_a_category_that_came_later_stands_apart():
    """X-03: nothing is said that 1.9 has no word for, and nothing is lost."""
    found = old({"event": {"category": ["iam", "api"], "type": ["indicator"], "kind": "asset"}})

    assert found["event"] == {"category": ["iam"]}
    assert found["sealog"] == {
        "beyond_ecs_1_9": {"event": {"category": ["api"], "type": ["indicator"], "kind": "asset"}}
    }


def test_a_value_of_no_version_is_its_senders_own():
    assert old({"event": {"category": ["sales", "api"]}})["event"] == {"category": ["sales"]}


def test_a_field_that_came_later_stands_apart():
    found = old(
        {
            "service": {"name": "s", "environment": "prod"},
            "email": {"subject": "x"},
            "process": {"pid": 1, "parent": {"pid": 2, "tty": {"rows": 1}}},
            "user": {"risk": {"calculated_score": 3}},
            "event": {"agent_id_status": "verified", "category": ["email"]},
        }
    )

    assert found == {
        "ecs": {"version": "1.9.0"},
        "service": {"name": "s"},
        "process": {"pid": 1, "parent": {"pid": 2}},
        "event": {},
        "sealog": {
            "beyond_ecs_1_9": {
                "service": {"environment": "prod"},
                "email": {"subject": "x"},
                "process": {"parent": {"tty": {"rows": 1}}},
                "user": {"risk": {"calculated_score": 3}},
                "event": {"agent_id_status": "verified", "category": ["email"]},
            }
        },
    }


def test_a_field_of_no_version_is_its_senders_own():
    assert old({"invoice": {"email": {"to": "x"}}})["invoice"] == {"email": {"to": "x"}}


def test_what_is_no_object_is_left_alone():
    found = old({"service": 7, "event": "x", "ecs": [1]})

    assert found == {"sealog": {}, "service": 7, "event": "x", "ecs": {"version": "1.9.0"}}


def test_a_stored_event_keeps_its_tokens():
    event = parts(
        {"event": {"action": "x", "category": ["api"]}, "sealog": {"dialect": "ecs"}},
        None,
        None,
        b'{"amount":1.0,"data_stream":{"type":1e400}}',
    )

    line = Renderer("ecs", ecs_version="1.9").event(event, 5)

    assert b'"amount":1.0' in line
    assert tokens.plain(line) == {
        "event": {"action": "x"},
        "amount": 1.0,
        "ecs": {"version": "1.9.0"},
        "sealog": {
            "dialect": "ecs",
            "index": 5,
            "beyond_ecs_1_9": {"event": {"category": ["api"]}, "data_stream": {"type": "1e400"}},
        },
    }


def test_of_classes_those_that_1_9_knows_are_found():
    found = versions.classes(Raw(b'"event"'), Raw(b'["web","api"]'), None)

    assert found == {"kind": Raw(b'"event"'), "category": Raw(b'["web"]')}


def test_no_field_since_1_9_begins_another():
    fields = versions.FIELDS_SINCE

    assert not [a for a in fields for b in fields if a.startswith(b + ".")]
    assert len(fields) == 132
