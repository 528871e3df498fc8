"""Which of the two applications wrote a log (ES-09): its label `app_type`, read from the parts.

No search column holds it. Of a catalogued type it stands in the facts, which are opened a pack at a
time and hardly ever read one by one: mostly all of a pack, or none, is of one application.
"""

import re
from collections.abc import Sequence

import msgspec

from sealog.archive.packwise import Piece
from sealog.event.packs import Unpacker
from sealog.event.parts import FACTS, REST

# Within a string of JSON a quote has a backslash before it: nothing but a key looks like this.
_LABEL = re.compile(rb'"app_type":"([^"\\]*)"')
_KEY = b'"app_type"'


class _Labels(msgspec.Struct):
    app_type: str | None = None


class _Labelled(msgspec.Struct):
    labels: _Labels | None = None


_READ = msgspec.json.Decoder(_Labelled).decode


class Application:
    """Chooses the logs of one application, of pieces of packs. Used by one thread at a time."""

    def __init__(self, name: str) -> None:
        self._name = name.encode()
        self._whole = b'"app_type":"%b"' % self._name
        self._unpacker = Unpacker()
        self.looked_at = 0
        """How many events it was asked of."""

    def __call__(self, piece: Piece) -> Sequence[int]:
        """The places of its logs; see `snapshots.Choose`."""
        pack = piece.pack
        places = range(len(pack.masks)) if piece.places is None else piece.places
        self.looked_at += len(places)
        facts = self._unpacker.joined(pack, FACTS)
        if facts.count(self._whole) == len(pack.masks):
            return places
        named = facts.count(_KEY)
        if named == len(pack.masks) == len(_LABEL.findall(facts)):
            return self._named(self._unpacker.parts(pack, FACTS), places)
        return self._read(piece, places)

    def _named(self, parts: Sequence[bytes], places: Sequence[int]) -> list[int]:
        return [place for place in places if self._is_in(parts[place])]

    def _is_in(self, part: bytes) -> bool:
        found = _LABEL.search(part)
        return found is not None and found[1].lower() == self._name

    def _read(self, piece: Piece, places: Sequence[int]) -> list[int]:
        """Where not all of them say it among their facts, or say it in an unusual way."""
        facts = self._unpacker.parts(piece.pack, FACTS)
        rests: list[bytes] | None = None
        found = []
        for place in places:
            part = facts[place]
            if _KEY not in part:
                if rests is None:
                    rests = self._unpacker.parts(piece.pack, REST)
                part = rests[place]
            if _KEY in part and _label_of(part).lower().encode() == self._name:
                found.append(place)
        return found


def _label_of(part: bytes) -> str:
    try:
        labels = _READ(part).labels
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # Labels of another shape are nobody's: the type of a label is in the document (ES-46).
        return ""
    return "" if labels is None else labels.app_type or ""
