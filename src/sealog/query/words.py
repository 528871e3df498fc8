"""What a word is: the same for what is stored, for what is asked, and for what is compared.

A word is an unbroken run of letters, marks and digits, whatever its case: `Bob@acme.com` is the
words `bob`, `acme`, `com`. Accents are kept; letters that only look different (`ﬁ`, full width)
are the same. Every Chinese or Japanese character is a word of its own, because nothing stands
between the words there: what is typed is found as a phrase.
"""

import re
import unicodedata

WORD_CHARS_MAX = 64
"""Only so much of a longer word is looked at."""
PREFIX_CHARS_MIN = 3
"""A beginning of a word that is asked for has at least so many characters."""
MARKS_MAX = 30
"""Of more marks in a row the others are left out, as in UAX 15's stream-safe text: to put them in
order takes time that grows with the square of their number."""

# Of UTF-8: ASCII letters made small, all other ASCII but digits a space, the rest as it is.
FOLD = bytes(
    ord(chr(byte).lower()) if chr(byte).isalnum() else 0x20 for byte in range(0x80)
) + bytes(range(0x80, 0x100))

_SINGLE = re.compile("[\u2e80-\u312f\u31a0-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def words(text: str) -> list[str]:
    """The words of a text, in order, as they are compared."""
    found = []
    for piece in text.encode("utf-8", "replace").translate(FOLD).split():
        if piece.isascii():
            found.append(piece[:WORD_CHARS_MAX].decode())
        else:
            found += spread(piece.decode())
    return found


def spread(piece: str) -> list[str]:
    """The words of a piece as `FOLD` leaves it, without white space, that holds more than ASCII."""
    kept = []
    for char in _alike(piece):
        kind = unicodedata.category(char)
        if kind[0] in "LMN":
            kept.append(f" {char} " if _SINGLE.match(char) else char)
        elif kind != "Cf":
            # What is only formatting cannot be seen: the word goes on behind it.
            kept.append(" ")
    return [word[:WORD_CHARS_MAX] for word in "".join(kept).split(" ") if word]


def in_ascii(char: str) -> list[str]:
    """What a character beyond ASCII can add to a word that is all ASCII: `ss` for `ß`.

    Nothing for most; an empty text for what only joins, because it cannot be seen.
    """
    if any(unicodedata.category(one) == "Cf" for one in _alike(char)):
        return [""]
    return [word for word in spread(char) if word.isascii()]


def _alike(text: str) -> str:
    """One spelling of what is equal by Unicode's compatibility caseless matching (D146)."""
    if len(text) > MARKS_MAX:
        text = _calmed(text)
    once = unicodedata.normalize("NFD", text).casefold()
    twice = unicodedata.normalize("NFKC", once).casefold()
    return unicodedata.normalize("NFKC", twice)


def _calmed(text: str) -> str:
    kept = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= MARKS_MAX:
            kept.append(char)
    return "".join(kept)
