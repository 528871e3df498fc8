"""How a body is refused: every place that is wrong, each by a JSON pointer."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from sealog.errors import Refused

_SHOWN_CHARS_MAX = 100
_KINDS = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


class Wrong(msgspec.Struct, frozen=True):
    """One place that is wrong."""

    pointer: str
    """Into the body (RFC 6901)."""
    code: str
    """A stable kebab-case word."""
    detail: str
    """A sentence, without any value that was sent."""


class Invalid(Refused):
    """The body was read, and may not be what it is."""

    def __init__(self, wrong: Sequence[Wrong]) -> None:
        first, *rest = wrong
        more = f" (and {len(rest)} more)" if rest else ""
        super().__init__(first.detail + more, code="invalid", pointer=first.pointer)
        self.wrong = tuple(wrong)


class Faults:
    """What is found wrong with a body on the way through it: all of it, not the first alone."""

    def __init__(self) -> None:
        self._wrong: list[Wrong] = []

    def say(self, pointer: str, code: str, detail: str) -> None:
        """There is something wrong at a place."""
        self._wrong.append(Wrong(pointer, code, detail))

    def end(self) -> None:
        """Raise `Invalid` where anything was said."""
        if self._wrong:
            raise Invalid(self._wrong)

    def members(
        self, value: object, pointer: str, known: Collection[str], ignored: Collection[str] = ()
    ) -> dict[str, Any]:
        """The known members of an object; nothing of what is none."""
        if not isinstance(value, dict):
            self.say(pointer, "bad-type", f"{_named(pointer)} is {_KINDS[dict]}")
            return {}
        for name in value:
            if name not in known and name not in ignored:
                there = ", ".join(known)
                self.say(
                    f"{pointer}/{_escaped(name)}",
                    "unknown-member",
                    f"there is no such member; known are {there}",
                )
        return {name: value[name] for name in known if name in value}

    def typed(self, members: dict[str, Any], pointer: str, name: str, kind: type) -> Any:
        """A member of that kind; None where it is left out, null, or something else, which is said."""
        value = members.get(name)
        if value is None:
            return None
        if type(value) is not kind:
            self.say(f"{pointer}/{name}", "bad-type", f"{name} is {_KINDS[kind]}")
            return None
        return value


def _named(pointer: str) -> str:
    return pointer.rpartition("/")[2] if pointer else "the body"


def _escaped(name: str) -> str:
    shown = name[:_SHOWN_CHARS_MAX]
    return shown.replace("~", "~0").replace("/", "~1")
