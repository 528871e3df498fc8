import pytest
from tests.dialects.samples import at, codes, draft_of, plain, record_of, sent_of

from sealog.catalog.shelf import load
from sealog.dialects import trees
from sealog.dialects.closer import Closer, outcome_of_status, shape_of
from sealog.dialects.dialect import Settings
from sealog.errors import Refused
from sealog.event import tokens

MESSAGE = {
    "event.kind": ["event"],
    "event.category": ["configuration"],
    "event.type": ["change"],
    "event.action": "org_config_change",
    "event.outcome": "success",
    "http.request.body.content": "{}",
    "http.request.method": "PUT",
    "http.response.status_code": 204,
    "user.id": "u-1",
    "user.roles": ["ADMIN"],
    "source.ip": "/203.0.113.9",
    "url.full": "http://stage.example.com/api",
    "ecs.version": "1.9",
}
LISTED = {
    "CL-30": "org_config_change free_org_creation stripe_org_creation",
    "CL-31": "widget_logo_creation widget_logo_deletion widget_background_creation"
    " widget_background_deletion",
    "CL-32": "agent_profile_change agent_deactivation agent_restore agent_login"
    " agent_login_with_magic_link agent_logout agent_password_change"
    " agent_password_change_with_token agent_password_reset agent_skills_change"
    " agent_preferences_change agent_limit_change agent_role_change agent_invitation"
    " agent_invitation_acceptation agent_avatar_creation agent_avatar_deletion",
    "CL-33": "unavailability_reason_creation unavailability_reason_change"
    " unavailability_reason_deletion",
    "CL-34": "bot_type_change lekta_config_creation lekta_config_change"
    " event_action_config_creation event_action_config_change event_action_config_deletion",
    "CL-35": "ai_suggestions_config_change ai_suggestions_intent_creation"
    " ai_suggestions_intent_change ai_suggestions_intent_deletion"
    " ai_suggestions_dataset_creation ai_suggestions_dataset_change"
    " ai_suggestions_dataset_deletion",
    "CL-36": "widget_form_config_creation widget_form_config_change widget_form_config_deletion",
    "CL-37": "oauth_authorization oauth_config_creation oauth_config_change oauth_config_deletion",
    "CL-38": "proactive_messages_config_creation proactive_messages_config_change"
    " proactive_messages_config_deletion",
    "CL-39": "profanities_config_creation profanities_config_change",
    "CL-40": "tag_mapping_config_creation tag_mapping_config_change tag_mapping_config_deletion",
    "CL-41": "org_topic_creation org_topic_change org_topic_deletion",
}


def hit(message=None, *, without=(), **envelope):
    kept = {key: value for key, value in MESSAGE.items() if key not in without}
    return {
        "_index": "closer",
        "_type": "entry",
        "_id": "id-1",
        "_version": 1,
        "_score": 0,
        **envelope,
        "_source": {
            "@timestamp": "2021-05-05T09:27:12.529+0000",
            "message": kept | (message or {}),
        },
    }


def translated(message=None, **how):
    return draft_of("closer", hit(message, **how))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("user.id", "u-1", id="CL-13"),
        pytest.param("user.roles", ["ADMIN"], id="CL-14"),
        pytest.param("http.request.body.content", "{}", id="CL-15"),
        pytest.param("http.request.method", "PUT", id="CL-16"),
        pytest.param("http.response.status_code", 204, id="CL-18"),
        pytest.param("url.full", "http://stage.example.com/api", id="CL-19"),
        pytest.param("event.kind", "event", id="CL-20-kind"),
        pytest.param("event.category", ["configuration"], id="CL-20-category"),
        pytest.param("event.type", ["change"], id="CL-20-type"),
        pytest.param("event.outcome", "success", id="CL-20-outcome"),
        pytest.param("event.action", "org_config_change", id="CL-20-action"),
        pytest.param("source.ip", "203.0.113.9", id="CL-12"),
        pytest.param("sealog.actor.kind", "agent", id="X-02"),
        pytest.param("event.provider", "closer", id="provider"),
    ],
)
def test_what_stands_dotted_under_the_message_stands_where_ecs_has_it(path, value):
    """CL-11, CL-Q3, CL-Q4: the message's content is lifted to the root and made nested."""
    assert at(translated(), path) == value


def test_the_time_of_the_request_is_kept_in_utc_and_as_sent():
    """CL-10, CL-Q2, X-05: `+0000` is legal ISO 8601 and no RFC 3339."""
    draft = translated()

    assert draft.at_text == "2021-05-05T09:27:12.529Z"
    assert draft.at_us == 1_620_206_832_529_000
    assert sent_of(draft)["@timestamp"] == "2021-05-05T09:27:12.529+0000"


def test_the_version_of_the_schema_stands_as_sent():
    """CL-21, CL-Q7, X-03: Sealog seals its own version."""
    draft = translated()

    assert sent_of(draft)["ecs.version"] == "1.9"
    assert "ecs" not in draft.tree


def test_the_envelope_of_the_hit_is_kept_and_its_id_used():
    """CL-22, CL-Q8: `_type`, which newer servers do not have, is kept too."""
    draft = translated(sort=[7])

    assert draft.id == "id-1"
    assert at(draft, "closer.envelope") == {
        "_index": "closer",
        "_type": "entry",
        "_version": 1,
        "_score": 0,
        "sort": [7],
    }


@pytest.mark.parametrize(
    "names", [pytest.param(names.split(), id=listed) for listed, names in LISTED.items()]
)
def test_every_listed_action_is_known_by_its_name(names):
    """X-01: the native name stays, the alias is dotted and its own."""
    drafts = [translated({"event.action": name}) for name in names]

    assert [draft.action for draft in drafts] == names
    assert all(draft.known for draft in drafts)
    assert len({draft.alias for draft in drafts}) == len(names)


def test_there_are_58_listed_actions():
    assert sum(len(names.split()) for names in LISTED.values()) == 58


@pytest.mark.parametrize("name", ["lekta_config_deletion", "profanities_config_deletion"])
def test_what_the_list_lacks_is_kept_and_found_unknown(name):
    """CL-42: a gap of the product is not filled in silence."""
    draft = translated({"event.action": name})

    assert not draft.known
    assert draft.action == name
    assert draft.alias == "closer." + name.replace("_", ".")
    assert codes(draft) == ["unknown-type"]


@pytest.mark.parametrize(
    ("written", "ip", "port"),
    [
        ("203.0.113.9", "203.0.113.9", None),
        ("/89.187.249.34", "89.187.249.34", None),
        ("gateway.example.com/89.187.249.34", "89.187.249.34", None),
        ("/89.187.249.34:5678", "89.187.249.34", 5678),
        ("/[::1]", "::1", None),
        ("/[2001:db8::7]:443", "2001:db8::7", 443),
        ("/2001:db8:0:0:0:0:0:7", "2001:db8::7", None),
    ],
)
def test_an_address_as_java_writes_it_is_mended(written, ip, port):
    """CL-Q1: what `InetAddress.toString()` gives is no address to anyone else."""
    draft = translated({"source.ip": written})

    assert at(draft, "source.ip") == ip
    assert at(draft, "source.port") == port
    assert sent_of(draft).get("source.ip", written) == written
    assert ("source.ip" in draft.sent) is (written != ip)
    assert codes(draft) == []


@pytest.mark.parametrize("written", ["/1.2.3.400", "gateway", "/1.2.3.4:99999", ["/1.2.3.4"], 7])
def test_an_address_that_is_none_only_stands_as_sent(written):
    """CL-Q1: searches and charts see addresses or nothing."""
    draft = translated({"source.ip": written})

    assert "source" not in draft.tree
    assert sent_of(draft)["source.ip"] == written
    assert codes(draft) == ["bad-ip"]


def test_nested_beats_dotted_and_an_object_beats_a_scalar():
    """CL-Q4: the losers stand as sent, each with a finding."""
    draft = translated(
        {"http.request.body": "all of it", "user": {"id": "nested"}}, without=("user.roles",)
    )

    assert at(draft, "http.request.body") == {"content": "{}"}
    assert at(draft, "user") == {"id": "nested"}
    assert sent_of(draft)["http.request.body"] == "all of it"
    assert sent_of(draft)["user.id"] == "u-1"
    assert codes(draft) == ["clash", "clash"]
    assert all(each.pointer.startswith("/_source/message/") for each in draft.findings)


def test_bodies_where_the_prose_has_them_go_where_ecs_has_them():
    """CL-15, CL-17: `http.response.body` is told of and never shown."""
    draft = translated(
        {"http.request.body": "asked", "http.response.body": "answered"},
        without=("http.request.body.content",),
    )

    assert at(draft, "http.request.body.content") == "asked"
    assert at(draft, "http.response.body.content") == "answered"
    assert codes(draft) == []


def test_a_message_nested_in_part_is_the_same_event():
    """CL-Q4: dotted, nested, or both."""
    dotted = translated()
    nested = translated(
        {
            "event": {"kind": ["event"], "category": ["configuration"], "type": ["change"]},
            "user": {"id": "u-1", "roles": ["ADMIN"]},
            "http": {"request.method": "PUT"},
        },
        without=(
            "event.kind",
            "event.category",
            "event.type",
            "user.id",
            "user.roles",
            "http.request.method",
        ),
    )

    assert plain(nested.tree) == plain(dotted.tree)
    assert sent_of(nested) == sent_of(dotted)


@pytest.mark.parametrize("kind", ["event", ["event"], ["event", "state"], None, {}, 3])
def test_event_kind_becomes_one_value(kind):
    """CL-Q5: an array of one is accepted; anything else is a finding."""
    draft = translated({"event.kind": kind})

    assert at(draft, "event.kind") == (3 if kind == 3 else "event")
    assert ("kind-is-array" in codes(draft)) is (kind == ["event", "state"])
    assert sent_of(draft).get("event.kind", kind) == kind


def test_an_unexpected_pair_is_kept_with_the_catalogs_category_beside_it():
    """CL-Q6: linted, never refused; `iam`, which expects `user`, is added."""
    draft = translated({"event.action": "agent_skills_change", "event.type": ["change", "user"]})

    assert at(draft, "event.category") == ["configuration", "iam"]
    assert at(draft, "event.type") == ["change", "user"]
    assert sent_of(draft)["event.category"] == ["configuration"]
    assert codes(draft) == ["unexpected-pair"]


def test_a_plain_url_and_the_nil_user_are_nothing_odd():
    """CL-Q10."""
    nil = "00000000-0000-0000-0000-000000000000"

    draft = translated({"user.id": nil, "url.full": "http://spinner.stage.closer.app/api"})

    assert at(draft, "user.id") == nil
    assert codes(draft) == []


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({}, "agent"),
        ({"user.id": None}, "unauthenticated"),
        ({"user.id": ""}, "unauthenticated"),
        ({"event.action": "oauth_authorization"}, "customer"),
    ],
)
def test_who_acted_follows_from_the_users_id(message, kind):
    """CL-13, CL-37, X-02: the id is there only where the request was authenticated."""
    assert at(translated(message), "sealog.actor.kind") == kind


def test_without_a_user_the_actor_is_unauthenticated():
    draft = translated(without=("user.id", "user.roles"))

    assert at(draft, "sealog.actor.kind") == "unauthenticated"
    assert "user" not in draft.tree


@pytest.mark.parametrize(
    ("outcome", "status", "expected", "found"),
    [
        ("success", 204, "success", []),
        (None, 204, "success", []),
        (None, 302, "success", []),
        (None, 404, "failure", []),
        (None, "500", "failure", []),
        (None, 100, "unknown", []),
        (None, None, "unknown", []),
        ("Failed", 400, "failure", []),
        (["success"], 200, "success", []),
        ("Delivered", 200, "success", ["unknown-outcome"]),
        ("success", 500, "success", ["outcome-contradicts-status"]),
    ],
)
def test_the_outcome_is_what_was_sent_else_what_the_status_says(outcome, status, expected, found):
    """CL-20, X-04."""
    draft = translated({"event.outcome": outcome, "http.response.status_code": status})

    assert at(draft, "event.outcome") == expected
    assert at(draft, "http.response.status_code") == status
    assert codes(draft) == found


def test_a_bare_document_is_the_same_event_without_an_envelope():
    enveloped = translated()
    bare = draft_of("closer", hit()["_source"])

    assert plain(bare.tree) == {
        key: value for key, value in plain(enveloped.tree).items() if key != "closer"
    }
    assert bare.id is None


def test_the_sister_pages_envelope_is_understood():
    """Its `description` classifies, its `event` says who; both stay whole."""
    draft = draft_of(
        "closer",
        {
            "message": {
                "event": {"agentId": "a-1", "firstName": "Ada", "email": "ada@example.com"},
                "description": {"kind": "event", "action": "logout", "outcome": "success"},
                "timestamp": 1622530800000,
            }
        },
    )

    assert draft.action == "logout"
    assert draft.at_text == "2021-06-01T07:00:00.000Z"
    assert at(draft, "user") == {"id": "a-1", "email": "ada@example.com", "full_name": "Ada"}
    assert at(draft, "closer.event.agentId") == "a-1"
    assert at(draft, "sealog.actor.kind") == "agent"


@pytest.mark.parametrize("source", ["text", 7, None, ["a"]])
def test_a_document_that_is_no_object_is_kept_with_a_finding(source):
    draft = draft_of("closer", {"_id": "x", "_source": source})

    assert draft.id == "x"
    assert at(draft, "closer.envelope._source") == source
    assert codes(draft) == ["wrong-type", "no-time", "no-action"]


def test_a_message_that_is_text_stays_text():
    """CL-Q3: the other shape of the field, as ECS has it."""
    draft = draft_of("closer", {"message": "hello", "event": {"action": "agent_login"}})

    assert at(draft, "message") == "hello"
    assert draft.known


def test_what_only_sealog_may_say_stands_as_sent():
    draft = translated(
        {"sealog.actor.kind": "system", "event.ingested": "now", "event.id": "other"}
    )

    assert at(draft, "sealog") == {"actor": {"kind": "agent"}}
    assert sent_of(draft)["sealog"] == {"actor": {"kind": "system"}}
    assert sent_of(draft)["event.ingested"] == "now"
    assert sent_of(draft)["event.id"] == "other"
    assert draft.id == "id-1"
    assert codes(draft) == ["reserved-field"]


def test_an_action_of_sealogs_own_is_refused():
    with pytest.raises(Refused) as refusal:
        translated({"event.action": "sealog.erasure"})

    assert refusal.value.code == "reserved-action"
    assert refusal.value.record == 0


def test_the_organisation_named_in_the_message_is_the_tenant():
    draft = translated({"organization.id": "acme", "organization.name": "Acme"})

    assert draft.tenant == "acme"
    assert at(draft, "organization") == {"name": "Acme"}


def test_equal_keys_stand_as_sent_under_their_path_in_the_event():
    draft = draft_of(
        "closer",
        b'{"_id":"1","_id":"2","_source":{"message":{"user.id":"a","user.id":"b"}}}',
    )

    assert at(draft, "user.id") == "a"
    assert sent_of(draft)["user.id"] == ["a", "b"]
    assert sent_of(draft)["event.id"] == ["1", "2"]


@pytest.mark.parametrize(
    ("token", "outcome"),
    [(b"200", "success"), (b'"399"', "success"), (b"400", "failure"), (b"599", "failure"),
     (b"199", "unknown"), (b"600", "unknown"), (b"20", "unknown"), (b"2e2", "unknown")],
)  # fmt: skip
def test_a_status_code_tells_the_outcome_by_its_class(token, outcome):
    assert outcome_of_status(tokens.Raw(token)) == outcome


@pytest.mark.parametrize(
    "keys",
    [("a.b", "a"), ("a.b", "a.b.c"), ("a..b",), ("labels.a.b",), ("@timestamp",), ("closer.x",)],
)
def test_keys_that_meet_have_no_shape(keys):
    assert shape_of(keys) is None


def test_the_quick_way_gives_what_the_careful_way_gives():
    """The shape of a set of keys is nothing but a faster `trees.expand`."""
    closer = Closer(load())
    record = record_of(hit())

    quick = closer.translate(record, Settings())

    message = trees.opened(trees.opened(record.fields["_source"])["message"])
    careful = trees.expand(message).tree
    for path in ("user.roles", "url.full", "http.request.method", "http.request.body.content"):
        assert trees.get(quick.tree, path) == trees.get(careful, path)


def test_what_is_remembered_of_keys_is_bounded():
    """Keys come from outside, as many and as long as a record may have."""
    closer = Closer(load())

    for number in range(600):
        closer.translate(record_of({"message": {f"k{number}.x": 1}}), Settings())
    closer.translate(record_of({"message": {"long" * 2000: 1}}), Settings())
    many = closer.translate(
        record_of({"message": {f"user.k{number}": number for number in range(100)}}), Settings()
    )

    assert len(closer._shapes) <= 512
    assert max(sum(map(len, keys)) for keys in closer._shapes) <= 4096
    assert len(at(many, "user")) == 100
