"""What the server asks of the rooms below it is what they give."""

import inspect

import pytest
from tests.server.house import FakeArchive, FakeIntake, FakeLedger

from sealog.archive.archive import Archive
from sealog.intake.accept import Intake
from sealog.ledger.ledger import Ledger
from sealog.server import parts


def asked_of(protocol):
    return [
        name
        for name, value in vars(protocol).items()
        if inspect.isfunction(value) and name[0] != "_"
    ]


@pytest.mark.parametrize(
    ("protocol", "room"),
    [
        (parts.Intake, Intake), (parts.Intake, FakeIntake),
        (parts.Archive, Archive), (parts.Archive, FakeArchive),
        (parts.Ledger, Ledger), (parts.Ledger, FakeLedger),
    ],
    ids=lambda one: one.__name__,
)  # fmt: skip
def test_rooms_and_fakes_take_the_same_arguments(protocol, room):
    assert asked_of(protocol)
    for name in asked_of(protocol):
        wanted = inspect.signature(getattr(protocol, name)).parameters
        given = inspect.signature(getattr(room, name)).parameters
        assert [*wanted] == [*given], name
        assert [one.kind for one in wanted.values()] == [one.kind for one in given.values()], name
