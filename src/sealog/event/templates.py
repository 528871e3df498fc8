"""How the parts of an event are written where all but its values is known."""

import re
from collections.abc import Callable
from operator import itemgetter

import msgspec

from sealog.event.parts import Texts

Values = tuple[bytes, ...]
_JOIN = b"".join


class Templates(msgspec.Struct, frozen=True):
    """What is written between values, and of each part in which order to write all of it.

    Joined, not formatted: `%b` costs twice as much.
    """

    between: Values
    picks: tuple[Callable[[Values], Values], ...]
    """Of the values, and what stands between any of them behind those."""

    def texts(self, values: Values) -> Texts:
        """The parts. There MUST be as many values as the templates were made for."""
        all_there_is = values + self.between
        facts, actor, target, rest = self.picks
        return (
            _JOIN(facts(all_there_is)),
            _JOIN(actor(all_there_is)),
            _JOIN(target(all_there_is)),
            _JOIN(rest(all_there_is)),
        )


def templates_of(texts: Texts, mark: re.Pattern[bytes], count: int) -> Templates:
    """Parts with marks in the place of values; `mark` has one group: the number of its value.

    `count`: how many values there will be.
    """
    between: list[bytes] = []
    picks = []
    for text in texts:
        places: list[int] = []
        for nth, piece in enumerate(mark.split(text)):
            if nth % 2:
                places.append(int(piece))
            elif piece:
                places.append(count + len(between))
                between.append(piece)
        picks.append(_picking(places))
    return Templates(tuple(between), tuple(picks))


def _picking(places: list[int]) -> Callable[[Values], Values]:
    if len(places) > 1:
        return itemgetter(*places)
    if not places:
        return _nothing
    # Of one place `itemgetter` gives no tuple.
    return lambda values: (values[places[0]],)


def _nothing(_: Values) -> Values:
    return ()
