import pytest
from msgspec import Raw
from tests.dialects.samples import plain, record_of

from sealog.catalog.shelf import load
from sealog.dialects import drafting
from sealog.dialects.addresses import Addresses
from sealog.dialects.dialect import Settings
from sealog.dialects.natives import Natives
from sealog.errors import Refused
from sealog.event import tokens
from sealog.event.findings import Finding
from sealog.event.record import Record
from sealog.event.tokens import Equal


def empty():
    return drafting.begin("supsis", record_of({}))


def found_in(draft):
    return [finding.code for finding in draft.findings]


def test_a_draft_begins_with_what_was_odd_about_the_record_and_is_never_clean():
    """X-08: the original is kept; the record's own list of findings stays as it is."""
    record = Record(0, b"{}", b"{}", {}, findings=[Finding("repaired")])

    draft = drafting.begin("supsis", record)
    draft.findings.append(Finding("no-time"))

    assert found_in(draft) == ["repaired", "no-time"]
    assert len(record.findings) == 1
    assert not draft.clean


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("success", "success"), ("SUCCESS", "success"), ("Succeed", "success"),
        ("succeeded", "success"), ("failure", "failure"), ("FAILURE", "failure"),
        ("FAILED", "failure"), ("Failed", "failure"), ("Error", "failure"),
        ("unknown", "unknown"), ("Delivered", None), ("", None), (None, None), ("s" * 99, None),
    ],
)  # fmt: skip
def test_the_words_for_outcomes_are_understood(word, outcome):
    """X-04."""
    assert drafting.outcome_of_word(word) == outcome


@pytest.mark.parametrize(
    ("token", "text"),
    [
        (b'"2021-05-05T09:27:12.529+0000"', "2021-05-05T09:27:12.529Z"),
        (b'"2021-05-05T09:27:12.529Z"', "2021-05-05T09:27:12.529Z"),
        (b'"20210505092712"', "2021-05-05T09:27:12.000Z"),
        (b'"1620206832529"', "2021-05-05T09:27:12.529Z"),
        (b"1620206832529", "2021-05-05T09:27:12.529Z"),
        (b'"05/05/2021 14:57:12 +05.5:30"', "2021-05-05T09:27:12.000Z"),
    ],
)
def test_the_five_ways_to_write_a_time_are_understood(token, text):
    """X-05."""
    draft = empty()

    drafting.set_time(draft, Raw(token), "/t", Settings())

    assert draft.at_text == text
    assert (draft.sent == {}) is (token == b'"2021-05-05T09:27:12.529Z"')


def test_a_time_with_an_escape_stands_as_sent_too():
    draft = empty()

    drafting.set_time(draft, Raw(rb'"2021-05-05T09:27:12.529\u005a"'), "/t", Settings())

    assert draft.at_text == "2021-05-05T09:27:12.529Z"
    assert bytes(draft.sent["@timestamp"]) == rb'"2021-05-05T09:27:12.529\u005a"'


@pytest.mark.parametrize(
    ("node", "code"),
    [(None, "no-time"), (Raw(b"null"), "no-time"), (Raw(b'" "'), "no-time"),
     (Raw(b'"soon"'), "bad-time"), (Raw(b"true"), "bad-time"), (Raw(b"[1]"), "bad-time"),
     (Raw(b"1e400"), "bad-time"), ({"at": Raw(b"1")}, "bad-time")],
)  # fmt: skip
def test_without_a_usable_time_there_is_none(node, code):
    draft = empty()

    drafting.set_time(draft, node, "/t", Settings())

    assert (draft.at_us, draft.at_text) == (None, "")
    assert found_in(draft) == [code]
    assert ("@timestamp" in draft.sent) is (node is not None)


@pytest.mark.parametrize("name", ["sealog.retention", "Sealog.x", "\tsealog."])
def test_sealogs_own_actions_are_refused_for_their_record(name):
    with pytest.raises(Refused) as refusal:
        drafting.set_action(
            empty(), Record(7, b"", b"", {}), tokens.raw(name), Natives("supsis", load())
        )

    assert (refusal.value.code, refusal.value.record) == ("reserved-action", 7)


@pytest.mark.parametrize(
    ("node", "name", "found"),
    [
        (b'"i-1"', "i-1", []),
        (rb'"\u0069-1"', "i-1", []),
        (b'"' + b"i" * 256 + b'"', "i" * 256, []),
        (b'"' + b"i" * 257 + b'"', None, ["bad-id"]),
        (b'"a@b"', None, ["bad-id"]),
        (b'"[masked]"', None, ["bad-id"]),
        (b"17", None, ["bad-id"]),
        (b'""', None, []),
        (b"null", None, []),
    ],
)
def test_an_id_is_a_short_string_without_an_at_sign(node, name, found):
    draft = empty()

    drafting.set_id(draft, Raw(node), "/id")

    assert draft.id == name
    assert found_in(draft) == found
    assert ("event.id" in draft.sent) is (node[1:2] != b"i" or name is None)


def test_nested_beats_dotted_for_the_organisation_too():
    draft = empty()
    fields = {
        "organization.id": Raw(b'"dotted"'),
        "organization": Raw(b'{"id":"nested","name":"Acme"}'),
    }

    drafting.set_tenant(draft, fields)

    assert fields == {}
    assert draft.tenant == "nested"
    assert plain(draft.tree) == {"organization": {"name": "Acme"}}
    assert plain(draft.sent) == {"organization.id": "dotted"}
    assert found_in(draft) == ["clash"]


def test_two_values_for_one_place_are_both_kept():
    draft = empty()

    drafting.keep_others(draft, {"data": Raw(b"2")}, {"data": Raw(b"1")})

    assert plain(draft.sent) == {"supsis.data": 2}
    assert found_in(draft) == ["clash"]


def test_an_address_goes_where_it_belongs_with_its_port():
    draft = empty()
    draft.tree["client"] = Raw(b'{"ip":"/[::1]:8080","domain":"a.example"}')

    drafting.mend_address(draft, Addresses(), "client", "/client/ip")

    assert plain(draft.tree) == {"client": {"domain": "a.example", "ip": "::1", "port": 8080}}
    assert plain(draft.sent) == {"client.ip": "/[::1]:8080"}


@pytest.mark.parametrize(
    ("sent", "tree", "kept", "found"),
    [
        ({"ecs": {"version": "8.11"}}, {}, {"ecs.version": "8.11"}, []),
        ({"ecs": {"version": "8.11", "x": 1}}, {"ecs": {"x": 1}}, {"ecs.version": "8.11"}, []),
        ({"ecs": 8}, {}, {"ecs": 8}, ["not-an-object"]),
        ({"event": {"original": "o", "ingested": "i", "code": 1}}, {"event": {"code": 1}},
         {"event.original": "o", "event.ingested": "i"}, []),
        ({"event": None}, {}, {"event": None}, []),
        ({"sealog": {"sent": 1}}, {}, {"sealog": {"sent": 1}}, ["reserved-field"]),
    ],
)  # fmt: skip
def test_what_sealing_stamps_is_taken_out_and_kept_as_sent(sent, tree, kept, found):
    """X-03: whichever version of ECS was sent, one is sealed."""
    draft = empty()
    draft.tree = {key: tokens.raw(value) for key, value in sent.items()}

    drafting.take_stamped(draft)

    assert plain(draft.tree) == tree
    assert plain(draft.sent) == kept
    assert found_in(draft) == found


def test_equal_keys_inside_an_array_stay_in_its_text():
    """They are named without values; there is nothing to keep."""
    record = Record(
        0, b"", b"", {}, equal=(Equal(("", "a"), ()), Equal(("b",), (Raw(b"1"), Raw(b"2"))))
    )
    draft = empty()

    drafting.keep_equal(draft, record, ".".join)

    assert plain(draft.sent) == {"b": [1, 2]}
