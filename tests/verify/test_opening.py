import msgspec
import pytest
from tests.verify.made import event, statement

from sealog.errors import Altered
from sealog.event.packs import Packer, Unpacker
from sealog.verify.opening import reading, tenant_named, unseal

EVENTS = [event(), event(actor=None), event("role.assign"), event()]


def pack_of(events, indexes=None):
    return Packer().pack(events, indexes or range(len(events)))


def changed(pack, **values):
    return msgspec.structs.replace(pack, **values)


def test_events_hash_into_the_entries_they_were_sealed_as():
    unsealed = unseal(pack_of(EVENTS), 40, Unpacker())

    assert unsealed.indexes == (40, 41, 42, 43)
    assert unsealed.entries == [one.entry() for one in EVENTS]
    assert unsealed.events is None


def test_erased_parts_and_statements_are_opened_one_by_one():
    events = [event(erased=[1]), statement("sealog.key")]

    unsealed = unseal(pack_of(events), 0, Unpacker())

    assert unsealed.entries == [one.entry() for one in events]
    assert unsealed.events == events


PACK = pack_of(EVENTS)
MIXED = pack_of([event(erased=[1]), *EVENTS])


CONTRADICTIONS = {
    "no-indexes": lambda pack: changed(pack, indexes=()),
    "index-less": lambda pack: changed(pack, indexes=pack.indexes[:-1]),
    "indexes-descend": lambda pack: changed(pack, indexes=pack.indexes[::-1]),
    "index-negative": lambda pack: changed(pack, indexes=(-1, *pack.indexes[1:])),
    "kind-unknown": lambda pack: changed(pack, kinds=b"\x03" + pack.kinds[1:]),
    "kind-more": lambda pack: changed(pack, kinds=pack.kinds + b"\x01"),
    "no-kinds": lambda pack: changed(pack, kinds=b""),
    "mask-less": lambda pack: changed(pack, masks=pack.masks[:-1]),
    "no-masks": lambda pack: changed(pack, masks=b""),
    "mask-names-more": lambda pack: changed(pack, masks=b"\x0f" + pack.masks[1:]),
    "salt-less": lambda pack: changed(pack, salts=pack.salts[:-16]),
    "salt-more": lambda pack: changed(pack, salts=pack.salts + bytes(16)),
    "digest-more": lambda pack: changed(pack, digests=pack.digests + bytes(32)),
    "lengths-of-two": lambda pack: changed(pack, lengths=pack.lengths[:2]),
    "lengths-fewer": lambda pack: changed(pack, lengths=((1, 2), *pack.lengths[1:])),
    "frames-of-one": lambda pack: changed(pack, frames=pack.frames[:1]),
    "frame-no-zstd": lambda pack: changed(pack, frames=(b"zstd?", *pack.frames[1:])),
    "frame-cut": lambda pack: changed(pack, frames=(pack.frames[0][:-4], *pack.frames[1:])),
    "frame-empty": lambda pack: changed(pack, frames=(b"", *pack.frames[1:])),
}


@pytest.mark.parametrize("pack", [PACK, MIXED], ids=["plain", "erased"])
@pytest.mark.parametrize("change", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_pack_that_contradicts_itself_is_altered(pack, change):
    with pytest.raises(Altered, match="a pack does not read"):
        unseal(change(pack), 0, Unpacker())


def test_other_salts_and_types_make_other_entries():
    salted = changed(PACK, salts=b"\xff" * 16 + PACK.salts[16:])
    typed = changed(PACK, kinds=b"\x02" + PACK.kinds[1:])

    for pack in (salted, typed):
        assert unseal(pack, 0, Unpacker()).entries != [one.entry() for one in EVENTS]


def test_the_tenant_that_an_event_names_is_in_its_facts():
    assert tenant_named(pack_of([event(tenant="acme"), event()]), Unpacker()) == "acme"
    assert tenant_named(pack_of([event()]), Unpacker()) is None


@pytest.mark.parametrize(
    "error", [ValueError("x"), MemoryError(), IndexError("y"), OSError("z")], ids=repr
)
def test_whatever_a_damaged_file_makes_of_a_reader_is_altered(error):
    with pytest.raises(Altered, match="the file does not read"), reading("the file"):
        raise error
