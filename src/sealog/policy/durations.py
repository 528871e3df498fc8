"""How long, in words: `48h`, `90d`, `PT48H`, or a number of seconds.

Months and years differ in length, so they are refused: who must keep something for seven years says
2557 days, and has counted the leap days.
"""

import re

MINUTE_S, HOUR_S, DAY_S, WEEK_S = 60, 3_600, 86_400, 604_800
DIGITS_MAX = 12

_UNITS = {"s": 1, "m": MINUTE_S, "h": HOUR_S, "d": DAY_S, "w": WEEK_S}
# `5M` may be five months to whoever wrote it.
_WORDS = re.compile(r"(?:[0-9]{1,12}[smhdwSHDW])+")
_PIECE = re.compile(r"([0-9]+)([smhdw])")
_ISO = re.compile(
    r"P(?:(?P<w>[0-9]{1,12})W|(?:(?P<d>[0-9]{1,12})D)?"
    r"(?:T(?=[0-9])(?:(?P<h>[0-9]{1,12})H)?(?:(?P<m>[0-9]{1,12})M)?(?:(?P<s>[0-9]{1,12})S)?)?)"
)


class NoDuration(ValueError):
    """What was written is no duration; the message says why."""


def seconds_of(written: object) -> int:
    """The seconds of a duration, written as text or as a whole number. Raises `NoDuration`."""
    if type(written) is int:
        return written
    if type(written) is not str:
        raise NoDuration("a duration is text such as 48h, or a whole number of seconds")
    text = written.strip()
    if text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX:
        return int(text)
    if _WORDS.fullmatch(text):
        return sum(int(count) * _UNITS[unit] for count, unit in _PIECE.findall(text.lower()))
    found = _ISO.fullmatch(text.upper())
    if found is not None and any(found.groupdict().values()):
        return sum(int(count or 0) * _UNITS[unit] for unit, count in found.groupdict().items())
    if re.search(r"[0-9] *(?:y|mo)|P[0-9]+[YM]", text, re.IGNORECASE):
        raise NoDuration("months and years differ in length: say days, such as 2557d")
    raise NoDuration("a duration is a number with s, m, h, d or w, such as 48h or 90d, or ISO 8601")


def words_of(seconds: int) -> str:
    """The same in words, as short as is true: `48h`, `90d`; days from three on."""
    if seconds % DAY_S == 0 and seconds >= 3 * DAY_S:
        return f"{seconds // DAY_S}d"
    for unit, size in (("h", HOUR_S), ("m", MINUTE_S)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
