import msgspec
import pytest
from tests.rendering.made import one, packed, packs, parts, shown, stored, without

from sealog.errors import Altered, Refused
from sealog.event.moulds import Derive, Moulds
from sealog.event.packs import Unpacker
from sealog.event.parts import STATEMENT_ENTRY
from sealog.rendering.rendering import DIALECTS, ECS_VERSIONS, Renderer

SUPSIS = {"dateTime": "2026-01-31 12:00:00", "user": "ada", "ip": "", "activity": "login"}
LOGICHUB = {
    "time": "2026-01-31T12:00:00.000Z",
    "category": "Flow",
    "actor": "ada",
    "type": "FlowCreated",
    "details": {"flowId": "f-1", "status": "SUCCESS"},
}
STATEMENT = parts(
    {
        "@timestamp": "2026-01-31T12:00:00.000Z",
        "event": {"kind": "state", "action": "sealog.retention"},
        "sealog": {"action": "sealog.retention", "v": 1, "ranges": [[3, 7]], "reason": "kept 48 h"},
    },
    kind=STATEMENT_ENTRY,
)


def test_there_are_six_dialects_and_two_versions_of_ecs():
    assert DIALECTS == ("ecs", "closer", "easysend", "chatvisor", "supsis", "logichub")
    assert ECS_VERSIONS == ("8.11", "1.9")


def test_what_is_no_dialect_is_refused_with_all_there_are():
    with pytest.raises(Refused, match="closer, easysend, chatvisor") as refused:
        Renderer("syslog")

    assert refused.value.code == "unknown-dialect"


def test_what_is_no_version_is_refused_with_all_there_are():
    with pytest.raises(Refused, match=r"8\.11, 1\.9") as refused:
        Renderer("ecs", ecs_version="9.4")

    assert refused.value.code == "bad-ecs-version"


def test_a_products_shape_has_its_own_ecs_version():
    """Closer documents 1.9 and EasySend 8.11; to ask for another would be to ask for nothing."""
    with pytest.raises(Refused) as refused:
        Renderer("closer", ecs_version="1.9")

    assert refused.value.code == "bad-ecs-version"


def test_an_event_comes_back_as_it_was_sent_on_one_line():
    sent = msgspec.json.format(msgspec.json.encode(SUPSIS), indent=2)

    line = Renderer("supsis").event(one("supsis", sent), 0)

    assert line == msgspec.json.encode(SUPSIS)


def test_equal_keys_come_back_as_they_were_sent():
    """LH-Q8: a key that stands twice stands twice again."""
    sent = (
        b'{"time":"2026-01-31T12:00:00.000Z","category":"UserAccounts","actor":"a",'
        b'"type":"UserGroupPermissionChanged","details":'
        b'{"name":"g","oldPermissions":["x"],"oldPermissions":["y"],"status":"SUCCESS"}}'
    )

    assert Renderer("logichub").event(one("logichub", sent), 0) == sent


def test_a_secret_comes_back_masked():
    sent = SUPSIS | {"data": {"password": "correct horse"}}

    found = shown(one("supsis", sent), "supsis")

    assert found == SUPSIS | {"data": {"password": "[masked]"}}


def test_what_was_erased_is_left_out_and_named():
    opened = one("supsis", SUPSIS | {"data": {"chat": 7}})

    found = shown(without(opened, "actor"), "supsis")

    assert found == {
        "dateTime": "2026-01-31 12:00:00",
        "activity": "login",
        "data": {"chat": 7},
        "sealog": {"erased": ["actor"]},
    }


def test_the_original_is_not_read_where_a_part_of_it_was_erased():
    """It would show what the part held."""
    opened = without(one("logichub", LOGICHUB), "actor")

    assert b"ada" not in Renderer("logichub").event(opened, 0)


def test_an_event_of_which_everything_was_erased_says_so():
    opened = without(one("supsis", SUPSIS), "facts", "actor", "rest")

    assert shown(opened, "supsis") == {"sealog": {"erased": ["facts", "actor", "rest"]}}


@pytest.mark.parametrize("dialect", DIALECTS[1:])
def test_a_statement_in_a_products_shape_is_what_it_says_of_the_log(dialect):
    assert shown(STATEMENT, dialect, 8) == {
        "sealog": {
            "action": "sealog.retention",
            "v": 1,
            "ranges": [[3, 7]],
            "reason": "kept 48 h",
            "index": 8,
        }
    }


def test_a_pack_gives_each_event_as_it_is_given_alone():
    events = [
        one("supsis", SUPSIS),
        one("logichub", LOGICHUB),
        STATEMENT,
        without(one("supsis", SUPSIS), "rest"),
        one("supsis", SUPSIS | {"data": "🦆"}),
    ]
    pack = packed(events)

    for dialect in DIALECTS:
        renderer = Renderer(dialect)
        alone = [renderer.event(event, 100 + n) for n, event in enumerate(events)]
        assert renderer.listed(pack, 100, Unpacker()) == alone
        assert renderer.lines(pack, 100, Unpacker()) == b"".join([b"%b\n" % x for x in alone])
        assert renderer.listed(pack, 100, Unpacker(), [1, 3]) == [alone[1], alone[3]]


def test_ecs_is_what_moulds_make_of_it():
    pack = packed([one("supsis", SUPSIS)])
    derive = Derive(lambda tree: tree.update(more=1))

    found = Renderer("ecs", derive=derive).lines(pack, 0, Unpacker())

    assert found == Moulds(derive).lines(pack, 0, Unpacker())
    assert msgspec.json.decode(found)["more"] == 1


def test_ecs_in_version_1_9_has_what_is_derived_too():
    derive = Derive(lambda tree: tree.update(more=1))

    found = shown(one("supsis", SUPSIS), "ecs", ecs_version="1.9", derive=derive)

    assert (found["ecs"], found["more"]) == ({"version": "1.9.0"}, 1)


def test_a_row_of_csv_comes_back_as_its_object():
    """CP-01 to CP-04: the header is not stored, so it is the object that the API takes."""
    body = b"Date and Time;User;IP Address;Activity\n2026-01-31 12:00:00;ada;;login\n"

    (opened,) = stored("supsis", body)

    assert shown(opened, "supsis") == {
        "dateTime": "2026-01-31 12:00:00",
        "user": "ada",
        "activity": "login",
    }


def test_a_pack_that_was_altered_does_not_open():
    (pack,) = packs("supsis", msgspec.json.encode(SUPSIS))
    broken = msgspec.structs.replace(pack, lengths=((1,), *pack.lengths[1:]))

    with pytest.raises(Altered):
        Renderer("supsis").lines(broken, 0, Unpacker())


def test_events_of_sealogs_own_get_a_shape_like_any_other():
    event = parts(
        {
            "@timestamp": "2026-01-31T12:00:00.000Z",
            "event": {"action": "sealog.keys.created", "outcome": "success"},
            "sealog": {"action": "sealog.keys.created", "dialect": "sealog"},
        },
        {"user": {"id": "key_1"}, "sealog": {"actor": {"kind": "api-key"}}},
    )

    assert shown(event, "supsis") == {
        "dateTime": "2026-01-31T12:00:00.000Z",
        "user": "key_1",
        "activity": "sealog.keys.created",
    }
