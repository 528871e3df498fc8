import pytest
from tests.rendering.made import one, parts, shown, without

HIT = {
    "_index": "closer",
    "_type": "entry",
    "_id": "s3",
    "_version": 1,
    "_score": 0,
    "_source": {
        "@timestamp": "2021-05-05T09:27:12.529+0000",
        "message": {
            "event.kind": ["event"],
            "event.category": ["configuration"],
            "event.type": ["change", "user"],
            "event.action": "agent_skills_change",
            "event.outcome": "success",
            "http.request.body.content": '{"skills":["skill"]}',
            "http.request.method": "PUT",
            "http.response.status_code": 204,
            "user.id": "u-1",
            "user.roles": ["ADMIN"],
            "source.ip": "/89.187.249.34",
            "url.full": "http://closer.example.com/api",
            "ecs.version": "1.9",
        },
    },
}


def documented(event):
    return shown(parts(event), "closer")["_source"]["message"]


def test_a_hit_comes_back_with_its_envelope():
    """CL-10, CL-11, CL-22: the hit with the dotted keys of its message."""
    assert shown(one("closer", HIT), "closer") == HIT


def test_a_bare_document_comes_back_bare():
    assert shown(one("closer", HIT["_source"]), "closer") == HIT["_source"]


def test_without_the_actor_a_hit_is_what_is_left():
    """CL-13, CL-14: a request of nobody who is known has neither id nor roles."""
    left = {
        key: value
        for key, value in HIT["_source"]["message"].items()
        if not key.startswith(("user.", "source."))
    }

    found = shown(without(one("closer", HIT), "actor"), "closer")

    assert found == HIT | {
        "_source": {
            "@timestamp": HIT["_source"]["@timestamp"],
            "message": left,
            "sealog": {"erased": ["actor"]},
        }
    }


def test_of_facts_alone_a_hit_is_made_again():
    """The envelope and what was sent for the classes went with the rest."""
    found = shown(without(one("closer", HIT), "actor", "rest"), "closer")

    assert found == {
        "_index": "closer",
        "_id": "s3",
        "_source": {
            "@timestamp": "2021-05-05T09:27:12.529+0000",
            "message": {
                "event.kind": ["event"],
                "event.category": ["configuration", "iam"],
                "event.type": ["change", "user"],
                "event.outcome": "success",
                "event.action": "agent_skills_change",
                "http.request.method": "PUT",
                "http.response.status_code": 204,
                "ecs.version": "1.9",
            },
            "sealog": {"erased": ["actor", "rest"]},
        },
    }


def test_what_nobody_documented_keeps_its_dotted_key():
    hit = HIT | {
        "_source": HIT["_source"]
        | {"message": HIT["_source"]["message"] | {"bot.name": "x", "empty": {}, "list": [{}]}}
    }

    found = shown(without(one("closer", hit), "actor"), "closer")["_source"]["message"]

    assert (found["bot.name"], found["empty"], found["list"]) == ("x", {}, [{}])


def test_an_event_of_another_product_has_the_documented_fields_it_has():
    """CL-12 to CL-21: each where Closer documents it."""
    event = {
        "@timestamp": "2026-01-31T12:00:00.123Z",
        "event": {
            "id": "e-1",
            "kind": "event",
            "category": ["web"],
            "type": ["access"],
            "outcome": "failure",
            "action": "page.view",
        },
        "http": {
            "request": {"method": "POST", "body": {"content": "a=1"}},
            "response": {"status_code": "404", "body": {"content": "no"}},
        },
        "user": {"id": "u-1", "name": "ada", "roles": "ADMIN"},
        "client": {"ip": "192.0.2.1"},
        "url": {"full": "https://example.org/"},
        "message": "left out",
    }

    assert shown(parts(event), "closer") == {
        "_index": "closer",
        "_id": "e-1",
        "_source": {
            "@timestamp": "2026-01-31T12:00:00.123+0000",
            "message": {
                "event.kind": ["event"],
                "event.category": ["web"],
                "event.type": ["access"],
                "event.action": "page.view",
                "event.outcome": "failure",
                "http.request.body.content": "a=1",
                "http.request.method": "POST",
                "http.response.body.content": "no",
                "http.response.status_code": 404,
                "user.id": "u-1",
                "user.roles": ["ADMIN"],
                "source.ip": "192.0.2.1",
                "url.full": "https://example.org/",
                "ecs.version": "1.9",
            },
        },
    }


def test_gaps_are_left_out():
    assert documented({"event": {"action": "x"}}) == {"event.action": "x", "ecs.version": "1.9"}


@pytest.mark.parametrize("name", ["category", "type", "kind"])
def test_a_class_that_1_9_does_not_know_is_a_gap(name):
    """CL-20, CL-21: it would not be the ECS that it says it is."""
    value = {"category": ["api"], "type": ["indicator"], "kind": "asset"}[name]

    found = documented({"event": {"action": "x", name: value}})

    assert f"event.{name}" not in found
