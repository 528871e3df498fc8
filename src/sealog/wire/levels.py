"""How deep a text goes and how many keys it has, before any recursive reader sees it."""

import numpy as np
from numpy.typing import NDArray

from sealog.event.tokens import KEYS_MAX, LEVELS_MAX

_QUOTE, _BACKSLASH, _COLON = b'"\\:'
# `[` and `{`, like `]` and `}`, differ in one bit.
_CASE_BIT, _OPEN, _CLOSE = 0x20, 0x7B, 0x7D


def lines_may_exceed(lines: list[bytes]) -> bool:
    """Whether any line may go too deep or have too many keys; never wrong when False."""
    # The shortest keys take five bytes with all that must stand around them: `"":0,`.
    if max(map(len, lines), default=0) > 5 * KEYS_MAX:
        return True
    return any([line.count(b"{") + line.count(b"[") > LEVELS_MAX for line in lines])  # noqa: C419 - quicker


def exceeds(text: bytes) -> bool:
    """Whether one JSON text has more than `LEVELS_MAX` levels or `KEYS_MAX` keys.

    Exact for JSON; for anything else it may be wrong either way. Linear, a few ms a MiB.
    """
    if text.count(b"{") + text.count(b"[") <= LEVELS_MAX and text.count(b":") <= KEYS_MAX:
        return False
    signs = np.frombuffer(text, np.uint8)
    quotes = _unescaped_quotes(signs)
    outside = (np.cumsum(quotes, dtype=np.uint8) & 1) == 0
    folded = signs | _CASE_BIT
    steps = ((folded == _OPEN) & outside).view(np.int8) - ((folded == _CLOSE) & outside)
    keys = np.count_nonzero((signs == _COLON) & outside)
    return bool(keys > KEYS_MAX or np.cumsum(steps, dtype=np.int32).max() > LEVELS_MAX)


def _unescaped_quotes(signs: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the quotes are that no odd run of backslashes precedes."""
    quotes: NDArray[np.bool_] = signs == _QUOTE
    at = np.flatnonzero(signs == _BACKSLASH)
    if len(at):
        apart = np.diff(at) != 1
        first = at[np.append(True, apart)]
        last = at[np.append(apart, True)]
        escaped = last[(last - first) % 2 == 0] + 1
        quotes[escaped[escaped < len(signs)]] = False
    return quotes
