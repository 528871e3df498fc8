"""How the Elasticsearch interface refuses: in the words and the shape that its clients read."""

from typing import Any

import msgspec

from sealog.errors import Refused


class Rejected(Refused):
    """Something of an Elasticsearch request is wrong, or not there.

    `kind` is the error's `type`, as Elasticsearch names it, and `status` what is answered.
    """

    def __init__(
        self, reason: str, *, kind: str = "illegal_argument_exception", status: int = 400
    ) -> None:
        super().__init__(reason)
        self.kind = kind
        self.status = status


def unsupported(what: str, instead: str = "") -> Rejected:
    """Something that Elasticsearch has and Sealog does not: named, never quietly left out."""
    reason = f"[{what[:200]}] is not supported by Sealog"
    return Rejected(f"{reason}; {instead}" if instead else reason)


def unparsable(reason: str) -> Rejected:
    """A body or a clause that is not what it must be."""
    return Rejected(reason, kind="parsing_exception")


def no_index(name: str) -> Rejected:
    """There is no index of this name."""
    return Rejected(f"no such index [{name[:200]}]", kind="index_not_found_exception", status=404)


def body(error: Rejected) -> dict[str, Any]:
    """What Elasticsearch answers with an error."""
    cause = {"type": error.kind, "reason": error.detail}
    return {"error": {"root_cause": [cause], **cause}, "status": error.status}


def encoded(error: Rejected) -> bytes:
    """The same as JSON."""
    return msgspec.json.encode(body(error))
