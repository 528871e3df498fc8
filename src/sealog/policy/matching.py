"""Which types a rule is for: by dialect, and by native name or alias, with `*` for anything."""

import functools

from sealog.catalog.entries import fold
from sealog.catalog.shelf import load, matches


def fits(wanted: tuple[str | None, str | None], dialect: str, action: str, alias: str = "") -> bool:
    """Whether a rule for (dialect, action pattern) is for this type; None of either is for all.

    Case counts, as in a search, except in dialects that fold names (EasySend).
    """
    of_dialect, pattern = wanted
    if of_dialect is not None and of_dialect != dialect:
        return False
    if pattern is None:
        return True
    pieces = pattern.split("*")
    if matches(pieces, action) or matches(pieces, alias):
        return True
    return dialect in _folding() and matches([fold(piece) for piece in pieces], fold(action))


@functools.cache
def _folding() -> frozenset[str]:
    return frozenset(file.dialect for file in load().dialects.values() if file.fold)
