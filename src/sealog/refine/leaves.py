"""The scalar values of a JSON text, each with the secret name it stands under, if any.

The reader never refuses: what is not JSON (missing commas, bare words, text cut off) is read as
far as it goes, because a secret in a broken record is a secret too. It is not recursive.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from sealog.event.findings import pointer
from sealog.refine.layers import Layer
from sealog.refine.rules import NAME_CHARACTERS_MAX, NOTHING, Role, role, secret_name

LEVELS_MAX = 512
"""Deeper brackets are read as if they stood here; a record itself has fewer (`wire` refuses)."""

# Where JSON begins in a text: a bracket and, next, a string or another bracket.
BEGIN = re.compile(rb"""[\[{]\s*+["'{\[]""")
_STRING = rb'"((?:[^"\\]++|\\.)*+)"'
_TOKEN = re.compile(
    rb",?\s*+"
    + _STRING
    + rb"\s*+:\s*+(?:"
    + _STRING
    + rb"|(-?[0-9.]++|true|false|null)(?=[,}\s]))?+"
    rb"""|([{}\[\]:,])|"((?:[^"\\]++|\\.)*+)"?"""
    rb"""|'((?:[^'\\\n]++|\\.)*+)'(?=\s*+[:,}\]])"""
    rb"""|([^\s"{}\[\]:,](?:[^"{}\[\]:,\n]++|://[^\s"{}\[\],]*+)*+)""",
    re.DOTALL,
)
# The groups of a token: a key, and the value that follows it at once; else one thing alone.
_KEY, _KEY_STRING, _KEY_WORD, _MARK, _QUOTED, _APOSTROPHES, _BARE = range(1, 8)
_COLON, _COMMA = 0x3A, 0x2C
_KEY_BYTES_MAX = 256


@lru_cache(maxsize=4096)
def _known(written: bytes) -> tuple[str, Role]:
    key = Layer(written).unescaped(0, len(written)).text.decode("utf-8", "replace")
    return key, role(key)


def _known_key(written: bytes) -> tuple[str, Role]:
    # Long keys are not remembered, so that a sender cannot fill the memory with them.
    return _known(written) if len(written) <= _KEY_BYTES_MAX else _known.__wrapped__(written)


class Frame:
    """An open object or array."""

    __slots__ = (
        "first",
        "is_array",
        "is_kept",
        "key",
        "pair",
        "parent",
        "role",
        "step",
        "under",
        "values",
    )

    def __init__(self, parent: "Frame | None", step: str | int, under: str, first: int) -> None:
        self.parent = parent
        self.step = step
        self.under = under
        self.first = first
        self.is_kept = False
        self.is_array = False
        self.key: str | int | None = None
        self.role = NOTHING
        self.pair = ""
        self.values: list[tuple[int, int]] = []


class Leaf:
    """A string's content or a bare word, from `begin` to `end`, and where it stands."""

    __slots__ = ("begin", "end", "frame", "is_flagged", "is_string", "role", "step", "under")

    def __init__(self, span: tuple[int, int], frame: Frame, under: str) -> None:
        self.begin, self.end = span
        self.is_string = True
        self.is_flagged = True
        self.frame = frame
        self.step = frame.key
        self.role = frame.role
        self.under = under

    def pointer(self) -> str:
        """The JSON pointer of this value."""
        steps: list[str | int] = [] if self.step is None else [self.step]
        frame = self.frame
        while frame.parent is not None and frame.parent.parent is not None:
            steps.append(frame.step)
            frame = frame.parent
        return pointer(*reversed(steps))


class Reader:
    """One pass over a layer's text from `begin`; afterwards `leaves` and `end` are filled.

    With `hits` (of the scan, in order), values that neither a hit nor a name concerns are passed
    over. `documented` names are no secrets.
    """

    def __init__(
        self,
        layer: Layer,
        begin: int = 0,
        *,
        under: str = "",
        hits: Sequence[tuple[int, int]] | None = None,
        documented: frozenset[str] = frozenset(),
    ) -> None:
        self.leaves: list[Leaf] = []
        self.end = len(layer.text)
        self._layer = layer
        self._documented = documented
        self._frame = Frame(None, "", under, 0)
        self._frame.is_kept = hits is None
        self._hits = [] if hits is None else hits
        self._hit = 0
        # Up to here no value is touched by a hit that is still to come.
        self._clear_to = -1 if hits is None else self._hit_begin()
        self._pending: tuple[int, int, bool] | None = None
        self._level = 0
        self._covered: list[tuple[int, int, str]] = []
        self._read(begin)
        if self._covered:
            self._spread()

    def _read(self, begin: int) -> None:
        text = self._layer.text
        for match in _TOKEN.finditer(text, begin):
            kind = match.lastindex
            assert kind is not None
            if kind == _MARK:
                if self._mark(text[match.start()]):
                    self.end = match.end()
                    return
                continue
            if self._pending is not None:
                self._value()
            if kind <= _KEY_WORD:
                written = match[_KEY]
                if kind != _KEY and match.end() < self._clear_to and self._is_plain(written):
                    if self._is_over():
                        break
                    continue
                self._key(written)
            if kind != _KEY:
                self._pending = *match.span(kind), kind not in (_KEY_WORD, _BARE)
        self._finish()

    def _finish(self) -> None:
        if self._pending is not None:
            self._value()
        while self._frame.parent is not None:
            self._leave()

    def _mark(self, mark: int) -> bool:
        """Follow a bracket, colon or comma; whether the outermost bracket was closed."""
        if mark == _COLON and self._pending is not None:
            begin, end, is_string = self._pending
            written = self._layer.text[begin:end]
            self._key(written if is_string else written.rstrip())
            self._pending = None
            return False
        if self._pending is not None:
            self._value()
        if mark == _COMMA:
            self._next()
            return False
        return mark != _COLON and self._bracket(mark)

    def _next(self) -> None:
        frame = self._frame
        if frame.is_array and type(frame.key) is int:
            frame.key += 1
        else:
            frame.key, frame.role = None, NOTHING

    def _bracket(self, mark: int) -> bool:
        """Enter or leave; whether the text's own outermost bracket was closed."""
        if mark in b"{[":
            self._level += 1
            if self._level <= LEVELS_MAX:
                self._enter(is_array=mark == ord("["))
            return False
        if self._level > 0:
            self._level -= 1
            if self._level < LEVELS_MAX:
                self._leave()
        return self._level == 0

    def _key(self, written: bytes) -> None:
        frame = self._frame
        frame.key, frame.role = _known_key(written)
        frame.is_array = False

    def _is_plain(self, written: bytes) -> bool:
        """Whether a scalar under this key, which no hit touches, is of no interest here."""
        frame = self._frame
        return not frame.under and not frame.is_kept and _known_key(written)[1] is NOTHING

    def _is_over(self) -> bool:
        """Whether nothing that is still to come can be of interest: no hit, and no open pair."""
        if self._hit < len(self._hits):
            return False
        frame: Frame | None = self._frame
        while frame is not None:
            if frame.pair:
                return False
            frame = frame.parent
        return True

    def _hit_begin(self) -> int:
        hits = self._hits
        return hits[self._hit][0] if self._hit < len(hits) else len(self._layer.text) + 1

    def _under(self) -> str:
        frame = self._frame
        if frame.role.secret and frame.key not in self._documented:
            return frame.role.secret
        return frame.under

    def _value(self) -> None:
        assert self._pending is not None
        begin, end, is_string = self._pending
        self._pending = None
        frame = self._frame
        its = frame.role
        is_flagged = frame.is_kept or self._is_flagged(begin, end)
        if its is NOTHING and not is_flagged and not frame.under:
            return
        if its.names_a_pair and is_string and end - begin < NAME_CHARACTERS_MAX:
            name = self._layer.unescaped(begin, end).text.decode("utf-8", "replace")
            frame.pair = secret_name(name) or frame.pair
        under = self._under()
        if under or is_flagged or its.card or its.values_a_pair:
            leaf = Leaf((begin, end), frame, under)
            leaf.is_string, leaf.is_flagged = is_string, is_flagged
            self.leaves.append(leaf)
            if its.values_a_pair:
                frame.values.append((len(self.leaves) - 1, len(self.leaves)))
        # A value never lends its name to the next.
        if not frame.is_array:
            frame.key, frame.role = None, NOTHING

    def _is_flagged(self, begin: int, end: int) -> bool:
        hits = self._hits
        while self._hit < len(hits) and hits[self._hit][1] < begin:
            self._hit += 1
        self._clear_to = self._hit_begin()
        return self._hit < len(hits) and hits[self._hit][0] <= end

    def _enter(self, *, is_array: bool) -> None:
        parent = self._frame
        its = parent.role
        step = "" if parent.key is None else parent.key
        frame = Frame(parent, step, self._under(), len(self.leaves))
        # The name of a pair may come after its value.
        frame.is_kept = parent.is_kept or its.values_a_pair
        if is_array:
            frame.is_array, frame.key = True, 0
            frame.role = NOTHING if its is NOTHING else Role(its.secret, card=its.card)
        self._frame = frame

    def _leave(self) -> None:
        frame, parent = self._frame, self._frame.parent
        assert parent is not None
        if frame.pair:
            self._covered += ((first, last, frame.pair) for first, last in frame.values)
        self._frame = parent
        if parent.role.values_a_pair:
            parent.values.append((frame.first, len(self.leaves)))
        if not parent.is_array:
            parent.key, parent.role = None, NOTHING

    def _spread(self) -> None:
        """Give every value of a `{"name": …, "value": …}` pair its name; nested pairs overlap."""
        at = 0
        for first, last, name in sorted(self._covered):
            for leaf in self.leaves[max(at, first) : last]:
                leaf.under = leaf.under or name
            at = max(at, last)
