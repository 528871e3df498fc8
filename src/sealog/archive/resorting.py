"""What a segment's events must be sorted into, by another version of the policy than it was cut by."""

from collections.abc import Iterable, Sequence

import numpy as np

from sealog.archive.classes import Types, class_of, keep_of, window_us
from sealog.archive.cutting import within
from sealog.archive.expiry import Expiry
from sealog.archive.segments import Segment
from sealog.archive.splitting import Places, Share

_FOR_EVER = -1

Span = tuple[str, int, int]
"""Class, first and last index."""


def plan(
    segment: Segment, types: Types, expiry: Expiry, others: Iterable[Segment]
) -> list[Share] | None:
    """How a segment's events are shared out; None: it is as it should be.

    `others`: the tenant's other segments. Segments of one class never overlap: where they would, the
    share goes to the next lane of it. Raises `Corrupt` where the columns do not read.
    """
    keeps = expiry.by_type(segment, lambda one: _number(types.keep_s(one)))
    came = expiry.shelf.numbers(segment, "ingested_us")
    found: list[tuple[int, Places]] = []
    for number in np.unique(keeps).tolist():
        places = np.flatnonzero(keeps == number)
        window = window_us(_keep(number))
        if window is None:
            found.append((number, places))
            continue
        found += [
            (number, places[run]) for run in map(_slice, within(came[places].tolist(), window))
        ]
    if len(found) == 1 and _keep(found[0][0]) == keep_of(segment.kept):
        return None
    indexes = expiry.shelf.numbers(segment, "index")
    spans = [(one.kept, one.first, one.last) for one in others]
    shares = []
    for number, places in found:
        first, last = int(indexes[places[0]]), int(indexes[places[-1]])
        kept = lane(_keep(number), first, last, spans)
        spans.append((kept, first, last))
        shares.append(Share(kept, places))
    return shares


def lane(keep_s: int | None, first: int, last: int, spans: Sequence[Span]) -> str:
    """The first lane of a class in which nothing overlaps with these indexes."""
    taken = {kept for kept, begin, end in spans if begin <= last and end >= first}
    number = 0
    while (kept := class_of(keep_s, number)) in taken:
        number += 1
    return kept


def _slice(run: Sequence[int]) -> slice:
    return slice(run[0], run[-1] + 1)


def _number(keep_s: int | None) -> int:
    return _FOR_EVER if keep_s is None else keep_s


def _keep(number: int) -> int | None:
    return None if number == _FOR_EVER else number
