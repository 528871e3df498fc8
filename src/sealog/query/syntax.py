"""The syntax of a search: `actor:ada -action:login (status:>=400 OR has:findings) "two words"`.

    query  = any ;                     any  = every { "OR" every } ;
    every  = term { ["AND"] term } ;   term = ( "-" | "NOT" ) term | "(" any ")" | name ":" values | word | "*" ;
    values = value { "," value } | "(" value { ( "OR" | "," ) value } ")" ;

A word is searched for anywhere in the event, quoted words as a phrase; `adm*` is how a word begins.
docs/query.md tells it to people. `writing` is the way back.
"""

import difflib
import re
from collections.abc import Callable, Iterable
from datetime import tzinfo
from functools import partial
from ipaddress import ip_address

from sealog.query import values
from sealog.query.dates import Clock
from sealog.query.fields import FIELDS, NAMES, Field
from sealog.query.refusing import BadQuery, shown
from sealog.query.scanning import Scanner, Value
from sealog.query.tree import (
    EVERYTHING,
    During,
    Has,
    Node,
    Not,
    Query,
    Text,
    either,
    every,
    query,
)
from sealog.query.words import PREFIX_CHARS_MIN, words

QUERY_CHARS_MAX = 4_096
CONDITIONS_MAX = 256
VALUES_MAX = 100
DEPTH_MAX = 32

DATES: dict[str, tuple[str, ...]] = {
    "date": ("on", "time", "@timestamp"),
    "after": ("since", "from"),
    "before": ("until", "to"),
}
"""What is asked of the time, and its other names."""
HAS = "has"

_READ_TIME: dict[str, Callable[[Value, Clock], During]] = {
    "date": values.during,
    "after": values.since,
    "before": values.until,
}
_TIMES = {name: known for known, also in DATES.items() for name in (known, *also)}
_KNOWN = (*NAMES, *_TIMES, HAS)
_NEAR = 0.6
_NAME_CHARS_MAX = 64
_ELSEWHERE = {"tenant", "organization.id"}
_EQUATION = re.compile(r"([A-Za-z@][\w.@]*)(>=|<=|!=|==|=|>|<)(.+)", re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse(text: str, *, now_us: int, zone: tzinfo) -> Query:
    """What a query asks for; of nothing but spaces, everything.

    `now_us` (microseconds since 1970) and `zone` say what `-7d`, `today` and `2026-01-31` are.
    Raises `BadQuery`, and nothing else.
    """
    if len(text) > QUERY_CHARS_MAX:
        detail = f"a query has at most {QUERY_CHARS_MAX:,} characters, this one {len(text):,}"
        raise BadQuery(detail, offset=QUERY_CHARS_MAX, length=len(text) - QUERY_CHARS_MAX)
    match = _SURROGATE.search(text)
    if match is not None:
        raise BadQuery("half a character stands here", offset=match.start(), length=1)
    return _Parser(text, Clock(now_us, zone)).whole()


class _Parser:
    def __init__(self, text: str, clock: Clock) -> None:
        self._scan = Scanner(text)
        self._clock = clock
        self._depth = 0
        self._conditions = 0

    def whole(self) -> Query:
        self._scan.skip()
        if self._scan.over():
            return Query()
        node = self._either()
        if not self._scan.over():
            raise self._scan.unexpected("there is no ( for this ): leave it out", suggestion="")
        return query(node)

    def _either(self) -> Node:
        found = [self._every()]
        while self._scan.takes_keyword("OR"):
            found.append(self._every())
        return either(found)

    def _every(self) -> Node:
        found: list[Node] = []
        within = During(None, None)
        while True:
            self._scan.skip()
            if self._ends():
                break
            begun = self._scan.at
            node = self._term()
            within = self._narrowed(within, node, begun)
            found.append(node)
            self._scan.skip()
            if self._scan.takes_keyword("AND"):
                self._scan.skip()
                if self._ends():
                    raise self._nothing()
        if not found:
            raise self._nothing()
        return every(found)

    def _ends(self) -> bool:
        scan = self._scan
        return scan.over() or scan.sees(")") or scan.sees_keyword("OR")

    def _nothing(self) -> BadQuery:
        scan = self._scan
        if scan.sees_keyword("OR"):
            return scan.unexpected('nothing stands before OR; the word itself is "OR"', 2, '"OR"')
        before = scan.text[: scan.at].split()
        if before and not before[-1].endswith("("):
            return scan.unexpected(f"nothing stands behind {shown(before[-1])}", 0)
        if before:
            return scan.unexpected("nothing stands in the parentheses", 0)
        return scan.unexpected("there is no ( for this ): leave it out", suggestion="")

    def _narrowed(self, within: During, node: Node, begun: int) -> During:
        """The time that is left; none is a mistake that would quietly find nothing."""
        whole = query(node, within.from_us, within.to_us)
        narrowed = During(whole.from_us, whole.to_us)
        if narrowed == within or narrowed.from_us is None or narrowed.to_us is None:
            return narrowed
        if narrowed.from_us >= narrowed.to_us:
            detail = "after is later than before: nothing can match"
            raise BadQuery(detail, offset=begun, length=self._scan.at - begun)
        return narrowed

    def _term(self) -> Node:
        scan = self._scan
        begun = scan.at
        if scan.takes("-"):
            if scan.over() or scan.sees(")") or scan.text[scan.at].isspace():
                detail = "a - stands right before what is left out, without a space"
                raise BadQuery(detail, offset=begun, length=1)
            return self._deeper(begun, lambda: Not(self._term()))
        if scan.takes_keyword("NOT"):
            scan.skip()
            if self._ends():
                raise self._nothing()
            return self._deeper(begun, lambda: Not(self._term()))
        if scan.takes("("):
            return self._deeper(begun, lambda: self._inner(begun))
        for word in ("AND", "OR"):
            if scan.sees_keyword(word):
                detail = f'nothing stands before {word}; the word itself is "{word}"'
                raise scan.unexpected(detail, len(word), f'"{word}"')
        name = scan.name()
        return self._word() if name is None else self._field(name)

    def _deeper(self, begun: int, inner: Callable[[], Node]) -> Node:
        if self._depth == DEPTH_MAX:
            raise _too_deep(begun)
        self._depth += 1
        node = inner()
        self._depth -= 1
        return node

    def _inner(self, begun: int) -> Node:
        node = self._either()
        if not self._scan.takes(")"):
            raise self._unclosed(begun)
        return node

    def _unclosed(self, begun: int) -> BadQuery:
        detail = f"missing ) for the ( at {begun}: add it at the end"
        return BadQuery(detail, offset=len(self._scan.text), suggestion=")")

    def _count(self, begun: int) -> None:
        self._conditions += 1
        if self._conditions > CONDITIONS_MAX:
            raise BadQuery(
                f"a query has at most {CONDITIONS_MAX} conditions", offset=begun, length=1
            )

    def _word(self) -> Node:
        """Words anywhere in the event."""
        value = self._scan.word()
        self._count(value.at)
        if value.text == "*" and value.stars:
            return EVERYTHING
        equation = _EQUATION.fullmatch(value.text)
        if equation is not None and equation[1].lower() in _KNOWN:
            meant = _equation(equation[1], equation[2], equation[3])
            raise value.refused(
                f"a field and its value are joined by :; did you mean {meant}?", meant
            )
        return _text(value)

    def _field(self, name: Value) -> Node:
        known = name.text.lower()
        if known == HAS:
            return self._values(name, _has)
        if known in _TIMES:
            read = _READ_TIME[_TIMES[known]]
            return self._values(name, lambda value: read(value, self._clock))
        field = NAMES.get(known)
        if field is None:
            raise self._unknown(name)
        return self._values(name, partial(values.condition, field))

    def _values(self, name: Value, read: Callable[[Value], Node]) -> Node:
        """Any of the values of a field: one, some with commas, some in parentheses."""
        scan = self._scan
        begun = scan.at
        if not scan.takes("("):
            found = [self._value(name, read, "(),")]
            while scan.takes(","):
                found.append(self._value(name, read, "(),"))
                self._check_values(name, found)
            return either(found)
        scan.skip()
        found = [self._value(name, read, "(),")]
        scan.skip()
        while not scan.takes(")"):
            if scan.over():
                raise self._unclosed(begun)
            if not (scan.takes(",") or scan.takes_keyword("OR")):
                raise scan.unexpected(f"put OR or a comma before {scan.rest()}", 0, "OR ")
            scan.skip()
            found.append(self._value(name, read, "(),"))
            self._check_values(name, found)
            scan.skip()
        return either(found)

    def _value(self, name: Value, read: Callable[[Value], Node], ends: str) -> Node:
        value = self._scan.word(ends)
        self._count(value.at)
        if not value.text and value.at == value.end:
            raise self._missing(name)
        if not value.text:
            raise value.refused(f"the value of {name.text} is empty")
        return read(value)

    def _missing(self, name: Value) -> BadQuery:
        scan = self._scan
        before = scan.text[scan.at - 1]
        if before == ",":
            detail = f"a value of {name.text} is missing behind the comma, where no space may stand"
            return BadQuery(detail, offset=scan.at, suggestion=None)
        rest = scan.text[scan.at :]
        following = rest.lstrip()
        if before == ":" and rest != following and following[:1] not in ("", ")", ","):
            detail = f"the value of {name.text} stands right behind the :, without a space"
            gap = len(rest) - len(following)
            return BadQuery(detail, offset=scan.at, length=gap, suggestion="")
        return BadQuery(f"the value of {name.text} is missing", offset=scan.at)

    def _check_values(self, name: Value, found: list[Node]) -> None:
        if len(found) > VALUES_MAX:
            detail = f"{name.text} has more than {VALUES_MAX} values"
            raise BadQuery(detail, offset=name.at, length=name.end - name.at)

    def _unknown(self, name: Value) -> BadQuery:
        scan = self._scan
        near = _nearest(name.text, _KNOWN)
        if name.text.lower() in _ELSEWHERE:
            return name.refused("the tenant is not asked for here, but beside the query")
        if near:
            detail = f"unknown field {shown(name.text)}; did you mean {near!r}?"
            return name.refused(detail, near)
        end = scan.at
        while end < len(scan.text) and scan.text[end] not in '()"' and not scan.text[end].isspace():
            end += 1
        whole = scan.text[name.at : end]
        meant = f'"{whole.replace(chr(92), chr(92) * 2)}"'
        if not name.text:
            detail = f"no field stands before the :; in quotes it is text: {meant}"
        else:
            detail = f"unknown field {shown(name.text)}; in quotes it is text: {meant}"
        if _is_address(whole):
            meant = f"ip:{whole}"
            detail = f"an address is asked for as {meant}"
        return BadQuery(detail, offset=name.at, length=end - name.at, suggestion=meant)


def _text(value: Value) -> Text:
    found = tuple(words(value.text))
    if value.stars and value.stars[0] < len(value.text) - 1:
        raise value.refused("a * stands at the end of a word, or in the value of a field")
    if not found:
        raise value.refused(f"there is no word in {shown(value.text)} to search for")
    if not value.stars:
        return Text(found)
    if len(found[-1]) < PREFIX_CHARS_MIN:
        least = PREFIX_CHARS_MIN
        raise value.refused(f"at least {least} characters stand before a *: {shown(value.text)}")
    if len(words(value.text[:-1] + "a")) > len(found):
        raise value.refused("a * stands right behind the letters that a word begins with")
    return Text(found, prefix=True)


def _has(value: Value) -> Node:
    field: Field | None = NAMES.get(value.text.lower())
    if field is not None:
        return Has(field.name)
    near = _nearest(value.text, NAMES)
    detail = f"unknown field {shown(value.text)}"
    if near:
        raise value.refused(f"{detail}; did you mean {near!r}?", near)
    raise value.refused(f"{detail}; fields are {', '.join(FIELDS)}")


def _nearest(name: str, known: Iterable[str]) -> str | None:
    """The name that was meant, perhaps; of several the one that is listed first."""
    matcher = difflib.SequenceMatcher(b=name.lower()[:_NAME_CHARS_MAX], autojunk=False)
    best, nearest = _NEAR, None
    for one in known:
        matcher.set_seq1(one)
        if matcher.real_quick_ratio() > best and matcher.ratio() > best:
            best, nearest = matcher.ratio(), one
    return nearest


def _equation(name: str, sign: str, value: str) -> str:
    if sign == "!=":
        return f"-{name}:{value}"
    return f"{name}:{value}" if sign in ("=", "==") else f"{name}:{sign}{value}"


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _too_deep(begun: int) -> BadQuery:
    detail = f"parentheses and negations go at most {DEPTH_MAX} deep"
    return BadQuery(detail, offset=begun, length=1)
