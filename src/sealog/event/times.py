"""Times as senders write them, to microseconds and to the text that is sealed.

The sealed text is UTC with `Z` and the digits as sent, at least three; order and columns use int64
microseconds. Nothing here reads a clock.
"""

import re
from datetime import UTC, datetime, timedelta

import msgspec

from sealog.event.findings import Finding

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
FUTURE_US = 24 * 3600 * 1_000_000
"""A time further ahead of ours than this is kept, with the finding `future-time`."""

_ISO = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,30}))?)?"
    r"\s*(Z|z|UTC|[+-]\d{2}[\d:.]{0,10})?",
    re.ASCII,
)
_SLASHED = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4})[T ,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,30}))?)?\s*(\S+)?",
    re.ASCII,
)
_COMPACT = re.compile(r"((?:19|20|21)\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d{2})(?::?(\d{2}))?(?::?(\d{2}))?", re.ASCII)
# Hours with a fraction, the same minutes perhaps written again behind it: `+05.5`, `+05.5:30`.
_BAD_OFFSET = re.compile(r"([+-])(\d{2})(\.\d{1,2})(?::(\d{2}))?", re.ASCII)
_EPOCH_NUMBER = re.compile(r"-?\d{9,19}(?:\.\d{1,9})?", re.ASCII)


class Moment(msgspec.Struct, frozen=True):
    """A usable time: microseconds since 1970, the sealed text, and what was odd about it."""

    at_us: int
    text: str
    oddities: tuple[tuple[str, str], ...] = ()
    """(code, detail) pairs, for findings."""

    def findings(self, where: str) -> list[Finding]:
        """The oddities as findings about the value at JSON pointer `where`."""
        return [Finding(code, where, detail) for code, detail in self.oddities]


def read(text: str, *, day_first: bool = True) -> Moment | None:
    """Read a time in any form the dialects know; None if it is none of them.

    ISO 8601 with `Z`, `+05:30`, `+0000`, or no zone (taken as UTC, `no-zone`); 1 to 30 digits of a
    fraction; `dd/mm/yyyy hh:mm:ss` with an offset, even the malformed `+05.5:30` (`bad-offset`);
    `YYYYMMDDHHMMSS` in UTC; milliseconds (or seconds, micro-, nanoseconds by size) since 1970, as
    digits.
    """
    quick = _quick(text)
    if quick is not None:
        return quick
    text = text.strip()
    match = _ISO.fullmatch(text)
    if match is not None:
        year, month, day, hour, minute, second, fraction, zone = match.groups()
        return _moment((year, month, day, hour, minute, second), fraction, zone, [])
    match = _SLASHED.fullmatch(text)
    if match is not None:
        first, second_, year, hour, minute, second, fraction, zone = match.groups()
        day, month = (first, second_) if day_first else (second_, first)
        odd = [("ambiguous-date", "read day first" if day_first else "read month first")]
        if int(first) > 12 or int(second_) > 12 or first == second_:  # noqa: PLR2004 - months
            odd = []
        return _moment((year, month, day, hour, minute, second), fraction, zone, odd)
    match = _COMPACT.fullmatch(text)
    if match is not None:
        year, month, day, hour, minute, second = match.groups()
        return _moment((year, month, day, hour, minute, second), None, "Z", [])
    if _EPOCH_NUMBER.fullmatch(text):
        return _from_epoch(text)
    return None


def _quick(text: str) -> Moment | None:
    """The form nearly everyone sends: `2026-11-20T12:00:00.123Z`, 3 to 6 digits."""
    if len(text) not in _QUICK_LENGTHS or text[-1] != "Z" or text[10] != "T" or text[19] != ".":
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    # `fromisoformat` also takes weeks (`2026-W47-5`), which RFC 3339 and our readers do not.
    if text[4] != "-" or text[5] == "W" or text[13] != ":" or not text.isascii():
        return None
    if not text[20:-1].isdecimal():
        return None
    return Moment((at - _EPOCH) // _MICROSECOND, text)


_QUICK_LENGTHS = frozenset(range(24, 28))
_SECOND_CHARS = len("2026-11-20T12:00:00")
SECONDS_MAX = 4_096


class Seconds:
    """Reads times as nearly everyone sends them, and remembers the seconds: the same ones come again."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def us(self, text: str) -> int | None:
        """The microseconds since 1970 of a time that `read` takes as it stands; None for any other."""
        fraction = text[_SECOND_CHARS + 1 : -1]
        scale = _SCALES.get(len(text))
        if scale is None or text[_SECOND_CHARS] != "." or text[-1] != "Z":
            return None
        if not fraction.isdecimal() or not fraction.isascii():
            return None
        second = text[:_SECOND_CHARS]
        at_us = self._known.get(second)
        if at_us is None:
            found = _quick(f"{second}.000Z")
            if found is None:
                return None
            at_us = found.at_us
            if len(self._known) >= SECONDS_MAX:
                self._known.clear()
            self._known[second] = at_us
        return at_us + int(fraction) * scale


_SCALES: dict[int, int] = {length: 10 ** (27 - length) for length in _QUICK_LENGTHS}
"""By a time's length, how many microseconds its last digit counts."""


def _moment(
    clock: tuple[str, str, str, str, str, str | None],
    fraction: str | None,
    zone: str | None,
    odd: list[tuple[str, str]],
) -> Moment | None:
    offset, oddity = _offset(zone)
    if offset is None:
        return None
    year, month, day, hour, minute, second = (int(value or 0) for value in clock)
    leap = second == 60  # noqa: PLR2004 - a leap second stands for the last moment before it
    try:
        at = datetime(year, month, day, hour, minute, 59 if leap else second, tzinfo=UTC) - offset
    except (ValueError, OverflowError):
        return None
    digits = fraction or ""
    odd = odd + ([oddity] if oddity else []) + ([("leap-second", "read as :59")] if leap else [])
    at_us = (at - _EPOCH) // _MICROSECOND + int((digits + "000000")[:6])
    text = f"{at:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + f".{digits.ljust(3, '0')}Z"
    return Moment(at_us, text, tuple(odd))


def _offset(zone: str | None) -> tuple[timedelta | None, tuple[str, str] | None]:
    if zone is None:
        return timedelta(), ("no-zone", "taken as UTC")
    if zone in ("Z", "z", "UTC"):
        return timedelta(), None
    odd = None
    match = _OFFSET.fullmatch(zone)
    if match is not None:
        sign, hours, minutes, seconds = match.groups()
    else:
        match = _BAD_OFFSET.fullmatch(zone)
        if match is None:
            return None, None
        sign, hours, part, minutes = match.groups()
        minutes, seconds = minutes or f"{int(float(part) * 60):02d}", None
        odd = ("bad-offset", f"{zone} read as {sign}{hours}:{minutes}")
    if int(hours) > 23 or int(minutes or 0) > 59 or int(seconds or 0) > 59:  # noqa: PLR2004
        return None, None
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0), seconds=int(seconds or 0))
    return (-offset if sign == "-" else offset), odd


def _from_epoch(text: str) -> Moment | None:
    whole, _, fraction = text.partition(".")
    digits = len(whole.lstrip("-"))
    scale = 6 if digits <= 11 else 3 if digits <= 14 else 0 if digits <= 17 else -3  # noqa: PLR2004
    number = int(whole + (fraction + "000000")[:6]) if fraction else int(whole) * 10**6
    at_us = number * 10**scale // 10**6 if scale >= 0 else number // 10 ** (6 - scale)
    written = format_us(at_us, digits=3 if at_us % 1000 == 0 else 6)
    return None if written is None else Moment(at_us, written)


def format_us(at_us: int, *, digits: int = 6) -> str | None:
    """RFC 3339 text in UTC with `digits` (3 or 6) of a fraction; None past the years 1 to 9999."""
    try:
        at = _EPOCH + timedelta(microseconds=at_us)
    except OverflowError:
        return None
    text = at.isoformat(timespec="milliseconds" if digits == 3 else "microseconds")  # noqa: PLR2004
    return text.removesuffix("+00:00") + "Z"
