r"""A query's characters: spaces, quotes, escapes, stars, and where each piece stands.

In quotes everything is text; `\"` and `\\` stand for `"` and `\`. Outside them a backslash before
a character that means something takes its meaning away; before any other it is a backslash.
"""

import msgspec

from sealog.query.refusing import BadQuery, shown

VALUE_CHARS_MAX = 1_024

MEANING = frozenset('\\"():,*-')
"""What a backslash takes the meaning from; spaces are meant too."""

_QUOTED = frozenset('\\"')


class Value(msgspec.Struct, frozen=True):
    """A value as it was meant, and where it was written."""

    text: str
    """Without its quotes and escapes."""
    at: int = 0
    """Where it begins in the query."""
    end: int = 0
    """Where it is over."""
    stars: tuple[int, ...] = ()
    """Where in `text` a `*` stands for any characters; any other is a `*`."""

    def cut(self, first: int, last: int) -> "Value":
        """A piece of it, by its characters."""
        stars = tuple([star - first for star in self.stars if first <= star < last])
        if self.end - self.at != len(self.text):
            return Value(self.text[first:last], self.at, self.end, stars)
        return Value(self.text[first:last], self.at + first, self.at + last, stars)

    def refused(self, detail: str, suggestion: str | None = None) -> BadQuery:
        """An error at its place."""
        length = self.end - self.at
        return BadQuery(detail, offset=self.at, length=length, suggestion=suggestion)


def plain(text: str) -> Value:
    """A value that is written without quotes and escapes: a parameter's, an option's."""
    stars = tuple([place for place, one in enumerate(text) if one == "*"])
    return Value(text, 0, len(text), stars)


class Scanner:
    """Reads a query from its first character to its last."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def skip(self) -> None:
        """Go on to what is no space."""
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def over(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.text)

    def sees(self, one: str) -> bool:
        """Whether this character is next."""
        return self.text.startswith(one, self.at)

    def takes(self, one: str) -> bool:
        """Whether this character was next; then it is behind."""
        if not self.sees(one):
            return False
        self.at += len(one)
        return True

    def sees_keyword(self, word: str) -> bool:
        """Whether this word is next, and ends there."""
        if not self.text.startswith(word, self.at):
            return False
        following = self.text[self.at + len(word) : self.at + len(word) + 1]
        return not following or following in "()" or following.isspace()

    def takes_keyword(self, word: str) -> bool:
        """Whether this word was next; then it is behind."""
        if not self.sees_keyword(word):
            return False
        self.at += len(word)
        return True

    def name(self) -> Value | None:
        """The name of a field, where one and its `:` are next; then both are behind."""
        end = self.at
        while end < len(self.text) and not (
            self.text[end] in '\\"():,*' or self.text[end].isspace()
        ):
            end += 1
        if self.text[end : end + 1] != ":":
            return None
        found = Value(self.text[self.at : end], self.at, end)
        self.at = end + 1
        return found

    def word(self, ends: str = "()") -> Value:
        """What stands up to a space, or one of `ends`; it may be empty."""
        begun = self.at
        chars: list[str] = []
        stars: list[int] = []
        while not self.over():
            one = self.text[self.at]
            if one in ends or one.isspace():
                break
            if one == '"':
                self._quoted(chars)
                continue
            if one == "\\" and self._escapes():
                self.at += 1
                one = self.text[self.at]
            elif one == "*":
                stars.append(len(chars))
            chars.append(one)
            self.at += 1
        if len(chars) > VALUE_CHARS_MAX:
            detail = f"a value has at most {VALUE_CHARS_MAX:,} characters: shorten it"
            raise BadQuery(detail, offset=begun, length=self.at - begun)
        return Value("".join(chars), begun, self.at, tuple(stars))

    def _escapes(self) -> bool:
        following = self.text[self.at + 1 : self.at + 2]
        return following in MEANING or following.isspace()

    def _quoted(self, chars: list[str]) -> None:
        begun = self.at
        self.at += 1
        while not self.over():
            one = self.text[self.at]
            self.at += 1
            if one == '"':
                return
            if one == "\\" and self.text[self.at : self.at + 1] in _QUOTED:
                one = self.text[self.at]
                self.at += 1
            chars.append(one)
        detail = f'missing " for the " at {begun}: add it at the end'
        raise BadQuery(detail, offset=len(self.text), suggestion='"')

    def unexpected(self, detail: str, length: int = 1, suggestion: str | None = None) -> BadQuery:
        """An error at what is next."""
        return BadQuery(detail, offset=self.at, length=length, suggestion=suggestion)

    def rest(self) -> str:
        """What is next, up to a space, as it is shown to people."""
        piece = self.text[self.at :].split(maxsplit=1)
        return shown(piece[0] if piece else "")
