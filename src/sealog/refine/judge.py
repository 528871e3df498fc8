"""The exact rules, applied to one record that the scan has flagged: what is to be cut, and why."""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import msgspec

from sealog.event.findings import pointer
from sealog.event.shapes import SHAPES_MAX, Shaped
from sealog.refine import flat
from sealog.refine.assignments import assignments
from sealog.refine.layers import Layer, has_percent
from sealog.refine.leaves import BEGIN, Leaf, Reader
from sealog.refine.rules import MASKED, NOTHING, is_number_name, is_placeholder, role
from sealog.refine.scan import is_suspect, suspects
from sealog.refine.shapes import is_card, shapes

LAYERS_MAX = 16
"""How often a text may be encoded; what may hide a secret deeper than that is cut whole."""
READ_TIMES_MAX = 24
"""How often its own length may be read in judging one record, all layers together."""

_SMALL_BYTES = 4096
_KEYS_REMEMBERED = 4096
_NUMBER = re.compile(rb"-?[0-9][0-9.eE+\-]*+")
_CARD_NUMBER = re.compile(rb"([0-9]{15,16})(?:\.0+)?")
_NO_STRING = frozenset({b"true", b"false", b"null", b"none", b"undefined", b"nan"})
_ESCAPED = re.compile(rb"""\\["'u/nrt]""")
_INPUT_NAMES = frozenset(
    [
        "text",
        "value",
        "input",
        "textinput",
        "inputtext",
        "inputvalue",
        "textvalue",
        "newvalue",
        "oldvalue",
        "newtext",
        "oldtext",
        "content",
        "typed",
    ]
)
_FOLDED = str.maketrans("", "", "_-. ")
INPUT = "input-text"


class Cut(msgspec.Struct, frozen=True):
    """Bytes `begin` to `end` of a record, and what stands there afterwards."""

    begin: int
    end: int
    instead: bytes
    detail: str
    """The name or the kind of shape that gave it away; never the value."""
    pointer: str


def judged(
    text: bytes,
    hits: Sequence[tuple[int, int]],
    *,
    documented: frozenset[str] = frozenset(),
    is_input: bool = False,
) -> list[Cut]:
    """What is to be cut from a record's bytes, in order and without overlap.

    `hits` is where the scan stopped. `documented` names are no secrets by name. `is_input`: what
    somebody typed is cut too (CV-Q5).
    """
    judge = _Judge(text, hits, documented, is_input=is_input)
    judge.record()
    return _without_overlap(judge.cuts)


def judged_shaped(text: bytes, hits: Sequence[tuple[int, int]], shaped: Shaped) -> list[Cut] | None:
    """The same for a record of a known shape, of which only what a hit touches is looked at.

    None where a key says something of its value, or a hit touches more than a scalar. Where all
    keys say nothing, a reader passes over whatever no hit touches, and a number, too.
    """
    touched = None if _tell(shaped.shape.keys) else shaped.scalars(hits)
    if touched is None:
        return None
    judge = _Judge(text, hits, frozenset(), is_input=False)
    for begin, end, number in touched:
        judge.string(begin, end, shaped.shape.paths[number])
    return _without_overlap(judge.cuts)


@lru_cache(_KEYS_REMEMBERED)
def _tells(key: str) -> bool:
    return role(key) is not NOTHING


@lru_cache(SHAPES_MAX)
def _tell(keys: frozenset[str]) -> bool:
    return any(map(_tells, keys))


def cut(text: bytes, cuts: Sequence[Cut]) -> bytes:
    """The bytes with every span replaced and nothing else touched."""
    pieces: list[bytes] = []
    at = 0
    for one in cuts:
        pieces += (text[at : one.begin], one.instead)
        at = one.end
    pieces.append(text[at:])
    return b"".join(pieces)


def _without_overlap(cuts: list[Cut]) -> list[Cut]:
    result: list[Cut] = []
    for one in sorted(cuts, key=lambda one: (one.begin, -one.end)):
        if result and one.begin < result[-1].end:
            last = result[-1]
            if one.end > last.end:
                result[-1] = msgspec.structs.replace(last, end=one.end)
            continue
        result.append(one)
    return result


class _Judge:
    def __init__(
        self,
        text: bytes,
        hits: Sequence[tuple[int, int]],
        documented: frozenset[str],
        *,
        is_input: bool,
    ) -> None:
        self.cuts: list[Cut] = []
        self._root = Layer(text)
        self._documented = documented
        self._is_input = is_input
        self._hits = hits
        self._budget = READ_TIMES_MAX * len(text) + _SMALL_BYTES
        self._pointer: Callable[[], str] = str

    def string(self, begin: int, end: int, path: Sequence[str]) -> None:
        """Judge what stands between these bytes, a string's where a quote stands before them."""
        if end > begin and self._root.text[begin - 1 : begin] == b'"':
            self._pointer = partial(pointer, *path)
            self._inside(self._root.unescaped(begin, end))

    def record(self) -> None:
        text = self._root.text
        if not text.lstrip().startswith(b"{"):
            self._inside(self._root)
            return
        hits = None if self._is_input else self._hits
        reader = Reader(self._root, hits=hits, documented=self._documented)
        for leaf in reader.leaves:
            self._pointer = leaf.pointer
            self._judge_leaf(self._root, leaf)
        self._pointer = str
        if reader.end < len(text) and text[reader.end :].strip():
            self._inside(self._root.part(reader.end, len(text)))

    def _judge_leaf(self, layer: Layer, leaf: Leaf) -> None:
        under = leaf.under
        if self._is_input and layer is self._root and _is_typed(leaf):
            under = INPUT
        if not leaf.is_string:
            self._judge_word(layer, leaf, under)
        elif under:
            if leaf.end > leaf.begin and not is_placeholder(layer.text[leaf.begin : leaf.end]):
                self._cut(layer, leaf.begin, leaf.end, MASKED, under)
        elif leaf.is_flagged and leaf.end > leaf.begin:
            self._inside(layer.unescaped(leaf.begin, leaf.end))

    def _judge_word(self, layer: Layer, leaf: Leaf, under: str) -> None:
        """A number, a literal, or (where it is not quite JSON) a string without quotes."""
        word = layer.text[leaf.begin : leaf.end].rstrip()
        end = leaf.begin + len(word)
        if word.lower() in _NO_STRING:
            return
        if _NUMBER.fullmatch(word) is not None:
            card = _CARD_NUMBER.fullmatch(word) if leaf.role.card else None
            is_secret = under == INPUT or (under and is_number_name(under))
            if is_secret or (card is not None and is_card(card[1])):
                detail = under or "card-number"
                self._cut(layer, leaf.begin, end, layer.quoted(MASKED), detail)
        elif not under:
            self._inside(layer.part(leaf.begin, end))
        elif not is_placeholder(word):
            self._cut(layer, leaf.begin, end, layer.quoted(MASKED), under)

    def _inside(self, layer: Layer) -> None:
        """Whatever a decoded text holds: JSON, and the text around it."""
        text = layer.text
        hits = list(suspects(text))
        if not hits:
            return
        self._budget -= len(text)
        if layer.depth > LAYERS_MAX or self._budget < 0:
            self._cut(layer, 0, len(text), MASKED, "nested-too-deep")
            return
        named = flat.named(text, hits)
        if named is not None:
            for first, last, name in named:
                self._cut(layer, first, last, MASKED, name)
            return
        if text.lstrip().startswith(b'"'):
            self._leaves(layer, Reader(layer, hits=hits))
            return
        at = 0
        while (begin := BEGIN.search(text, at)) is not None:
            pending = self._text(layer.part(at, begin.start()))
            reader = Reader(layer, begin.start(), under=pending, hits=hits)
            self._leaves(layer, reader)
            at = reader.end
        self._text(layer.part(at, len(text)))

    def _leaves(self, layer: Layer, reader: Reader) -> None:
        for leaf in reader.leaves:
            self._judge_leaf(layer, leaf)

    def _text(self, layer: Layer) -> str:
        """Text that is not JSON. Returns the secret name that it ends with, if any."""
        text = layer.text
        if not text or not is_suspect(text):
            return ""
        self._budget -= len(text)
        named = assignments(text)
        for begin, end, name in (*named.found, *shapes(text)):
            self._cut(layer, begin, end, MASKED, name)
        if _ESCAPED.search(text) is not None:
            self._inside(layer.unescaped(0, len(text)))
        if has_percent(text):
            self._inside(layer.unpercented())
        return named.pending

    def _cut(self, layer: Layer, begin: int, end: int, instead: bytes, detail: str) -> None:
        if begin >= end:
            return
        self.cuts.append(Cut(layer.at(begin), layer.at(end), instead, detail, self._pointer()))


def _is_typed(leaf: Leaf) -> bool:
    """Whether a value of an `INPUT` event is what somebody typed."""
    _, *steps = leaf.pointer().split("/")
    if steps == ["data"]:
        return True
    names = steps[1:] if steps[:1] == ["data"] else steps
    return bool(names) and names[0].translate(_FOLDED).lower() in _INPUT_NAMES
