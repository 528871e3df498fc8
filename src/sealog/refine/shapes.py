"""Secrets that are known by their shape alone, wherever they stand in a text.

Only shapes that carry their own proof: a key's armour, a token's prefix, a header that decodes, a
checksum and an issuer. Text is decoded bytes; every function gives `(begin, end, kind)`.
"""

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import re2

Found = tuple[int, int, str]

# Prefix and how many characters must follow; the issuers document the prefixes.
_PREFIXES: tuple[tuple[str, str], ...] = (
    (r"sl[kv]_", r"[A-Za-z0-9_\-]{8,}"),
    (r"gh[pousr]_", r"[A-Za-z0-9]{16,}"),
    (r"github_pat_", r"[A-Za-z0-9_]{20,}"),
    (r"xox[abeoprs]-", r"[A-Za-z0-9\-]{10,}"),
    (r"xapp-", r"[A-Za-z0-9\-]{20,}"),
    (r"[srp]k_(?:live|test)_", r"[A-Za-z0-9]{10,}"),
    (r"whsec_", r"[A-Za-z0-9+/=_\-]{16,}"),
    (r"(?:AKIA|ASIA)", r"[A-Z0-9]{16}"),
    (r"AIza", r"[A-Za-z0-9_\-]{35}"),
    (r"ya29\.", r"[A-Za-z0-9_\-]{20,}"),
    (r"GOCSPX-", r"[A-Za-z0-9_\-]{20,}"),
    (r"gl(?:pat|dt|rt|ptt|soat|cbt|agent)-", r"[A-Za-z0-9_\-]{16,}"),
    (r"npm_", r"[A-Za-z0-9]{30,}"),
    (r"pypi-", r"[A-Za-z0-9_\-]{40,}"),
    (r"SG\.", r"[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}"),
    (r"sk-(?:ant-|proj-)?", r"[A-Za-z0-9_\-]{32,}"),
    (r"shp(?:at|ca|pa|ss)_", r"[A-Fa-f0-9]{32}"),
    (r"dop_v1_", r"[a-f0-9]{64}"),
    (r"hv[sbr]\.", r"[A-Za-z0-9_\-]{24,}"),
    (r"dckr_pat_", r"[A-Za-z0-9_\-]{20,}"),
    (r"hf_", r"[A-Za-z0-9]{30,}"),
    (r"AGE-SECRET-KEY-1", r"[A-Z0-9]{50,}"),
)
_PEM = re.compile(
    rb"-----BEGIN (?:(?!PRIVATE )[A-Z0-9]+ )*+PRIVATE KEY(?: BLOCK)?-----"
    rb"(?:[^-]++|-(?!----END ))*+(?:-----END [A-Z0-9 ]{1,64}-----)?"
)
_TOKEN = re2.compile(
    rb"(?:^|[^A-Za-z0-9])("
    + b"|".join(f"(?:{head}){tail}".encode() for head, tail in _PREFIXES)
    + b")"
)
_JWT = re.compile(
    rb"(?<![A-Za-z0-9_\-])(e[yw][A-Za-z0-9_\-]{8,}+)\.[A-Za-z0-9_\-]++\.[A-Za-z0-9_\-]*+"
    rb"(?:\.[A-Za-z0-9_\-]++){0,2}"
)
_BEARER = re.compile(rb"\b[Bb]earer[ ]([A-Za-z0-9._~+/\-]{16,}+=*)")
_BASIC = re.compile(rb"\b[Bb]asic[ ]([A-Za-z0-9+/_\-]{6,}+=*)")
_USERINFO = re.compile(rb"""://[^\s/?\#:@"'<>\\]*+:([^\s/?\#"'<>]+)@""")
_DIGITS = re.compile(rb"(?<![0-9])[0-9](?:[ +\-]?[0-9]){12,}+")
_BAD_BEFORE = re.compile(rb"(?:[0-9A-Za-z]|[0-9][.,]|[0-9A-Za-z]-|(?:\A|[^A-Za-z0-9])[+])\Z")
_BAD_AFTER = re.compile(rb"[0-9A-Za-z]|[.,][0-9]|-[0-9A-Za-z]")
_GROUPS = re.compile(rb"[ +]")

CARD_DIGITS_MIN, CARD_DIGITS_MAX = 13, 19
_HEADER_BYTES_MAX = 8192
# First digits (as a range of the first four, ascending) and the lengths that issuer uses.
_ISSUERS: tuple[tuple[int, int, tuple[int, ...]], ...] = (
    (0, -1, ()),
    (2200, 2204, (16, 17, 18, 19)),  # Mir
    (2221, 2720, (16,)),  # Mastercard
    (3000, 3059, (14, 16, 17, 18, 19)),  # Diners Club
    (3095, 3095, (14, 16, 17, 18, 19)),
    (3400, 3499, (15,)),  # American Express
    (3528, 3589, (16, 17, 18, 19)),  # JCB
    (3600, 3699, (14, 16, 17, 18, 19)),  # Diners Club
    (3700, 3799, (15,)),  # American Express
    (3800, 3999, (14, 16, 17, 18, 19)),  # Diners Club
    (4000, 4999, (13, 16, 19)),  # Visa
    (5018, 5018, tuple(range(13, 20))),  # Maestro
    (5020, 5020, tuple(range(13, 20))),
    (5038, 5038, tuple(range(13, 20))),
    (5100, 5599, (16,)),  # Mastercard
    (5893, 5893, tuple(range(13, 20))),  # Maestro
    (6011, 6011, (16, 17, 18, 19)),  # Discover
    (6200, 6299, (16, 17, 18, 19)),  # UnionPay
    (6304, 6304, tuple(range(13, 20))),  # Maestro
    (6440, 6599, (16, 17, 18, 19)),  # Discover
    (6759, 6763, tuple(range(13, 20))),  # Maestro
    (8100, 8199, (16, 17, 18, 19)),  # UnionPay
)
_FIRSTS = tuple(low for low, _, _ in _ISSUERS)


def shapes(text: bytes) -> list[Found]:
    """Every secret that its shape alone gives away."""
    found: list[Found] = [(*match.span(1), "token") for match in _TOKEN.finditer(text)]
    if b"-----BEGIN" in text:
        found += ((*match.span(), "private-key") for match in _PEM.finditer(text))
    if b"." in text:
        found += _checked(_JWT, text, _is_jose_header, "jwt", whole=True)
    if b"earer " in text:
        found += _checked(_BEARER, text, _has_digit, "bearer")
    if b"asic " in text:
        found += _checked(_BASIC, text, _is_basic, "basic")
    if b"://" in text and b"@" in text:
        found += _checked(_USERINFO, text, _is_password, "url-password")
    found += ((begin, end, "card-number") for begin, end in cards(text))
    return found


def _checked(
    shape: re.Pattern[bytes],
    text: bytes,
    is_proof: Callable[[bytes], bool],
    kind: str,
    *,
    whole: bool = False,
) -> Iterator[Found]:
    for match in shape.finditer(text):
        if is_proof(match[1]):
            yield (*match.span(0 if whole else 1), kind)


def cards(text: bytes) -> Iterator[tuple[int, int]]:
    """Card numbers: 13 to 19 digits, single spaces or dashes between, of a known issuer, with Luhn.

    Digits that belong to something longer (a decimal, a hash, an id with dashes) are none.
    """
    for match in _DIGITS.finditer(text):
        begin, end = match.span()
        if _is_bounded(text, begin, end) and is_card(_only_digits(match[0])):
            yield begin, end
        elif not match[0].isdigit():
            yield from _card_among(text, begin, end)


def _card_among(text: bytes, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """A card with another number before or after it: `2 x 4111…`, `4111 … 12/27`."""
    starts = [begin, *(match.end() for match in _GROUPS.finditer(text, begin, end))]
    stops = [*(start - 1 for start in starts[1:]), end]
    at = 0
    while at < len(starts):
        # At most 19 groups can be one card, so this stays linear.
        for last in range(min(at + 4, len(starts) - 1), at - 1, -1):
            low, high = starts[at], stops[last]
            is_whole = at == 0 and last == len(starts) - 1
            if (
                not is_whole
                and _is_usual(stops, starts, at, last)
                and _is_bounded(text, low, high)
                and is_card(_only_digits(text[low:high]))
            ):
                yield low, high
                at = last
                break
        at += 1


def _is_usual(stops: list[int], starts: list[int], first: int, last: int) -> bool:
    """One group, or groups as they are printed on cards: fours, or 4-6-5 and 4-6-4."""
    sizes = [stops[at] - starts[at] for at in range(first, last + 1)]
    return len(sizes) == 1 or sizes[:-1] in ([4, 4, 4], [4, 6], [4, 4, 4, 4])


def _is_bounded(text: bytes, begin: int, end: int) -> bool:
    before = _BAD_BEFORE.search(text[max(begin - 2, 0) : begin])
    return before is None and _BAD_AFTER.match(text, end) is None


def _only_digits(text: bytes) -> bytes:
    return text.translate(None, b" +-")


def is_card(digits: bytes) -> bool:
    """Whether 13 to 19 ASCII digits pass Luhn and lie in an issuer's range."""
    if not CARD_DIGITS_MIN <= len(digits) <= CARD_DIGITS_MAX:
        return False
    head = int(digits[:4])
    _, high, sizes = _ISSUERS[bisect_right(_FIRSTS, head) - 1]
    if head > high or len(digits) not in sizes:
        return False
    odd, even = digits[-1::-2], digits[-2::-2]
    return (sum(odd) - 48 * len(odd) + sum(_DOUBLED[digit] for digit in even)) % 10 == 0


_DOUBLED = {48 + digit: digit * 2 - 9 * (digit > 4) for digit in range(10)}  # noqa: PLR2004 - Luhn


def _decoded(text: bytes) -> bytes | None:
    try:
        return base64.urlsafe_b64decode(
            text.replace(b"+", b"-").replace(b"/", b"_").rstrip(b"=") + b"=="
        )
    except (binascii.Error, ValueError):
        return None


def _is_jose_header(text: bytes) -> bool:
    if len(text) > _HEADER_BYTES_MAX:
        return False
    decoded = _decoded(text)
    if decoded is None:
        return False
    try:
        header: Any = msgspec.json.decode(decoded)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return type(header) is dict and "alg" in header


def _has_digit(text: bytes) -> bool:
    return any(48 <= byte < 58 for byte in text)  # noqa: PLR2004 - ASCII digits


def _is_basic(text: bytes) -> bool:
    decoded = _decoded(text[:_HEADER_BYTES_MAX])
    return decoded is not None and b":" in decoded and decoded.isascii()


def _is_password(text: bytes) -> bool:
    return text != b"[masked]"
