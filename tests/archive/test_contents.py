import pytest
from tests.archive.made import event

from sealog.archive.contents import Content
from sealog.archive.wording import Wording
from sealog.errors import Altered
from sealog.event.packs import Packer, Unpacker

EVENTS = [event(n, event_id=f"e-{n}") for n in range(3)]


@pytest.fixture
def content() -> Content:
    """Indexes 107, 108 and 110."""
    return Content(Packer().pack(EVENTS, [7, 8, 10]), 100, Unpacker())


def test_an_event_is_found_by_its_absolute_index(content: Content):
    assert (content.first, content.last) == (107, 110)
    assert content.event(110) == EVENTS[2]
    assert content.id_at(108) == "e-1"


def test_the_events_that_say_it_are_named_by_their_indexes():
    events = [event(n, rest={"message": said}) for n, said in enumerate(("no", "Yes!", "a yes"))]
    content = Content(Packer().pack(events, [7, 8, 10]), 100, Unpacker())

    assert content.saying(Wording(("yes",))) == [108, 110]


@pytest.mark.parametrize("index", [106, 109, 111])
def test_what_the_pack_does_not_hold_is_damage(content: Content, index: int):
    """Whoever asks has the index from the columns."""
    with pytest.raises(Altered):
        content.event(index)
