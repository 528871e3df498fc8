import hashlib

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from sealog.errors import Altered
from sealog.event import packs
from sealog.event.packs import Opened, Packer, Unpacker, decode_packs, encode_packs

FACTS = b'{"event":{"id":"a"}}'
ACTOR = b'{"user":{"id":"u"}}'
REST = b'{"message":"hello"}'
SALTS = [bytes([n]) * 16 for n in range(1, 9)]
GONE = [bytes([n]) * 32 for n in range(101, 104)]

EVENTS = [
    Opened(b"\x01", ((0, SALTS[0], FACTS), (1, SALTS[1], ACTOR), (3, SALTS[2], REST))),
    Opened(b"\x02", ((0, SALTS[3], FACTS),)),
    Opened(b"\x01", ((0, SALTS[4], FACTS), (3, SALTS[5], REST)), ((1, GONE[0]), (2, GONE[1]))),
]


def packed(events=EVENTS, indexes=(4, 5, 9)):
    return Packer().pack(events, indexes)


def changed(**fields):
    return msgspec.structs.replace(packed(), **fields)


def frame(text):
    return zstandard.ZstdCompressor(level=1).compress(text)


@st.composite
def opened(draw):
    numbers = draw(st.sets(st.integers(0, 3), min_size=0, max_size=4))
    erased = draw(st.sets(st.sampled_from(sorted({0, 1, 2, 3} - numbers) or [0]), max_size=3))
    return Opened(
        draw(st.sampled_from([b"\x01", b"\x02"])),
        tuple(
            (n, draw(st.binary(min_size=16, max_size=16)), draw(st.binary(min_size=1, max_size=40)))
            for n in sorted(numbers)
        ),
        tuple((n, draw(st.binary(min_size=32, max_size=32))) for n in sorted(erased - numbers)),
    )


def test_an_entry_is_computed_from_the_stored_bytes_and_the_erased_digests():
    """formats.md §2, step by step."""

    def sha256(content):
        return hashlib.sha256(content).digest()

    facts = sha256(b"sealog/part/v1\x00\x00" + SALTS[4] + FACTS)
    rest = sha256(b"sealog/part/v1\x00\x03" + SALTS[5] + REST)
    committed = sha256(
        b"sealog/event/v1\x00\x00" + facts + b"\x01" + GONE[0] + b"\x02" + GONE[1] + b"\x03" + rest
    )

    assert EVENTS[2].entry() == b"\x01" + committed


def test_a_pack_holds_one_frame_a_part_kind_and_salts_beside_them():
    pack = packed()

    assert pack.indexes == (4, 5, 9)
    assert pack.kinds == b"\x01\x02\x01"
    assert pack.masks == bytes([0b0000_1011, 0b0000_0001, 0b0110_1001])
    assert pack.lengths == ((20, 20, 20), (19,), (), (19, 19))
    assert pack.salts == b"".join(SALTS[:6])
    assert pack.digests == GONE[0] + GONE[1]
    assert [bool(each) for each in pack.frames] == [True, True, False, True]
    assert zstandard.decompress(pack.frames[0]) == 3 * FACTS


def test_events_come_back_as_they_were():
    assert Unpacker().events(packed()) == EVENTS


@given(st.lists(opened(), min_size=1, max_size=20), st.data())
@settings(deadline=None, max_examples=60)
def test_any_events_come_back_through_the_journals_bytes(events, chosen):
    pack = Packer().pack(events, range(len(events)))

    (read,) = decode_packs(encode_packs([pack]))

    unpacker = Unpacker()
    assert read == pack
    assert unpacker.events(read) == events
    places = sorted(chosen.draw(st.sets(st.integers(0, len(events) - 1))))
    assert unpacker.some(read, places) == [events[place] for place in places]
    for number in range(4):
        assert unpacker.parts(read, number) == [
            next((part for n, _, part in event.parts if n == number), b"") for event in events
        ]


def test_the_parts_of_one_kind_come_joined():
    pack = Packer().pack(EVENTS, range(len(EVENTS)))

    for number in range(4):
        expected = [text for event in EVENTS for kind, _, text in event.parts if kind == number]
        assert Unpacker().joined(pack, number) == b"".join(expected)


def test_128_events_are_one_pack_and_no_more():
    event = EVENTS[1]

    assert len(Unpacker().events(Packer().pack([event] * 128, range(128)))) == 128
    with pytest.raises(AssertionError):
        Packer().pack([event] * 129, range(129))
    with pytest.raises(AssertionError):
        Packer().pack([], ())


@pytest.mark.parametrize(
    "fields",
    [
        {"masks": bytes([0b1111, 1, 0b0110_1001])},
        {"masks": bytes([0b0011, 1, 0b0110_1001])},
        {"masks": bytes([0b1011, 1])},
        {"kinds": b"\x01\x02"},
        {"indexes": (4, 5)},
        {"salts": bytes(16)},
        {"salts": bytes(16 * 7)},
        {"digests": bytes(32)},
        {"digests": bytes(32 * 3)},
        {"lengths": ((20, 20), (19,), (), (19, 19))},
        {"lengths": ((20, 20, 20), (19,), (), (19, 20))},
        {"lengths": ((60,), (19,), (), (19, 19))},
        {"frames": (b"no frame", *packed().frames[1:])},
        {"frames": (b"", *packed().frames[1:])},
        {"frames": (packed().frames[0][:-3], *packed().frames[1:])},
        {"frames": (frame(b"x" * 61), *packed().frames[1:])},
    ],
    ids=str,
)
def test_a_pack_that_contradicts_itself_is_altered(fields):
    with pytest.raises(Altered, match="pack"):
        Unpacker().events(changed(**fields))


@pytest.mark.parametrize(
    ("number", "fields"),
    [
        (0, {"masks": bytes([0b1010, 1, 0b0110_1001])}),
        (1, {"masks": bytes([0b1011, 3, 0b0110_1001])}),
        (3, {"frames": (*packed().frames[:3], b"")}),
    ],
)
def test_one_part_of_a_pack_that_contradicts_itself_is_altered(number, fields):
    with pytest.raises(Altered):
        Unpacker().parts(changed(**fields), number)


def test_asking_for_an_event_that_is_not_there_is_answered_so():
    with pytest.raises(Altered, match="fewer events"):
        Unpacker().some(packed(), [0, 3])


def test_a_frame_that_claims_to_be_huge_is_not_opened(monkeypatch):
    huge = frame(bytes(50_000_000))
    opened_sizes = []
    unpacker = Unpacker()
    monkeypatch.setattr(unpacker, "_decompress", lambda text: opened_sizes.append(len(text)))

    with pytest.raises(Altered, match="another length"):
        unpacker.events(changed(frames=(huge, *packed().frames[1:])))

    assert opened_sizes == []


@pytest.mark.parametrize(
    "text", [b"", b"\xff", b"\x90junk", b"\x91\x90", b"\x91\x97" + b"\xc0" * 7]
)
def test_bytes_that_are_no_packs_are_altered(text):
    with pytest.raises(Altered, match="does not read as packs"):
        decode_packs(text)


def test_no_packs_are_an_empty_list():
    assert decode_packs(encode_packs([])) == []


def test_the_numbers_are_those_of_the_format():
    assert (packs.EVENTS_PER_PACK_MAX, packs.DIGEST_BYTES) == (128, 32)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 65_791, 65_792, 131_072, 131_073, 300_000])
def test_a_stored_frame_is_a_zstd_frame_of_its_content(size):
    """Small packs are framed without compressing; every reader of zstd opens them."""
    content = bytes(range(256)) * (size // 256 + 1)

    frame = packs.stored(content[:size])

    assert zstandard.ZstdDecompressor().decompress(frame) == content[:size]
    assert zstandard.frame_content_size(frame) == size


@pytest.mark.parametrize("counts", [(1, 1), (1, 14), (1, 15), (15, 1, 40), (64, 64)])
def test_packs_merge_into_one_with_the_same_events(counts):
    """What one commit gives a tenant from many requests rests together."""
    packer, unpacker = Packer(), Unpacker()
    events = [
        Opened(
            b"\x01",
            ((0, bytes([n]) * 16, b'{"n":%d}' % n),) + (((3, b"r" * 16, b"{}"),) if n % 3 else ()),
            ((1, bytes([n]) * 32),) if n % 5 == 0 else (),
        )
        for n in range(sum(counts))
    ]
    left = iter(events)
    several = [packer.pack([next(left) for _ in range(count)], range(count)) for count in counts]

    merged = packer.merge(several)

    assert unpacker.events(merged) == events
    assert merged.indexes == tuple(range(len(events)))
