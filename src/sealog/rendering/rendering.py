"""Events out in the shape of a dialect.

An event of that very dialect comes out as it came in. What is left of one of which a part was erased
is put together again, and every other event gets the closest shape that the product documents: what
it does not have is left out, and nothing is made up.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from sealog.catalog import shelf
from sealog.dialects import registry
from sealog.errors import Refused
from sealog.event import joining
from sealog.event.moulds import Derive, Moulds
from sealog.event.packs import Opened, Pack, Unpacker
from sealog.event.parts import FACTS, PART_NAMES, REST, STATEMENT_ENTRY
from sealog.event.tokens import Tree
from sealog.rendering import (
    chatvisor,
    closer,
    easysend,
    logichub,
    originals,
    supsis,
    versions,
)
from sealog.rendering.documents import Document, line

DIALECTS: tuple[str, ...] = registry.NAMES
ECS = "ecs"
ECS_VERSIONS = ("8.11", "1.9")

_KINDS = range(len(PART_NAMES))
_ERASED = 4
"""From this bit on, a pack's masks say which parts are erased."""
_STATEMENT = STATEMENT_ENTRY[0]


class _Shape(msgspec.Struct, frozen=True):
    """How events get the shape of a product."""

    rebuilt: Callable[[Document], Tree]
    """One of its own, of what is left of it."""
    closest: Callable[[Document], Tree]
    """One of another dialect."""
    inner: str | None = None
    """Where in what they give the document stands; None where it is that itself."""


class Renderer:
    """Writes events in one shape; remembers what it saw. May be used from any thread."""

    def __init__(
        self, dialect: str, *, ecs_version: str = ECS_VERSIONS[0], derive: Derive | None = None
    ) -> None:
        """`derive`: what follows from an event, shown with it in `ecs`.

        Raises `Refused` (`unknown-dialect`, `bad-ecs-version`) naming what there is.
        """
        check(dialect, ecs_version)
        self.dialect = dialect
        self._moulds: Moulds | None = None
        if dialect == ECS:
            old = ecs_version != ECS_VERSIONS[0]
            self._moulds = Moulds(Derive(partial(_add_old, derive)) if old else derive)
        else:
            self._shape = _shapes()[dialect]

    def event(self, opened: Opened, index: int) -> bytes:
        """One event as a JSON object on one line, without its break."""
        if self._moulds is not None:
            return self._moulds.shown(opened, index).translate(_ON_ONE_LINE)
        if not opened.erased and opened.kind != STATEMENT_ENTRY:
            original = originals.of_parts(opened.parts, self.dialect)
            if original is not None:
                return original
        tree = joining.document(opened, index)
        return self._written(tree, is_statement=opened.kind == STATEMENT_ENTRY)

    def lines(
        self, pack: Pack, base: int, unpacker: Unpacker, places: Sequence[int] | None = None
    ) -> bytes:
        """The events of a pack as NDJSON, all or those at some places (ascending, from 0).

        `base`: the index from which the pack counts its own. Raises `Altered` if it does not open.
        """
        if self._moulds is not None:
            return self._moulds.lines(pack, base, unpacker, places)
        return b"\n".join([*self.listed(pack, base, unpacker, places), b""])

    def listed(
        self, pack: Pack, base: int, unpacker: Unpacker, places: Sequence[int] | None = None
    ) -> list[bytes]:
        """The same events, each by itself."""
        if self._moulds is not None:
            return self._moulds.lines(pack, base, unpacker, places).split(b"\n")[:-1]
        columns = {number: unpacker.parts(pack, number) for number in (FACTS, REST)}
        facts, rests = columns.values()
        if places is None:
            places = range(len(pack.masks))
        else:
            facts, rests = [facts[at] for at in places], [rests[at] for at in places]
        found = originals.of_dialect(facts, rests, self.dialect)
        left = [
            (at, place)
            for at, place in enumerate(places)
            if found[at] is None or pack.masks[place] >> _ERASED or pack.kinds[place] == _STATEMENT
        ]
        if left:
            columns |= {n: unpacker.parts(pack, n) for n in _KINDS if n not in columns}
            ordered = [columns[number] for number in _KINDS]
            trees = joining.documents(ordered, pack, base, [place for _, place in left])
            for (at, place), tree in zip(left, trees, strict=True):
                found[at] = self._written(tree, is_statement=pack.kinds[place] == _STATEMENT)
        return found  # type: ignore[return-value]

    def _written(self, tree: Tree, *, is_statement: bool) -> bytes:
        """An event that does not come out as it came in."""
        document = Document(tree, self.dialect)
        if is_statement:
            return line({"sealog": document.sealog})
        shape = self._shape
        shaped = shape.rebuilt(document) if document.own else shape.closest(document)
        erased = document.get("sealog.erased")
        if erased is not None:
            home = shaped if shape.inner is None else shaped[shape.inner]
            home["sealog"] = {"erased": erased}
        return line(shaped)


def check(dialect: str, ecs_version: str) -> None:
    """Raise `Refused` for what is no dialect, or no ECS version that events leave in."""
    if dialect not in DIALECTS:
        msg = f"there is no dialect {dialect[:64]!r}; there are {', '.join(DIALECTS)}"
        raise Refused(msg, code="unknown-dialect")
    if ecs_version not in ECS_VERSIONS:
        msg = f"an ECS version is one of {', '.join(ECS_VERSIONS)}"
        raise Refused(msg, code="bad-ecs-version")
    if dialect != ECS and ecs_version != ECS_VERSIONS[0]:
        msg = f"the shape of {dialect} has its own ECS version; ecs_version is for dialect {ECS}"
        raise Refused(msg, code="bad-ecs-version")


def _add_old(derive: Derive | None, tree: Tree) -> None:
    if derive is not None:
        derive.add(tree)
    versions.to_1_9(tree)


def _shapes() -> Mapping[str, _Shape]:
    return {
        "closer": _Shape(closer.rebuilt, closer.closest, inner="_source"),
        "easysend": _Shape(easysend.rebuilt, easysend.closest),
        "chatvisor": _Shape(chatvisor.rebuilt, partial(chatvisor.closest, catalog=shelf.load())),
        "supsis": _Shape(supsis.rebuilt, supsis.closest),
        "logichub": _Shape(logichub.rebuilt, logichub.closest),
    }


_ON_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")
