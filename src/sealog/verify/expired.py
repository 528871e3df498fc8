"""What `state.db` notes to have expired: each row is what was written, and a statement says the same."""

from collections.abc import Iterator

import msgspec

from sealog.errors import Altered
from sealog.storage.tables import row_digest
from sealog.verify.moment import ExpiredRow, Moment
from sealog.verify.report import Findings
from sealog.verify.sorting import Sorting

EXPIRED = "state.db expired"
Span = tuple[int, int]


def check(moment: Moment, tenant: int, sorting: Sorting, findings: Findings) -> None:
    """Hold every row of a tenant against the statements that were sorted."""
    for row in moment.expired(tenant):
        if isinstance(row, str):
            findings.fault(EXPIRED, row)
            continue
        try:
            spans = spans_of(row)
        except Altered as error:
            findings.fault(EXPIRED, str(error), row.statement)
            continue
        if not sorting.explains(row.statement, spans):
            what = "no statement at this index says that all of these have expired"
            findings.fault(EXPIRED, what, row.statement)


def spans_of(row: ExpiredRow) -> list[Span]:
    """The indexes that a row names. Raises `Altered` where it is not what was written."""
    if row_digest("expired", *row[:-1]) != row.digest:
        raise Altered("it is not what was written")
    spans = list(_spans(row.indexes))
    noted = row.first, row.last, row.events
    count = sum(last - first + 1 for first, last in spans)
    if not spans or noted != (spans[0][0], spans[-1][1], count):
        raise Altered("first, last or count are not those of its indexes")
    return spans


def _spans(indexes: bytes) -> Iterator[Span]:
    """The first index, then in turn how many stand there and how many are left out."""
    try:
        first, *lengths = msgspec.msgpack.decode(indexes, type=list[int])
    except (msgspec.MsgspecError, ValueError) as error:
        raise Altered("its indexes do not read") from error
    if first < 0 or not len(lengths) % 2 or min(lengths) < 1:
        raise Altered("its indexes do not read")
    at = first
    for count, gap in zip(lengths[::2], [*lengths[1::2], 0], strict=True):
        yield at, at + count - 1
        at += count + gap
