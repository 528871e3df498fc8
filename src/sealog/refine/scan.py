"""One look over a whole batch for what may be a secret.

The pattern may report too much, never too little: whatever the exact rules would cut must overlap
a hit. It stays selective by wanting a name next to its value (`password":`, `token=`), in any
depth of escaping. google-re2, so that the time is linear in the bytes whatever they are.
"""

import re
import string
from collections.abc import Iterator

import re2

from sealog.refine.rules import NOUNS, PAIR_NAMES, name_pattern
from sealog.refine.shapes import CARD_DIGITS_MAX, is_card

_NAME_BYTES_UNBOUND_MIN = 5
_QUOTE = r"""(?:\\*["'`]|\\+u002[27]|%(?:25)*2[27])"""
_BLANK = r"\s|\\+[nrt]|\\+u00(?:09|0a|0d|20)|%(?:25)*(?:20|09|0a|0d)|\+"
_SPACE = rf"(?:{_BLANK})*"
_MEETS = r"(?:[=:>]|\\+u003[dae]|%(?:25)*3[dae])"
_CLOSERS = rf"(?:{_QUOTE}|\\|\]|%(?:25)*5d|[_\-.]|{_BLANK})*"
_JOINT = r"(?:[_\-. +]|%(?:25)*20)*"
# What may stand before a short name, `\n` and `%26` included, so that `spin` is none.
_LEFT = r"(?:^|[^a-z0-9]|%(?:25)*[0-9a-f]{2}|\\u00[0-9a-f]{2}|\\[bfnrt])"
# Nobody has to escape letters, digits, `_ - . : \` or `%`: where somebody did, a name or a shape
# may hide.
_ODD = (
    r"\\u00(?:2[0134589acde]|3[0-9abf]|[46][1-9a-f]|5[0-9a-f]|7[0-9a-e])"
    r"|%(?:25)*(?:3[0-9]|[46][1-9a-f]|[57][0-9a]|2[de]|5f)"
)
_GAP = r"(?:[ +\-]|%(?:25)*20)?"
_DIGIT = rf"(?:{_GAP}[0-9])"
_CARD = (
    r"(?:^\.?|[^0-9A-Za-z.]|[^0-9]\.|%(?:25)*[0-9A-Fa-f]{2}\.?|u00[0-9A-Fa-f]{2}\.?|\\[bfnrt])(?:"
    rf"4{_DIGIT}{{12}}"
    rf"|(?:5{_GAP}[0-8]|6{_GAP}[0-9]|8{_GAP}1|3{_GAP}[5]|2{_GAP}[2-7]){_DIGIT}{{11}}"
    rf"|3{_GAP}[04-9]{_DIGIT}{{12}})"
)
_SHAPES = (
    r"-----BEGIN[A-Z0-9 +%]*PRIVATE|e[yw][A-Za-z0-9_\-]{9,}\.[A-Za-z0-9_\-]+\.",
    r"sl[kv]_[A-Za-z0-9_\-]{8}|gh[pousr]_[A-Za-z0-9]{16}|github_pat_|xox[abeoprs]-[A-Za-z0-9]",
    r"xapp-[A-Za-z0-9]|[srp]k_(?:live|test)_|whsec_[A-Za-z0-9]",
    r"(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[A-Za-z0-9_\-]{35}|ya29\.[A-Za-z0-9_\-]{20}|GOCSPX-",
    r"gl(?:pat|dt|rt|ptt|soat|cbt|agent)-[A-Za-z0-9_\-]{16}|npm_[A-Za-z0-9]{30}",
    r"pypi-[A-Za-z0-9_\-]{40}|SG\.[A-Za-z0-9_\-]{16}|sk-[A-Za-z0-9_\-]{32}",
    r"shp(?:at|ca|pa|ss)_|dop_v1_|hv[sbr]\.[A-Za-z0-9_\-]{24}|dckr_pat_|hf_[A-Za-z0-9]{30}",
    r"AGE-SECRET-KEY-1",
    r"[Bb]earer(?: |%(?:25)*20|\+)[A-Za-z0-9._~+/\-%\\]{16}",
    r"[Bb]asic(?: |%(?:25)*20|\+)[A-Za-z0-9+/_\-%\\]{6}",
    (
        r"""(?::|%(?:25)*3[aA])(?:\\*/|%(?:25)*2[fF]){2}[^\s/?#:@"'<>]*(?::|%(?:25)*3[aA])"""
        r"""[^\s/?#"'<>]+(?:@|%(?:25)*40|\\+u0040)"""
    ),
)


def _pattern() -> str:
    long = [noun for noun in NOUNS if len(noun) >= _NAME_BYTES_UNBOUND_MIN]
    words = "|".join(noun.replace(" ", _JOINT) for noun in long)
    meets = rf"(?:e?s)?{_CLOSERS}{_MEETS}"
    names = rf"(?:{words}){meets}|{_LEFT}{name_pattern(_JOINT)}{meets}"
    before = r"""(?:[^"]*[./:\[])?[_\-$@. *+]*"""
    opens = rf"(?:{_QUOTE}|%(?:25)*22)"
    keys = "|".join(word for word in PAIR_NAMES if len(word) > 1)
    pair = (
        rf"(?:{_LEFT}[kn]|{keys}){opens}?{_SPACE}{_MEETS}{_SPACE}{opens}"
        rf"{before}{name_pattern(_JOINT)}[_\-. ]*\]?{opens}"
    )
    return f"(?i:{names}|{pair}|{_ODD})|{_CARD}|{'|'.join(_SHAPES)}"


def _compiled() -> re2._Regexp:
    options = re2.Options()
    options.max_mem = 64 << 20
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    return re2.compile(_pattern().encode("ascii"), options)


_SUSPECT = _compiled()
# A hit of the card branch alone: every other branch wants a letter, `%`, a backslash or a last `@`.
_PLAIN_DIGITS = re.compile(rb"[^0-9A-Za-z%\\]{0,2}[0-9][0-9 +\-]*+")
_RUN = re.compile(rb"[0-9 +\-]*+")
_RUN_BYTES_MAX = 64
_GROUP = re.compile(rb"[0-9]++")
_ESCAPES = (b"%", b"\\")
_RUN_BYTES = b"0123456789 +-"
_ALNUM = (string.digits + string.ascii_letters).encode()


def is_suspect(text: bytes) -> bool:
    """Whether the exact rules have to look at this text."""
    return _SUSPECT.search(text) is not None


def suspects(text: bytes) -> Iterator[tuple[int, int]]:
    """Where a secret may stand: spans in order, without overlap."""
    for match in _SUSPECT.finditer(text):
        begin, end = match.span()
        if _PLAIN_DIGITS.fullmatch(text, begin, end) is None or _may_be_card(text, begin, end):
            yield begin, end


def _may_be_card(text: bytes, begin: int, end: int) -> bool:
    """Whether a card may stand in the digits around a hit of plain digits, however they are grouped.

    Numbers of 64 bits are a tenth of such hits, and reading their records for nothing is dear. What
    stands beside the digits is left to the exact rules, and so is a run that an escape touches:
    it may go on in what is written there.
    """
    # No further than it takes to know that the run is long: a record may be one run of digits.
    stop = _RUN.match(text, end, end + _RUN_BYTES_MAX + 1).end()  # type: ignore[union-attr]
    start = _run_begin(text, begin) if text[begin] in _RUN_BYTES else begin
    if start < 0 or stop - start > _RUN_BYTES_MAX or text[stop : stop + 1] in _ESCAPES:
        return True
    groups = _GROUP.findall(text, start, stop)
    for first in range(len(groups)):
        number = b""
        for group in groups[first:]:
            number += group
            if len(number) > CARD_DIGITS_MAX:
                break
            if is_card(number):
                return True
    return False


def _run_begin(text: bytes, at: int) -> int:
    """Where the run of digits and gaps around `at` begins; -1 where an escape may stand before it."""
    before = text[max(0, at - _RUN_BYTES_MAX) : at]
    outside = before.rstrip(_RUN_BYTES)
    # The end of `%2b` or `\u002b` reads as letters and digits.
    word = outside.rstrip(_ALNUM)
    if not word or word[-1:] in _ESCAPES:
        return -1
    return at - len(before) + len(outside)
