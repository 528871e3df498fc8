"""A pack's columns are the rows of its events, whatever the parts hold."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.archive.made import BEGIN_US, event, opened

from sealog.archive.columns import row_of
from sealog.archive.columnwise import Columns, columns_of, columns_of_each
from sealog.errors import Altered
from sealog.event.packs import Packer, Unpacker


def test_a_pack_gives_the_rows_that_its_events_give_one_by_one():
    events = [
        event(1, actor="a"),
        opened(b"{}", b"[]"),
        event(2, rest={"sealog": {"findings": [1]}}),
        event(3, "", rest={"event": {"action": "in@rest"}}),
    ]
    pack = Packer().pack(events, [0, 1, 2, 5])

    rows = columns_of(pack, 100, Unpacker()).rows()

    alone = zip((100, 101, 102, 105), events, strict=True)
    assert rows == [row_of(index, one) for index, one in alone]
    assert rows[3].action == "in@rest"


def test_an_erased_part_leaves_its_columns_empty():
    whole = event(1, actor="ada")
    erased = msgspec.structs.replace(whole, parts=whole.parts[:1], erased=((1, bytes(32)),))
    pack = Packer().pack([whole, erased], [0, 1])

    first, second = columns_of(pack, 0, Unpacker()).rows()

    assert (first.actor_id, second.actor_id) == ("ada", "")
    assert second.at_us == BEGIN_US + 1_000_000


def test_packs_read_together_give_what_each_gives_alone():
    """Odd ones, and those with findings, too."""
    plain = [event(n, actor=f"user-{n}") for n in range(3)]
    noted = [event(4, rest={"sealog": {"findings": [1]}}), event(5)]
    odd = [opened(b"{}", b"[]"), event(6)]
    packs = [(Packer().pack(one, range(len(one))), 100 * nth) for nth, one in
             enumerate((plain, noted, plain[1:], odd))]  # fmt: skip
    alone = [columns_of(pack, base, Unpacker()).rows() for pack, base in packs]

    together = [one.rows() for one in columns_of_each(packs[:3], Unpacker())]
    with_odd = [one.rows() for one in columns_of_each(packs, Unpacker())]

    assert together == alone[:3]
    assert with_odd == alone
    assert columns_of_each([], Unpacker()) == []


def test_a_pack_that_does_not_open_is_altered():
    pack = Packer().pack([event()], [0])
    broken = msgspec.structs.replace(pack, frames=(b"x" * 30, *pack.frames[1:]))

    with pytest.raises(Altered):
        columns_of(broken, 0, Unpacker())


def test_columns_are_rows_and_back_again():
    rows = [row_of(index, event(index, actor=f"user-{index}")) for index in range(5)]
    columns = Columns.of(rows)

    assert columns.rows() == rows
    assert len(columns) == 5
    assert columns.some([1, 3]).rows() == [rows[1], rows[3]]
    assert Columns.joined([columns.some([0]), columns.some([4])]).rows() == [rows[0], rows[4]]
    assert Columns.joined([columns]) is columns


NAMES = st.one_of(
    st.none(),
    st.integers(-(2**70), 2**70),
    st.sampled_from(
        ["", "Ada", "ada\0Bob", "\0", "İstanbul", "straße", "x" * 512, "X" * 513, "\n"]
    ),
    st.text(max_size=8),
    st.booleans(),
    st.lists(st.sampled_from(["a", 1]), max_size=2),
)
ADDRESSES = st.one_of(
    NAMES,
    st.sampled_from(
        [
            "10.0.0.1",
            "010.0.0.1",
            "256.1.1.1",
            "::FFFF:10.0.0.1",
            "2001:DB8::1",
            "1.2.3.4\n",
            "1.2.3.4\n5.6.7.8",
        ]
    ),
)
TIMES = st.one_of(
    NAMES,
    st.sampled_from(
        [
            "2026-11-20T12:00:00.123Z",
            "2026-11-20T12:00:00.123456Z",
            "2026-11-20T12:00:60.123Z",
            "2026-11-20T12:00:00.١٢٣Z",
            "2026-11-20T12:00:00+02:00",
        ]
    ),
)


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.fixed_dictionaries({}, optional=fields), NAMES)


ACTORS = st.fixed_dictionaries(
    {},
    optional={
        "user": _some(id=NAMES, name=NAMES, email=NAMES),
        "source": _some(ip=ADDRESSES),
        "client": _some(ip=ADDRESSES),
        "session": _some(id=NAMES),
        "sealog": _some(actor=_some(kind=NAMES)),
    },
)
SOUND = st.fixed_dictionaries(
    {"id": st.text(min_size=1, max_size=5), "action": st.sampled_from(["login", "Logout"])},
    optional={"outcome": NAMES, "category": NAMES, "type": NAMES, "ingested": TIMES},
)
FACTS = st.fixed_dictionaries(
    {
        "event": st.one_of(SOUND, _some(id=NAMES, action=NAMES)),
        "sealog": _some(action=NAMES, dialect=NAMES),
    },
    optional={"@timestamp": TIMES, "http": _some(response=_some(status_code=NAMES))},
)
REST = st.fixed_dictionaries(
    {},
    optional={"sealog": _some(findings=NAMES), "event": _some(id=NAMES, action=NAMES), "n": NAMES},
)
EVENTS = st.tuples(FACTS, ACTORS, _some(user=_some(target=_some(id=NAMES, name=NAMES))), REST)


@given(st.lists(EVENTS, min_size=1, max_size=6))
def test_columns_say_what_each_row_says(events: list[tuple[Any, ...]]):
    """CL-Q1: it makes no difference to a search which way the columns of an event were made."""
    made = [opened(*parts) for parts in events]
    pack = Packer().pack(made, range(len(made)))

    rows = columns_of(pack, 7, Unpacker()).rows()

    assert rows == [row_of(7 + place, one) for place, one in enumerate(made)]
