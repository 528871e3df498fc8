"""The native dialect; its samples are in `tests/golden/dialects/ecs/`."""

import msgspec
import pytest
from msgspec import Raw
from tests.dialects.samples import GOLDEN

from sealog.dialects.dialect import Settings
from sealog.dialects.ecs import Ecs
from sealog.errors import Refused
from sealog.event import tokens
from sealog.event.findings import Finding
from sealog.event.record import Record

CASES = sorted(path.name.removesuffix(".in.json") for path in (GOLDEN / "ecs").glob("*.in.json"))
TIME = '"@timestamp":"2026-11-20T12:00:00.123Z"'


def record_of(text, **other):
    text = text.encode() if isinstance(text, str) else text
    return Record(0, text, text, msgspec.json.decode(text, type=dict[str, Raw]), **other)


def draft_of(text, **settings):
    return Ecs().translate(record_of(text), Settings(**settings))


def event(inner="", *, root="", time=TIME):
    """The draft of an event with a time and an action, and more in it or beside it."""
    inner = f'"action":"a"{"," if inner else ""}{inner}'
    return draft_of(
        f'{{{time}{"," if time else ""}"event":{{{inner}}}{"," if root else ""}{root}}}'
    )


def tree_of(draft):
    return tokens.encode(draft.tree).decode()


def sent_of(draft):
    return {path: tokens.encode(node).decode() for path, node in draft.sent.items()}


def codes(draft):
    return [(found.code, found.pointer) for found in draft.findings]


@pytest.mark.parametrize("case", CASES)
def test_a_document_means_what_we_agreed_it_means(case, golden):
    text = (GOLDEN / "ecs" / f"{case}.in.json").read_bytes().strip()
    parsed = tokens.parse(text)
    draft = Ecs().translate(
        Record(0, text, text, parsed.tree, equal=parsed.equal, strict=not parsed.equal), Settings()
    )

    shown = {
        "clean": draft.clean,
        "id": draft.id,
        "tenant": draft.tenant,
        "action": draft.action,
        "time": draft.at_text,
        "findings": draft.findings,
        "sent": draft.sent,
        "tree": draft.tree,
    }
    lines = [tokens.encode(key) + b": " + tokens.encode(value) for key, value in shown.items()]
    golden(f"dialects/ecs/{case}.ecs.json", b"{\n" + b",\n".join(lines) + b"\n}\n")


def test_a_clean_document_is_taken_verbatim():
    """X-08: nothing is left that the original would add."""
    draft = draft_of(
        b'{"@timestamp":"2026-11-20T12:00:00.123Z","ecs":{"version":"8.11.0"},'
        b'"organization":{"id":"acme","name":"Acme"},'
        b'"event":{"id":"e-1","kind":"event","category":["iam"],"type":["user","change"],'
        b'"action":"role.changed","outcome":"success"},'
        b'"user":{"id":"u","roles":["admin"]},"n":1.0,"big":12345678901234567890,"t":"\\u00e9"}'
    )

    assert (draft.action, draft.alias, draft.known) == ("role.changed", "role.changed", False)
    assert (draft.at_us, draft.at_text) == (1_795_176_000_123_000, "2026-11-20T12:00:00.123Z")
    assert (draft.id, draft.tenant, draft.clean) == ("e-1", "acme", True)
    assert (draft.findings, draft.sent, draft.declared) == ([], {}, ())
    assert tree_of(draft) == (
        '{"event":{"kind":"event","category":["iam"],"type":["user","change"],'
        '"action":"role.changed","outcome":"success"},'
        '"user":{"id":"u","roles":["admin"]},"n":1.0,"big":12345678901234567890,"t":"\\u00e9",'
        '"organization":{"name":"Acme"}}'
    )


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("2026-11-20T12:00:00Z", "2026-11-20T12:00:00.000Z"),
        ("2026-11-20T12:00:00.1234567Z", "2026-11-20T12:00:00.1234567Z"),
        ("2026-11-20T12:00:00.123456789+01:00", "2026-11-20T11:00:00.123456789Z"),
        ("2021-05-05T09:27:12.529+0000", "2021-05-05T09:27:12.529Z"),
    ],
)
def test_a_time_in_another_form_is_sealed_in_utc_with_its_digits(written, text):
    """X-05."""
    draft = event(time=f'"@timestamp":"{written}"')

    assert draft.at_text == text
    assert draft.findings == []
    assert draft.clean is (written == text)
    assert sent_of(draft) == ({} if written == text else {"@timestamp": f'"{written}"'})


def test_a_time_as_a_number_or_with_escapes_stands_as_sent_too():
    number = event(time='"@timestamp":1795176000123')
    escaped = event(time='"@timestamp":"2026-11-20T12:00:00.123\\u005a"')

    assert number.at_text == escaped.at_text == "2026-11-20T12:00:00.123Z"
    assert sent_of(number) == {"@timestamp": "1795176000123"}
    assert sent_of(escaped) == {"@timestamp": '"2026-11-20T12:00:00.123\\u005a"'}
    assert not number.clean
    assert not escaped.clean


def test_an_event_without_a_time_is_kept():
    draft = event(time="")

    assert (draft.at_us, draft.at_text, draft.clean) == (None, "", False)
    assert codes(draft) == [("no-time", "")]


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ('"soon"', "bad-time"),
        ('"2026-13-45T00:00:00Z"', "bad-time"),
        ("[1]", "bad-time"),
        ('{"a":1}', "bad-time"),
        ("true", "bad-time"),
        ("1e400", "bad-time"),
        ("null", "no-time"),
        ('""', "no-time"),
    ],
)
def test_a_time_that_nobody_can_read_stands_as_sent(written, code):
    draft = event(time=f'"@timestamp":{written}')

    assert (draft.at_us, draft.at_text, draft.clean) == (None, "", False)
    assert codes(draft) == [(code, "/@timestamp")]
    assert sent_of(draft) == {"@timestamp": written}


def test_a_time_without_a_zone_is_utc_with_a_finding():
    draft = event(time='"@timestamp":"2026-11-20T12:00:00.123"')

    assert draft.at_text == "2026-11-20T12:00:00.123Z"
    assert codes(draft) == [("no-zone", "/@timestamp")]


@pytest.mark.parametrize("version", ['"1.9"', '"1.9.0"', '"9.4.0"', "8.11", "null", '["8.11.0"]'])
def test_another_version_of_ecs_stands_as_sent_and_is_not_odd(version):
    """X-03: 1.9 in, one pinned ECS out."""
    draft = event(root=f'"ecs":{{"version":{version},"x":1}}')

    assert sent_of(draft) == {"ecs.version": version}
    assert (draft.findings, draft.clean) == ([], False)
    assert tree_of(draft) == '{"event":{"action":"a"},"ecs":{"x":1}}'


def test_the_pinned_version_is_clean_however_it_is_spaced():
    for written in ('"ecs":{"version":"8.11.0"}', '"ecs": { "version" : "8.11.0" }'):
        draft = event(root=written)

        assert draft.clean
        assert tree_of(draft) == '{"event":{"action":"a"}}'


@pytest.mark.parametrize("tenant", ["5", "null", '""', '["a"]', '{"a":1}', '"\\u0061cme"'])
def test_an_organization_id_that_cannot_be_sealed_as_it_is_stands_as_sent(tenant):
    draft = event(root=f'"organization":{{"id":{tenant}}}')

    assert draft.tenant == ("acme" if "cme" in tenant else None)
    assert sent_of(draft) == {"organization.id": tenant}
    assert not draft.clean


@pytest.mark.parametrize("name", ["x" * 256, "ä" * 128, "s3baO3kBZbVQk2pxTK-w"])
def test_an_id_of_up_to_256_bytes_is_the_events(name):
    draft = event(f'"id":"{name}"')

    assert (draft.id, draft.clean) == (name, True)
    assert tree_of(draft) == '{"event":{"action":"a"}}'


@pytest.mark.parametrize(
    "name", ["x" * 257, "ä" * 128 + "x", "bob@example.org", "bob\\u0040x", "[masked]", ""]
)
def test_an_id_that_may_not_stand_in_facts_is_not_used(name):
    draft = event(f'"id":"{name}"')

    assert (draft.id, draft.clean) == (None, False)
    assert codes(draft) == [("bad-id", "/event/id")]
    assert sent_of(draft) == {"event.id": f'"{name}"'}


@pytest.mark.parametrize("name", ["5", "null", '["a"]', '{"a":1}'])
def test_an_id_that_is_no_string_is_not_used(name):
    draft = event(f'"id":{name}')

    assert draft.id is None
    assert codes(draft) == [("bad-id", "/event/id")]
    assert sent_of(draft) == {"event.id": name}


@pytest.mark.parametrize(
    ("inner", "root", "path", "value"),
    [
        (
            '"ingested":"2020-01-01T00:00:00.000Z"',
            "",
            "event.ingested",
            '"2020-01-01T00:00:00.000Z"',
        ),
        ('"original":"raw"', "", "event.original", '"raw"'),
        ('"original":{"a":1}', "", "event.original", '{"a":1}'),
        ("", '"sealog":{"action":"x"}', "sealog", '{"action":"x"}'),
        ("", '"sealog":5', "sealog", "5"),
    ],
)
def test_what_only_sealog_sets_stands_as_sent_and_is_not_odd(inner, root, path, value):
    draft = event(inner, root=root)

    assert sent_of(draft) == {path: value}
    assert (draft.findings, draft.clean) == ([], False)
    assert tree_of(draft) == '{"event":{"action":"a"}}'


@pytest.mark.parametrize(
    "action", ["", '"action":""', '"action":"  "', '"action":null', '"action":["a"]', '"action":5']
)
def test_an_event_without_an_action_is_kept_under_unknown(action):
    draft = draft_of(f'{{{TIME},"event":{{{action}}}}}')

    assert (draft.action, draft.alias, draft.clean) == ("unknown", "unknown", False)
    assert [found.code for found in draft.findings] == ["no-action"]
    assert tree_of(draft) == '{"event":{"action":"unknown"}}'
    assert sent_of(draft) == ({"event.action": action.partition(":")[2]} if action else {})


@pytest.mark.parametrize(
    "action", ["sealog.read.event", "sealog.", "Sealog.X", "\\u0073ealog.key", " sealog.key"]
)
def test_an_action_of_sealogs_own_is_refused(action):
    with pytest.raises(Refused) as refused:
        draft_of(f'{{"event":{{"action":"{action}"}}}}')

    assert refused.value.code == "reserved-action"
    assert refused.value.pointer == "/event/action"


def test_an_action_that_only_sounds_like_sealogs_is_anyones():
    assert draft_of(b'{"event":{"action":"sealogs.own"}}').action == "sealogs.own"


@pytest.mark.parametrize("key", ["event", "ecs", "organization"])
@pytest.mark.parametrize("value", ['"bob"', "5", "null", '[{"id":"x"}]'])
def test_a_scalar_where_sealog_sets_children_stands_as_sent(key, value):
    draft = draft_of(f'{{{TIME},"{key}":{value}}}')

    assert ("not-an-object", f"/{key}") in codes(draft)
    assert sent_of(draft) == {key: value}
    assert tree_of(draft) == '{"event":{"action":"unknown"}}'


def test_a_scalar_anywhere_else_stays_where_it_is():
    draft = event('"duration":{"ms":5}', root='"user":"bob","http":5,"source":[1,"a",null],"x":{}')

    assert draft.clean
    assert tree_of(draft) == (
        '{"event":{"action":"a","duration":{"ms":5}},"user":"bob","http":5,"source":[1,"a",null],"x":{}}'
    )


def test_dotted_keys_are_nested_and_what_lost_stands_as_sent():
    draft = draft_of(
        b'{"@timestamp":"2026-11-20T12:00:00.123Z","event.action":"a","event.id":"i","user":"bob",'
        b'"user.name":"n","ecs.version":"1.9","organization.id":"acme","labels":{"a.b":"c"}}'
    )

    assert (draft.action, draft.id, draft.tenant, draft.clean) == ("a", "i", "acme", False)
    assert codes(draft) == [("clash", "/user.name")]
    assert sent_of(draft) == {"user": '"bob"', "ecs.version": '"1.9"'}
    assert tree_of(draft) == '{"user":{"name":"n"},"labels":{"a.b":"c"},"event":{"action":"a"}}'


def test_a_finding_points_at_the_key_that_was_sent():
    dotted = draft_of(b'{"@timestamp":"x","event.action":"a","event.id":5,"event.kind":["event"]}')

    assert codes(dotted) == [
        ("bad-time", "/@timestamp"),
        ("bad-id", "/event.id"),
        ("kind-is-array", "/event.kind"),
    ]


@pytest.mark.parametrize(
    "deep", ['"labels":{"a.b":1}', '"x":{"y":[{"a.b":1}]}', '"x":{"a\\u002eb":1}']
)
def test_a_document_with_a_dotted_key_anywhere_is_not_clean(deep):
    draft = event(root=deep)

    assert (draft.findings, draft.sent, draft.clean) == ([], {}, False)


def test_every_value_of_equal_keys_stands_as_sent():
    text = b'{"@timestamp":"2026-11-20T12:00:00.123Z","event":{"action":"a"},"x":{"y":1,"y":2}}'
    parsed = tokens.parse(text)

    draft = Ecs().translate(
        Record(0, text, text, parsed.tree, equal=parsed.equal, strict=False), Settings()
    )

    assert tree_of(draft) == '{"event":{"action":"a"},"x":{"y":1}}'
    assert sent_of(draft) == {"x.y": "[1,2]"}
    assert not draft.clean


def test_a_record_that_was_mended_or_masked_is_not_clean_and_keeps_what_was_found():
    text = f'{{{TIME},"event":{{"action":"a"}}}}'
    mended = Ecs().translate(record_of(text, strict=False), Settings())
    found = Finding("mended", "/x", "a comma was missing")
    odd = Ecs().translate(record_of(text, findings=[found]), Settings())

    assert (mended.clean, mended.findings) == (False, [])
    assert (odd.clean, odd.findings) == (False, [found])


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ('"kind":["event"]', ("kind-is-array", "/event/kind")),
        ('"category":"iam"', ("category-is-scalar", "/event/category")),
        ('"type":"authentication_success"', ("type-is-scalar", "/event/type")),
        ('"outcome":"Success"', ("unknown-outcome", "/event/outcome")),
        (
            '"category":["configuration"],"type":["change","user"]',
            ("unexpected-pair", "/event/type"),
        ),
    ],
)
def test_what_ecs_does_not_expect_is_kept_with_a_finding(inner, expected):
    """CL-Q5, CL-Q6."""
    draft = event(inner)

    assert expected in codes(draft)
    assert not draft.clean
    assert tree_of(draft) == f'{{"event":{{"action":"a",{inner}}}}}'


def test_what_was_read_once_is_read_the_same_again():
    """Readings are remembered, up to a bound, never with one sender's record in another's."""
    dialect = Ecs()
    first = dialect.translate(record_of('{"event":{"action":"a","kind":["event"]}}'), Settings())
    for nth in range(5_000):
        dialect.translate(record_of(f'{{"event":{{"action":"a{nth}"}}}}'), Settings())
    again = dialect.translate(record_of('{"event":{"action":"a","kind":["event"]}}'), Settings())

    assert codes(first) == codes(again)
    assert first.findings is not again.findings
    assert len(dialect._readings) <= 4_096


def test_a_record_is_left_as_it_was():
    text = (
        b'{"event":{"action":"a","id":"i"},"ecs":{"version":"1","x":1},"organization":{"id":"o"}}'
    )
    record = Record(0, text, text, tokens.parse(text).tree)

    draft = Ecs().translate(record, Settings())
    draft.tree["event"]["ingested"] = Raw(b"1")
    draft.findings.append(Finding("x"))

    assert tokens.encode(record.fields) == text
    assert record.findings == []


def test_of_a_hit_the_source_is_the_event_and_the_envelope_stays_beside_it():
    draft = draft_of(
        f'{{"_index":"audit","_id":"h1","_score":null,"sort":[1],"_source":{{{TIME},'
        '"event":{"action":"doc.open","id":"e1","kind":["event"]},"organization":{"id":"acme"},'
        '"user.name":"Ada"}}'
    )

    assert (draft.action, draft.id, draft.tenant, draft.clean) == ("doc.open", "e1", "acme", False)
    assert draft.at_text == "2026-11-20T12:00:00.123Z"
    assert [pointer for _, pointer in codes(draft)] == ["/_source/event/kind"]
    assert tree_of(draft) == (
        '{"event":{"action":"doc.open","kind":["event"]},'
        '"_index":"audit","_id":"h1","_score":null,"sort":[1],"user":{"name":"Ada"}}'
    )


def test_of_a_hit_without_anything_odd_the_original_is_kept_too():
    draft = draft_of(f'{{"_id":"h1","_source":{{{TIME},"event":{{"action":"a"}}}}}}')

    assert (draft.action, draft.findings, draft.sent, draft.clean) == ("a", [], {}, False)


def test_where_the_envelope_and_its_source_say_the_same_key_the_source_counts():
    draft = draft_of(f'{{"_id":"h1","_source":{{{TIME},"event":{{"action":"a"}},"_id":"mine"}}}}')

    assert tree_of(draft) == '{"event":{"action":"a"},"_id":"mine"}'
    assert sent_of(draft) == {"_id": '"h1"'}
    assert codes(draft) == [("clash", "/_id")]


@pytest.mark.parametrize("source", ["5", "null", "[]"])
def test_a_hit_whose_source_is_no_object_stands_as_sent(source):
    draft = draft_of(f'{{"_id":"h1","_source":{source}}}')

    assert draft.action == "unknown"
    assert tree_of(draft) == f'{{"_id":"h1","_source":{source},"event":{{"action":"unknown"}}}}'


def test_what_has_a_source_among_fields_of_its_own_is_no_hit():
    draft = event(root='"_source":{"event":{"action":"b"}}')

    assert (draft.action, draft.clean) == ("a", True)
