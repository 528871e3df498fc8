"""The opened parts of one pack, for conditions that columns cannot decide."""

from bisect import bisect_left

from sealog.archive.columns import id_of
from sealog.archive.wording import Wording
from sealog.errors import Altered
from sealog.event.packs import Opened, Pack, Unpacker


class Content:
    """A pack whose events are asked for by their absolute indexes. Opened when it is asked."""

    def __init__(self, pack: Pack, base: int, unpacker: Unpacker) -> None:
        """The pack counts its indexes from `base`."""
        self._pack = pack
        self._base = base
        self._unpacker = unpacker
        self._events: list[Opened] | None = None

    @property
    def first(self) -> int:
        """The index of the pack's first event."""
        return self._base + self._pack.indexes[0]

    @property
    def last(self) -> int:
        """The index of the pack's last event."""
        return self._base + self._pack.indexes[-1]

    def id_at(self, index: int) -> str:
        """The id of the event at an index, as its parts have it."""
        return id_of(self.event(index))

    def saying(self, wording: Wording) -> list[int]:
        """The indexes of the events that say it."""
        pack = self._pack
        texts = [self._unpacker.joined(pack, number) for number in range(len(pack.frames))]
        found = wording.places(pack.masks, pack.lengths, texts)
        return [self._base + pack.indexes[place] for place in found]

    def event(self, index: int) -> Opened:
        """The event at an index. Raises `Altered` if the pack does not hold it."""
        if self._events is None:
            self._events = self._unpacker.events(self._pack)
        indexes = self._pack.indexes
        place = bisect_left(indexes, index - self._base)
        if place == len(indexes) or indexes[place] != index - self._base:
            raise Altered("a pack does not hold the event that the columns name")
        return self._events[place]
