"""Which of the two applications wrote a log (ES-09): its label `app_type`, read from the parts.

No search column holds it. Of a catalogued type it stands in the facts, which are opened a pack at a
time and hardly ever read one by one: mostly all of a pack, or none, is of one application.
"""

from collections.abc import Sequence

import msgspec

from sealog.archive.packwise import Piece
from sealog.compat.easysend_asking import APPLICATIONS
from sealog.event.packs import Unpacker
from sealog.event.parts import FACTS, REST

_KEY = b'"app_type"'
# Within a string of JSON a quote has a backslash before it: nothing but a key looks like this.
_BEFORE = _KEY + b':"'
_KNOWN = {name: name.encode() + b'"' for name in APPLICATIONS}


class _Labels(msgspec.Struct):
    app_type: str | None = None


class _Labelled(msgspec.Struct):
    labels: _Labels | None = None


_READ = msgspec.json.Decoder(_Labelled).decode


class Application:
    """Chooses the logs of one application, of pieces of packs. Used by one thread at a time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._ours = _KNOWN[name]
        self._others = tuple([text for text in _KNOWN.values() if text != self._ours])
        self._unpacker = Unpacker()
        self.looked_at = 0
        """How many events it was asked of."""

    def __call__(self, piece: Piece) -> Sequence[int]:
        """The places of its logs; see `snapshots.Choose`."""
        pack = piece.pack
        places = range(len(pack.masks)) if piece.places is None else piece.places
        self.looked_at += len(places)
        facts = self._unpacker.joined(pack, FACTS)
        if facts.count(_BEFORE + self._ours) == len(pack.masks):
            return places
        # Where all events say it once, what stands behind it stands in the order of the events.
        if facts.count(_KEY) == len(pack.masks):
            following = facts.split(_BEFORE)[1:]
            if len(following) == len(pack.masks):
                found = [place for place in places if following[place].startswith(self._ours)]
                rest = sum([following[place].startswith(self._others) for place in places])
                if len(found) + rest == len(places):
                    return found
        return self._read(piece, places)

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
            if _KEY in part and _label_of(part).lower() == self._name:
                found.append(place)
        return found


def _label_of(part: bytes) -> str:
    try:
        labels = _READ(part).labels
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # Labels of another shape are nobody's: the type of a label is in the document (ES-46).
        return ""
    return "" if labels is None else labels.app_type or ""
