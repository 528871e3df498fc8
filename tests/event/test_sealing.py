import hashlib
import uuid

import msgspec
import pytest
from tests.journal.made import Counted, draft, tenant

from sealog.catalog.shelf import load
from sealog.dialects import registry
from sealog.dialects.dialect import Settings
from sealog.event import ids, parts
from sealog.event.packs import Unpacker
from sealog.event.parts import STATEMENT_ACTIONS
from sealog.event.sealing import Moment, Naming, Sealer
from sealog.refine import masking
from sealog.wire import framing

ACME, GLOBEX = tenant(1, "acme"), tenant(2, "globex")
NOW = Moment.of(1_795_176_000_250_000)
CATALOG = load()

CLEAN = (
    b'{"@timestamp":"2026-11-20T12:00:00.123Z","event":{"id":"01J0","kind":"event",'
    b'"category":["iam"],"type":["change"],"action":"user.role.changed","outcome":"success"},'
    b'"organization":{"id":"acme"},"user":{"id":"u-1","email":"ann@example.com",'
    b'"target":{"id":"u-2"}},"source":{"ip":"192.0.2.7"},"labels":{"n":1.0,"e":1E2}}'
)


def understood(*received, dialect="ecs", to=ACME):
    records = masking.mask(
        framing.split(b"\n".join(received) + b"\n", None), dialect=dialect, documented=frozenset()
    )
    translator = registry.of(dialect, CATALOG)
    return [(each, translator.translate(each, Settings()), to) for each in records]


def sealed(*received, naming=None, now=NOW, **more):
    (batch,) = Sealer(Counted()).seal(understood(*received, **more), now, naming or Naming())
    return batch


def opened(batch):
    unpacker = Unpacker()
    return [event for pack in batch.packs for event in unpacker.events(pack)]


def document(event):
    tree = parts.joined(part for _, _, part in event.parts)
    return msgspec.json.decode(msgspec.json.encode(tree))


def documents(batch):
    return [document(event) for event in opened(batch)]


def codes(event):
    return [finding["code"] for finding in event["sealog"].get("findings", [])]


def test_every_byte_of_an_event_is_pinned(golden):
    """What is hashed and stored may never change: with the same time and random bytes, the same."""
    (event,) = opened(sealed(CLEAN))

    lines = [b"%d %s %s" % (n, salt.hex().encode(), part) for n, salt, part in event.parts]
    golden("entry/whole-event.txt", b"\n".join([*lines, event.entry().hex().encode(), b""]))


def test_every_byte_of_an_event_that_keeps_its_original_is_pinned(golden):
    (event,) = opened(sealed(CLEAN.replace(b"12:00:00.123Z", b"13:00:00.123+01:00")))

    lines = [b"%d %s %s" % (n, salt.hex().encode(), part) for n, salt, part in event.parts]
    golden("entry/whole-event-kept.txt", b"\n".join([*lines, event.entry().hex().encode(), b""]))


def test_the_entry_is_of_the_bytes_that_are_stored():
    batch = sealed(CLEAN, CLEAN.replace(b"01J0", b"01J1"))

    assert [event.entry() for event in opened(batch)] == batch.entries


def test_salts_are_all_different():
    salts = [salt for event in opened(sealed(CLEAN, CLEAN)) for _, salt, _ in event.parts]

    assert len(set(salts)) == len(salts) == 8
    assert {len(salt) for salt in salts} == {16}


def test_a_clean_record_stands_in_its_parts_token_by_token_and_nowhere_else():
    (event,) = opened(sealed(CLEAN))
    text = b"".join(part for _, _, part in event.parts)

    assert b'"n":1.0,"e":1E2' in text
    found = document(event)
    assert "original" not in found["event"]
    assert "sent" not in found["sealog"]
    assert codes(found) == []


def test_what_is_stamped_says_when_where_and_by_which_words():
    (found,) = documents(sealed(CLEAN))

    assert found["@timestamp"] == "2026-11-20T12:00:00.123Z"
    assert found["ecs"] == {"version": "8.11.0"}
    assert found["event"]["ingested"] == "2026-11-20T12:00:00.250000Z"
    assert found["organization"] == {"id": "acme"}
    assert found["sealog"] == {"action": "user.role.changed", "dialect": "ecs"}


@pytest.mark.parametrize(
    ("received", "sent"),
    [
        (CLEAN.replace(b".123Z", b".123+00:00"), {"@timestamp": "2026-11-20T12:00:00.123+00:00"}),
        (CLEAN.replace(b'{"@t', b'{"ecs":{"version":"1.9"},"@t'), {"ecs.version": "1.9"}),
        (CLEAN.replace(b'"kind"', b'"ingested":"2020","kind"'), {"event.ingested": "2020"}),
        (CLEAN.replace(b'"labels"', b'"sealog":{"x":1},"labels"'), {"sealog": {"x": 1}}),
        (
            CLEAN.replace(b'"labels":{', b'"message":"a","message":"b","labels":{'),
            {"message": ["a", "b"]},
        ),
    ],
)
def test_what_was_sent_for_what_sealog_sets_stands_as_sent_and_so_does_the_original(received, sent):
    (found,) = documents(sealed(received))

    assert found["sealog"]["sent"] == sent
    assert found["event"]["original"] == received.decode()


def test_a_finding_keeps_the_original():
    received = CLEAN.replace(b'"outcome":"success"', b'"outcome":"maybe"')

    (found,) = documents(sealed(received))

    assert codes(found) != []
    assert found["event"]["original"] == received.decode()


def test_no_usable_time_is_the_time_of_arrival_with_a_finding():
    (found,) = documents(sealed(CLEAN.replace(b"2026-11-20T12:00:00.123Z", b"soon")))

    assert found["@timestamp"] == NOW.text
    assert found["sealog"]["sent"] == {"@timestamp": "soon"}
    assert codes(found) == ["bad-time"]


@pytest.mark.parametrize(("ahead_us", "odd"), [(0, []), (1, ["future-time"])])
def test_a_time_more_than_a_day_ahead_is_kept_with_a_finding(ahead_us, odd):
    happened_us = 1_795_176_000_123_000
    now = Moment.of(happened_us - 86_400_000_000 - ahead_us)

    (found,) = documents(sealed(CLEAN, now=now))

    assert codes(found) == odd
    assert found["@timestamp"] == "2026-11-20T12:00:00.123Z"
    assert ("original" in found["event"]) == bool(odd)


def test_the_senders_id_is_the_events():
    batch = sealed(CLEAN)

    assert batch.ids == ["01J0"]
    assert batch.id_keys == [ids.id_key(ACME.key, "01J0", 1_795_176_000_123_000)]
    assert batch.fingerprints == [ids.fingerprint(ACME.key, "ecs", CLEAN)]


NAMELESS = CLEAN.replace(b'"id":"01J0",', b"")


def test_without_an_id_it_is_a_uuid_7_of_the_time_of_arrival():
    batch = sealed(NAMELESS, NAMELESS)

    for name in batch.ids:
        assert uuid.UUID(name).version == 7
        assert int(name.replace("-", "")[:12], 16) == NOW.us // 1000
    assert len(set(batch.ids)) == 2


def test_under_a_request_key_it_is_derived_from_key_and_place():
    batch = sealed(NAMELESS, NAMELESS, CLEAN, naming=Naming(request_key="k"))

    assert batch.ids == [
        ids.id_from_request(ACME.key, "ecs", "k", 0),
        ids.id_from_request(ACME.key, "ecs", "k", 1),
        "01J0",
    ]


def test_in_an_import_it_is_derived_from_the_record_and_how_often_it_came_before():
    batch = sealed(NAMELESS, NAMELESS, CLEAN, naming=Naming(repeats={1: 1}))

    assert batch.ids == [
        ids.id_from_record(ACME.key, "ecs", NAMELESS, 0),
        ids.id_from_record(ACME.key, "ecs", NAMELESS, 1),
        "01J0",
    ]


@pytest.mark.parametrize("token", [b'"ann@example.com"', b'"' + b"x" * 257 + b'"', b"7", b"[]"])
def test_an_id_that_cannot_be_used_is_derived_from_the_record(token):
    """formats.md §2: it goes to `rest`, and the event gets a derived id, with a finding."""
    received = CLEAN.replace(b'"01J0"', token)

    batch = sealed(received)

    (found,) = documents(batch)
    assert batch.ids == [ids.id_from_record(ACME.key, "ecs", received, 0)]
    assert uuid.UUID(batch.ids[0]).version == 8
    assert found["event"]["id"] == batch.ids[0]
    assert found["sealog"]["sent"]["event.id"] == msgspec.json.decode(token)
    assert codes(found) == ["bad-id"]


@pytest.mark.parametrize("token", [b"null", b'""'])
def test_an_id_that_says_nothing_is_no_id(token):
    batch = sealed(CLEAN.replace(b'"01J0"', token))

    assert uuid.UUID(batch.ids[0]).version == 7


def test_events_that_differ_in_a_masked_id_alone_are_two():
    received = CLEAN.replace(b'"01J0"', b'"order [masked]"')

    batch = sealed(received, received)

    assert len(set(batch.ids)) == 2
    assert [uuid.UUID(name).version for name in batch.ids] == [7, 7]
    assert [codes(found) for found in documents(batch)] == [["bad-id"], ["bad-id"]]


def test_an_id_that_is_taken_stands_as_sent_beside_the_derived_one():
    drafts = understood(CLEAN)
    sealer = Sealer(Counted())
    (first,) = sealer.seal(drafts, NOW)

    (again,) = sealer.seal(drafts, NOW, Naming(repeats={}, derive_all=True))

    (found,) = documents(again)
    assert first.ids == ["01J0"]
    assert again.ids == [ids.id_from_record(ACME.key, "ecs", CLEAN, 0)]
    assert found["event"]["id"] == again.ids[0]
    assert found["sealog"]["sent"] == {"event.id": "01J0"}
    assert codes(found) == ["id-reused"]
    assert found["event"]["original"] == CLEAN.decode()


def test_sealing_the_same_drafts_again_leaves_no_trace_of_the_first_time():
    received = CLEAN.replace(b'"01J0"', b'"a\\u0062c"').replace(b"success", b"maybe")
    once = documents(sealed(received, naming=Naming(derive_all=True)))
    drafts = understood(received)
    sealer = Sealer(Counted())
    sealer.seal(drafts, Moment.of(NOW.us - 5_000_000))

    (again,) = sealer.seal(drafts, NOW, Naming(derive_all=True))

    assert documents(again) == once
    assert once[0]["sealog"]["sent"] == {"event.id": "abc"}


def test_statements_have_an_entry_type_of_their_own():
    actions = ["a.b", *sorted(STATEMENT_ACTIONS), "sealog.read.search"]
    drafts = [(*draft(f"{n}", place=n, action=action), ACME) for n, action in enumerate(actions)]

    (batch,) = Sealer(Counted()).seal(drafts, NOW)

    assert [entry[:1] for entry in batch.entries] == [b"\x01", *[b"\x02"] * 5, b"\x01"]
    assert b"".join(pack.kinds for pack in batch.packs) == b"\x01\x02\x02\x02\x02\x02\x01"


def test_tenants_get_a_batch_each_in_the_order_sent():
    drafts = [(*draft(f"{n}", place=n), (ACME, GLOBEX)[n % 3 == 1]) for n in range(7)]

    batches = Sealer(Counted()).seal(drafts, NOW)

    assert [(b.tenant, b.places) for b in batches] == [(ACME, [0, 2, 3, 5, 6]), (GLOBEX, [1, 4])]
    assert [b.ids for b in batches] == [["0", "2", "3", "5", "6"], ["1", "4"]]
    for batch in batches:
        assert {found["organization"]["id"] for found in documents(batch)} == {batch.tenant.name}
        assert [found["event"]["id"] for found in documents(batch)] == batch.ids


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, [1]), (128, [128]), (129, [128, 1]), (300, [128, 128, 44])]
)
def test_packs_hold_up_to_128_events_and_count_from_0(count, sizes):
    drafts = [(*draft(f"{n}", place=n), ACME) for n in range(count)]

    (batch,) = Sealer(Counted()).seal(drafts, NOW)

    assert [len(pack.indexes) for pack in batch.packs] == sizes
    assert [n for pack in batch.packs for n in pack.indexes] == list(range(count))


def test_nothing_gives_no_batch():
    assert Sealer(Counted()).seal([], NOW) == []


def test_secrets_are_in_neither_parts_nor_original():
    received = CLEAN.replace(b'"labels":{', b'"acme":{"password":"hunter2"},"labels":{')

    (event,) = opened(sealed(received))

    assert b"hunter2" not in b"".join(part for _, _, part in event.parts)
    assert "[masked]" in document(event)["event"]["original"]


def test_what_only_the_slow_reader_can_read_is_sealed_as_it_was():
    received = CLEAN.replace(b'"labels":{', b'"labels":{"s":"\\ud800","big":1e400,').replace(
        b'{"id":"acme"}', b'{"id":"acme","name":"\\udc00"}'
    )

    (event,) = opened(sealed(received))

    text = b"".join(part for _, _, part in event.parts)
    assert b'"s":"\\ud800","big":1e400' in text
    assert b'"name":"\\udc00"' in text


@pytest.mark.parametrize("odd", [b"5", b'"text"', b'[{"a":1}]', b"null"])
@pytest.mark.parametrize("key", [b"event", b"ecs", b"organization", b"sealog"])
def test_anything_in_the_place_of_an_object_that_sealog_fills_is_kept(key, odd):
    received = b'{"@timestamp":"2026-11-20T12:00:00.123Z","' + key + b'":' + odd + b"}"

    (found,) = documents(sealed(received))

    assert found["sealog"]["sent"][key.decode()] == msgspec.json.decode(odd)
    assert found["organization"]["id"] == "acme"


def test_a_long_life_does_not_grow_the_caches_without_end():
    sealer = Sealer(Counted())
    sealer._routes = {((f"{n}", 0),): parts.Place() for n in range(4_096)}
    sealer._known_stamps = {(f"{n}", "a", "ecs"): {} for n in range(4_096)}

    sealer.seal([(*draft("a"), ACME), (*draft("b", action="x" * 300), ACME)], NOW)

    assert len(sealer._routes) == 1
    assert list(sealer._known_stamps) == [("acme", "a.b", "ecs")]


def test_a_moment_is_written_in_utc_with_its_microseconds():
    assert Moment.of(0) == Moment(0, "1970-01-01T00:00:00.000000Z")
    assert Moment.of(1_795_176_000_250_125).text == "2026-11-20T12:00:00.250125Z"


def test_the_commitment_is_the_documented_hash():
    batch = sealed(CLEAN)
    (event,) = opened(batch)
    digests = b"".join(
        bytes([n]) + hashlib.sha256(b"sealog/part/v1\x00" + bytes([n]) + salt + part).digest()
        for n, salt, part in event.parts
    )

    expected = b"\x01" + hashlib.sha256(b"sealog/event/v1\x00" + digests).digest()
    assert batch.entries == [expected]
