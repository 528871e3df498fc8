"""ES-09, ES-25: whose log it is stands in the log."""

import msgspec
import pytest

from sealog.archive.packwise import Piece
from sealog.compat.easysend_applications import Application
from sealog.event.packs import Opened, Packer

_packer = Packer()


def event(facts=None, rest=None):
    parts = [(0, {"event": {"action": "x"}, **(facts or {})})]
    if rest is not None:
        parts.append((3, rest))
    return Opened(b"\x01", tuple([(n, bytes(16), _json(part)) for n, part in parts]))


def _json(part):
    return part if isinstance(part, bytes) else msgspec.json.encode(part)


def labelled(app_type):
    return event({"labels": {"app_type": app_type, "page_index": "2"}})


def piece(*events, places=None):
    return Piece(_packer.pack(events, range(len(events))), 7, places)


PLAYER, BUILDER = labelled("player"), labelled("builder")
SAID_BY_THE_WAY = event({"labels": {"role": '"app_type":"player"', "app_type": "builder"}})


@pytest.mark.parametrize(
    ("events", "player", "builder"),
    [
        pytest.param([PLAYER, PLAYER, PLAYER], [0, 1, 2], [], id="all of one"),
        pytest.param([PLAYER, BUILDER, PLAYER], [0, 2], [1], id="some of each"),
        pytest.param([labelled("Player"), labelled("BUILDER")], [0], [1], id="whatever the case"),
        pytest.param([labelled("viewer"), event(), PLAYER], [2], [], id="of none of them"),
        pytest.param([SAID_BY_THE_WAY, PLAYER], [1], [0], id="a text that only looks like it"),
        pytest.param(
            [event(rest={"labels": {"app_type": "builder"}}), PLAYER], [1], [0],
            id="of a type that is not catalogued: in the rest",
        ),
        pytest.param(
            [event(rest={"event": {"original": '{"label":{"app_type":"player"}}'}})], [], [],
            id="not what only the original says",
        ),
        pytest.param(
            [event(rest={"other": {"app_type": "player"}})], [], [], id="not another's app_type"
        ),
        pytest.param(
            [event(rest={"labels": {"app_type": 5}}), event(rest={"labels": "app_type"})], [], [],
            id="labels of another shape",
        ),
        pytest.param(
            [event(rest=b'{"labels":{"app_type":"pl\\u0061yer"}}'),
             Opened(b"\x01", ((0, bytes(16), b'{"labels":{"app_type":"build\\u0065r"}}'),))], [0], [1],
            id="in an unusual spelling",
        ),
    ],
)  # fmt: skip
def test_the_logs_of_one_application_are_chosen(events, player, builder):
    """ES-25: without the parameter nobody chooses, and both come."""
    assert list(Application("player")(piece(*events))) == player
    assert list(Application("builder")(piece(*events))) == builder


def test_only_those_that_were_asked_about_are_chosen():
    events = [PLAYER, BUILDER, PLAYER, BUILDER, PLAYER]

    assert list(Application("player")(piece(*events, places=[1, 2, 3]))) == [2]
    assert list(Application("player")(piece(PLAYER, PLAYER, PLAYER, places=[0, 2]))) == [0, 2]


def test_it_knows_how_many_it_was_asked_about():
    choose = Application("player")

    choose(piece(PLAYER, BUILDER))
    choose(piece(PLAYER, BUILDER, PLAYER, places=[2]))

    assert choose.looked_at == 3
