from pathlib import Path

import msgspec
import pytest
from msgspec import Raw

from sealog.errors import Refused
from sealog.event import parts, tokens
from sealog.event.parts import ACTOR, FACTS, REST, TARGET

VECTORS = msgspec.json.decode(
    (Path(__file__).parents[1] / "golden" / "entry" / "parts-vectors.json").read_bytes()
)
CASES = VECTORS["cases"]
ROOT = parts.places()


def tree_of(text):
    return tokens.parse(text if isinstance(text, bytes) else msgspec.json.encode(text)).tree


def cut(text, root=ROOT, *, action_known=False):
    """The parts of an event by name, each as its text."""
    made = parts.split(tree_of(text), root, action_known=action_known)
    return {parts.PART_NAMES[number]: part.decode() for number, part in made}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_an_event_is_committed_to_as_the_vectors_say(case):
    digests = []
    for part in case["parts"]:
        digest = bytes.fromhex(part["digest"])
        if "part" in part:
            salt = bytes.fromhex(part["salt"])
            assert parts.digest(part["number"], salt, part["part"].encode()) == digest
        digests.append((part["number"], digest))

    committed = parts.commitment(digests)

    kind = parts.STATEMENT_ENTRY if case["name"] == "statement" else parts.EVENT_ENTRY
    assert committed.hex() == case["commitment"]
    assert parts.entry(kind, committed).hex() == case["entry"]
    assert len(parts.entry(kind, committed)) == parts.ENTRY_BYTES


@pytest.mark.parametrize("name", ["facts only", "facts, actor, rest; no target", "all four"])
def test_splitting_an_event_of_the_vectors_gives_its_parts_to_the_byte(name):
    (case,) = [case for case in CASES if case["name"] == name]
    whole = parts.joined([part["part"].encode() for part in case["parts"]])

    cut = parts.split(whole, ROOT)

    assert cut == [(part["number"], part["part"].encode()) for part in case["parts"]]


def test_the_list_of_facts_is_closed():
    """Sealed for ever: what is added here is never personal, and nothing is ever taken away."""
    assert sorted(parts.FACT_PATHS) == [
        "@timestamp",
        "ecs.version",
        "event.action",
        "event.category",
        "event.code",
        "event.created",
        "event.dataset",
        "event.duration",
        "event.end",
        "event.id",
        "event.ingested",
        "event.kind",
        "event.module",
        "event.outcome",
        "event.provider",
        "event.sequence",
        "event.severity",
        "event.start",
        "event.timezone",
        "event.type",
        "http.request.method",
        "http.response.status_code",
        "organization.id",
        "sealog.action",
        "sealog.dialect",
        "service.environment",
        "service.name",
        "service.type",
        "service.version",
    ]


def test_the_statements_are_five():
    assert sorted(parts.STATEMENT_ACTIONS) == [
        "sealog.erasure",
        "sealog.hold",
        "sealog.key",
        "sealog.release",
        "sealog.retention",
    ]


def test_what_happened_who_did_it_to_whom_and_everything_else_part():
    got = cut(
        b'{"@timestamp":"2026-11-20T12:00:00.000Z","event":{"action":"a","reason":"asked"},'
        b'"service":{"name":"billing","node":{"name":"n1"}},'
        b'"http":{"version":"1.1","request":{"method":"PUT","id":"r"},'
        b'"response":{"status_code":204}},'
        b'"user":{"id":"u","effective":{"id":"e"},"target":{"id":"t"},"changes":{"name":"n"}},'
        b'"source":{"ip":"10.0.0.1"},"labels":{"a.b":"c"},"message":"done"}'
    )

    assert got == {
        "facts": '{"@timestamp":"2026-11-20T12:00:00.000Z","event":{"action":"a"},'
        '"service":{"name":"billing"},'
        '"http":{"request":{"method":"PUT"},"response":{"status_code":204}}}',
        "actor": '{"user":{"id":"u","effective":{"id":"e"}},"source":{"ip":"10.0.0.1"}}',
        "target": '{"user":{"target":{"id":"t"},"changes":{"name":"n"}}}',
        "rest": '{"event":{"reason":"asked"},"service":{"node":{"name":"n1"}},'
        '"http":{"version":"1.1","request":{"id":"r"}},"labels":{"a.b":"c"},"message":"done"}',
    }


def test_every_value_stays_the_token_it_was():
    got = cut(
        b'{"event":{"action":"a","code":1.0,"sequence":12345678901234567890123,'
        b'"severity":1E2,"duration":1e400},"user":{"name":"caf\\u00e9"},"n":-0.10}'
    )

    assert got["facts"] == (
        '{"event":{"action":"a","code":1.0,"sequence":12345678901234567890123,'
        '"severity":1E2,"duration":1e400}}'
    )
    assert got["actor"] == '{"user":{"name":"caf\\u00e9"}}'
    assert got["rest"] == '{"n":-0.10}'


@pytest.mark.parametrize(
    "value",
    [
        '"' + "x" * 256 + '"',
        '"' + "ä" * 128 + '"',
        '"' + "\\u00e4" * 128 + '"',
        '["a","b"]',
        "[]",
        '["a,[b]"]',
        "[1,null,true]",
        "null",
        "123456789012345678901234567890",
        "1" * 400,
        '"a\\"b"',
        '"{}"',
        '["' + '","'.join(["x" * 100] * 9) + '"]',
    ],
)
def test_what_may_be_a_fact(value):
    got = cut(f'{{"event":{{"action":"a","code":{value}}}}}'.encode())

    assert got == {"facts": f'{{"event":{{"action":"a","code":{value}}}}}'}


@pytest.mark.parametrize(
    "value",
    [
        '"' + "x" * 257 + '"',
        '"' + "ä" * 128 + 'x"',
        '"' + "\\u00e4" * 128 + 'x"',
        '"bob@example.org"',
        '"bob\\u0040example.org"',
        '["a","bob@example.org"]',
        '["' + "x" * 257 + '"]',
        '[["a"]]',
        "[1,[2]]",
        '[{"a":1}]',
        '[ "a" , [ ] ]',
        "{}",
        '{"a":1}',
    ],
)
def test_what_may_be_no_fact_goes_to_rest(value):
    got = cut(f'{{"event":{{"action":"a","code":{value}}}}}'.encode())

    assert got == {
        "facts": '{"event":{"action":"a"}}',
        "rest": f'{{"event":{{"code":{value}}}}}',
    }


def test_a_catalogued_action_is_a_fact_whatever_it_looks_like():
    odd = b'{"event":{"action":"mail@home","id":"i"}}'

    assert cut(odd) == {"facts": '{"event":{"id":"i"}}', "rest": '{"event":{"action":"mail@home"}}'}
    assert cut(odd, action_known=True) == {"facts": '{"event":{"action":"mail@home","id":"i"}}'}


@pytest.mark.parametrize("name", ["id", "action", "ingested"])
def test_what_every_event_has_is_there_even_where_it_is_no_fact(name):
    got = cut(
        f'{{"@timestamp":"t","event":{{"{name}":"x@y"}},"organization":{{"id":"a@b"}}}}'.encode()
    )

    assert got == {
        "facts": '{"@timestamp":"t"}',
        "rest": f'{{"event":{{"{name}":"x@y"}},"organization":{{"id":"a@b"}}}}',
    }


def test_an_object_in_the_place_of_a_scalar_and_the_reverse_survive():
    got = cut(
        b'{"event":"e","service":[1],"http":{"request":5,"response":{"status_code":{"a":1}}},"user":"bob"}'
    )

    assert got == {
        "actor": '{"user":"bob"}',
        "rest": '{"event":"e","service":[1],"http":{"request":5,"response":{"status_code":{"a":1}}}}',
    }


def test_an_empty_object_stands_once():
    got = cut(
        b'{"event":{"action":"a","code":{}},"service":{},"user":{},"http":{"request":{}},"x":{}}'
    )

    assert got == {
        "facts": '{"event":{"action":"a"}}',
        "actor": '{"user":{}}',
        "rest": '{"event":{"code":{}},"service":{},"http":{"request":{}},"x":{}}',
    }


def test_arrays_are_never_split():
    got = cut(b'{"user":[{"id":"u","target":{"id":"t"}}],"http":[{"request":{"method":"GET"}}]}')

    assert got == {
        "actor": '{"user":[{"id":"u","target":{"id":"t"}}]}',
        "rest": '{"http":[{"request":{"method":"GET"}}]}',
    }


def test_a_catalog_entry_declares_its_own_paths_at_any_depth():
    declared = parts.places(
        {
            "logichub.details.actorRole": parts.FACTS,
            "logichub.details.editedUsername": parts.TARGET,
            "logichub.actor": parts.ACTOR,
        }
    )

    got = cut(
        b'{"event":{"action":"a"},"logichub":{"actor":"vivian","category":"UserAccounts",'
        b'"details":{"actorRole":"ADMIN","editedUsername":"bob","message":"m"}}}',
        declared,
    )

    assert got == {
        "facts": '{"event":{"action":"a"},"logichub":{"details":{"actorRole":"ADMIN"}}}',
        "actor": '{"logichub":{"actor":"vivian"}}',
        "target": '{"logichub":{"details":{"editedUsername":"bob"}}}',
        "rest": '{"logichub":{"category":"UserAccounts","details":{"message":"m"}}}',
    }


@pytest.mark.parametrize("details", ['"text"', '[{"actorRole":"ADMIN"}]', "{}", "5"])
def test_a_declared_path_whose_parent_is_no_object_stays_whole_in_rest(details):
    declared = parts.places({"logichub.details.actorRole": parts.FACTS})

    got = cut(f'{{"event":{{"action":"a"}},"logichub":{{"details":{details}}}}}'.encode(), declared)

    assert got["rest"] == f'{{"logichub":{{"details":{details}}}}}'


def test_a_declared_fact_that_looks_personal_goes_to_rest():
    declared = parts.places({"logichub.details.actorRole": parts.FACTS})

    got = cut(b'{"event":{"action":"a"},"logichub":{"details":{"actorRole":"a@b"}}}', declared)

    assert got["rest"] == '{"logichub":{"details":{"actorRole":"a@b"}}}'


def test_a_declared_parent_gives_its_part_to_children_that_are_not_declared():
    declared = parts.places({"x": parts.ACTOR, "x.role": parts.FACTS, "x.whom": parts.TARGET})

    got = cut(b'{"x":{"role":"r","whom":"w","other":1}}', declared)

    assert got == {
        "facts": '{"x":{"role":"r"}}',
        "actor": '{"x":{"other":1}}',
        "target": '{"x":{"whom":"w"}}',
    }


def test_splitting_opens_objects_that_nobody_has_opened_and_changes_nothing():
    tree = {
        "event": {"action": Raw(b'"a"'), "reason": Raw(b'"r"')},
        "http": Raw(b'{ "request" : {"method":"GET","id":"x"} , "n": "\\ud800" }'),
        "user": Raw(b'{"id":"u","target":{"id":"t"}}'),
    }
    before = {key: tokens.encode(node) for key, node in tree.items()}

    got = [part.decode() for _, part in parts.split(tree, ROOT)]

    assert got == [
        '{"event":{"action":"a"},"http":{"request":{"method":"GET"}}}',
        '{"user":{"id":"u"}}',
        '{"user":{"target":{"id":"t"}}}',
        '{"event":{"reason":"r"},"http":{"request":{"id":"x"},"n":"\\ud800"}}',
    ]
    assert {key: tokens.encode(node) for key, node in tree.items()} == before


def test_parts_join_in_any_order():
    pieces = [b'{"a":{"b":1}}', b'{"a":{"c":{"d":2}}}', b'{"a":{"c":{"e":"\\ud800"}},"f":[]}']

    for order in (pieces, pieces[::-1]):
        assert tokens.plain(tokens.encode(parts.joined(order))) == {
            "a": {"b": 1, "c": {"d": 2, "e": "\N{REPLACEMENT CHARACTER}"}},
            "f": [],
        }


def test_a_record_at_every_limit_comes_back_from_inside_what_we_wrote_around_it():
    """What was sent stands two levels deeper than it was sent, and may be 10,000 keys beside ours."""
    deep = b'{"a":' * 126 + b'"\\ud800"' + b"}" * 126
    wide = b"{" + b",".join(b'"k%d":"\\ud800"' % nth for nth in range(10_000)) + b"}"
    part = b'{"sealog":{"sent":{"x":{"y":' + deep + b'},"wide":' + wide + b"}}}"

    assert tokens.encode(parts.joined([part])) == part


@pytest.mark.parametrize("text", [b"[]", b"5", b"", b'{"a":'])
def test_what_is_no_part_is_refused(text):
    with pytest.raises((Refused, msgspec.DecodeError)):
        parts.joined([text])


STAMPS = parts.Stamps(
    "2026-11-20T12:00:00.123Z",
    {"organization": Raw(b'{"id":"acme"}'), "sealog": Raw(b'{"action":"a","dialect":"ecs"}')},
    {"sealog": {"findings": ["odd"]}, "event": {"original": "{}"}},
)


def test_what_sealog_sets_stands_beside_what_was_sent():
    tree = tree_of(b'{"event":{"action":"a","x":1},"user":{"id":"u"},"sealog":{"y":2}}')

    assert parts.split(tree, ROOT, STAMPS) == [
        (
            FACTS,
            (
                b'{"event":{"action":"a"},"@timestamp":"2026-11-20T12:00:00.123Z",'
                b'"organization":{"id":"acme"},"sealog":{"action":"a","dialect":"ecs"}}'
            ),
        ),
        (ACTOR, b'{"user":{"id":"u"}}'),
        (REST, b'{"event":{"x":1,"original":"{}"},"sealog":{"y":2,"findings":["odd"]}}'),
    ]


def test_what_sealog_sets_wins():
    tree = tree_of(b'{"@timestamp":1,"sealog":{"action":"b","actor":{"kind":"user"}}}')

    assert parts.split(tree, ROOT, STAMPS) == [
        (
            FACTS,
            (
                b'{"@timestamp":"2026-11-20T12:00:00.123Z",'
                b'"sealog":{"action":"a","dialect":"ecs"},"organization":{"id":"acme"}}'
            ),
        ),
        (ACTOR, b'{"sealog":{"actor":{"kind":"user"}}}'),
        (REST, b'{"sealog":{"findings":["odd"]},"event":{"original":"{}"}}'),
    ]


def test_what_sealog_sets_is_no_fact_either_where_it_holds_an_at_sign():
    stamps = parts.Stamps(None, {"organization": Raw(b'{"id":"a@b"}')})

    assert parts.split(tree_of(b'{"event":{"kind":"event"}}'), ROOT, stamps) == [
        (FACTS, b'{"event":{"kind":"event"}}'),
        (REST, b'{"organization":{"id":"a@b"}}'),
    ]


@pytest.mark.parametrize("key", ["target", "t\\u0061rget"])
def test_a_target_is_found_in_a_user_however_its_name_is_written(key):
    tree = {"user": Raw(b'{"id":"u","%s":{"id":"v"}}' % key.encode())}

    assert parts.split(tree, ROOT) == [
        (ACTOR, b'{"user":{"id":"u"}}'),
        (TARGET, b'{"user":{"target":{"id":"v"}}}'),
    ]
