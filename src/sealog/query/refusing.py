"""How a query is refused: what is wrong, where, and what should stand there instead."""

from sealog.errors import Refused

_SHOWN_CHARS_MAX = 60


class BadQuery(Refused):
    """What was written is no query.

    `offset` and `length` (in characters, from 0) are the place; `suggestion`, where there is one,
    is what should stand there instead.
    """

    def __init__(
        self, detail: str, *, offset: int = 0, length: int = 0, suggestion: str | None = None
    ) -> None:
        super().__init__(detail, code="bad-query")
        self.offset = offset
        self.length = length
        self.suggestion = suggestion


def shown(text: str) -> str:
    """A piece of a query as it stands in an error: in quotes, on one line, not too long."""
    return repr(text if len(text) <= _SHOWN_CHARS_MAX else text[: _SHOWN_CHARS_MAX - 1] + "…")
