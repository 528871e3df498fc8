"""A field and a value become a condition, as the field's kind says."""

import ipaddress
import re

import msgspec

from sealog.query import dates
from sealog.query.dates import Clock
from sealog.query.fields import Field, Kind
from sealog.query.refusing import shown
from sealog.query.scanning import Value
from sealog.query.tree import Between, During, Has, Inside, Is, Like, Node, Not

STARS_MAX = 16
NUMBER_MAX = (1 << 53) - 1

_NUMBER = re.compile(r"[0-9]{1,16}")
_COMPARED = re.compile(r"(>=|<=|>|<|=)")
_HUNDREDS = re.compile(r"([1-9])[xX]{2}")
_LOOKS_LIKE_ADDRESS = re.compile(r"[0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:.]*")
_SHORT_ADDRESS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){0,2}\.?")
_FLAGS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class Bounds(msgspec.Struct, frozen=True):
    """The ends of `a..b`, `a..<b`, `>=a` and the like; None leaves an end open."""

    low: Value | None
    high: Value | None
    after: bool = False
    """Whether it begins only after `low`."""
    before: bool = False
    """Whether it ends already before `high`."""


def condition(field: Field, value: Value) -> Node:
    """What a value of a field asks for. Raises `BadQuery` for one that the field cannot have."""
    if not value.text or (field.kind is Kind.ADDRESS and not value.text.strip()):
        raise value.refused(f"the value is empty; -has:{field.name} finds what has no {field.name}")
    if value.stars and not value.text.strip("*"):
        return Has(field.name)
    match field.kind:
        case Kind.NUMBER:
            return _number(field, value)
        case Kind.FLAG:
            return _flag(field, value)
        case Kind.ADDRESS:
            return _like(field, value) if value.stars else _address(field, value)
        case Kind.ID:
            if value.stars:
                raise value.refused(f"{field.name} takes no *: write the whole value")
            return Is(field.name, value.text)
        case Kind.TEXT | Kind.NAME:
            return _like(field, value) if value.stars else Is(field.name, value.text)


def during(value: Value, clock: Clock) -> During:
    """The time that `date:` asks for: a day, a month, a range. Raises `BadQuery`."""
    ends = bounds(value)
    if ends is None:
        span = dates.span(value, clock)
        if span.point:
            text = value.text
            raise value.refused(
                f"{shown(text)} is a moment; did you mean after:{text} or before:{text}?"
            )
        return During(span.from_us, span.to_us)
    from_us = to_us = None
    if ends.low is not None:
        low = dates.span(ends.low, clock)
        from_us = low.to_us if ends.after else low.from_us
    if ends.high is not None:
        high = dates.span(ends.high, clock)
        to_us = high.from_us if ends.before else high.to_us
    if from_us is not None and to_us is not None and from_us >= to_us:
        raise _backwards(value, ends)
    return During(from_us, to_us)


def since(value: Value, clock: Clock) -> During:
    """The time that `after:` asks for: from the first moment of what is written. Raises `BadQuery`."""
    return During(_one(value, clock).from_us, None)


def until(value: Value, clock: Clock) -> During:
    """The time that `before:` asks for: up to what is written, without it. Raises `BadQuery`."""
    return During(None, _one(value, clock).from_us)


def bounds(value: Value) -> Bounds | None:
    """The ends of a range; None where the value is none. Raises `BadQuery` for one without ends."""
    text = value.text
    match = _COMPARED.match(text)
    if match is not None:
        end = value.cut(match.end(), len(text))
        if not end.text:
            raise value.refused(f"nothing stands behind the {match[0]}")
        if match[0].startswith(">"):
            return Bounds(end, None, after=match[0] == ">")
        if match[0].startswith("<"):
            return Bounds(None, end, before=match[0] == "<")
        return Bounds(end, end)
    first, dots, second = text.partition("..")
    if not dots:
        return None
    before = second.startswith("<")
    begin = len(first) + len(dots) + before
    low = value.cut(0, len(first)) if first not in ("", "*") else None
    high = value.cut(begin, len(text)) if text[begin:] not in ("", "*") else None
    if low is None and high is None:
        raise value.refused("a range has at least one end: a..b, a.. or ..b")
    return Bounds(low, high, before=before)


def _one(value: Value, clock: Clock) -> dates.Span:
    if bounds(value) is not None:
        raise value.refused(f"one time stands here; did you mean date:{value.text}?")
    return dates.span(value, clock)


def _number(field: Field, value: Value) -> Between:
    ends = bounds(value)
    if ends is None:
        number = _whole(field, value)
        return Between(field.name, number, number)
    least = most = None
    if ends.low is not None:
        least = _whole(field, ends.low) + ends.after
    if ends.high is not None:
        most = _whole(field, ends.high) - ends.before
    if least is not None and most is not None and least > most:
        raise _backwards(value, ends)
    if least is not None and least > NUMBER_MAX:
        raise value.refused(f"no {field.name} is more than {NUMBER_MAX}")
    if most is not None and most < 0:
        raise value.refused(f"no {field.name} is less than 0")
    return Between(field.name, least, most)


def _whole(field: Field, value: Value) -> int:
    if _NUMBER.fullmatch(value.text) is not None and int(value.text) <= NUMBER_MAX:
        return int(value.text)
    hundreds = _HUNDREDS.fullmatch(value.text)
    if hundreds is not None:
        meant = f"{hundreds[1]}00..{hundreds[1]}99"
        raise value.refused(f"{shown(value.text)} is no number; did you mean {meant}?", meant)
    if value.stars:
        raise value.refused(f"{field.name} takes no *: write a range such as 400..499")
    raise value.refused(
        f"{shown(value.text)} is no number: {field.name} takes 0 to {NUMBER_MAX}, 400..499 or >=400"
    )


def _backwards(value: Value, ends: Bounds) -> Exception:
    detail = "the range ends before it begins: nothing can match"
    low, high = ends.low, ends.high
    assert low is not None
    assert high is not None
    if low.text == high.text or ends.before:
        return value.refused(detail)
    meant = f"{high.text}..{low.text}"
    return value.refused(f"{detail}; did you mean {meant}?", meant)


def _flag(field: Field, value: Value) -> Node:
    wanted = _FLAGS.get(value.text.lower())
    if wanted is None:
        raise value.refused(f"{field.name} is yes or no, not {shown(value.text)}")
    return Has(field.name) if wanted else Not(Has(field.name))


def _like(field: Field, value: Value) -> Like:
    if len(value.stars) != value.text.count("*"):
        raise value.refused("a * that stands for itself cannot stand beside one that does not")
    pattern = re.sub(r"\*+", "*", value.text)
    if pattern.count("*") > STARS_MAX:
        raise value.refused(f"a value has at most {STARS_MAX} *: leave some out")
    return Like(field.name, pattern)


def _address(field: Field, value: Value) -> Node:
    text = value.text.strip()
    if "/" in text:
        return Inside(_network(value, text))
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        if _LOOKS_LIKE_ADDRESS.fullmatch(text) is None:
            return Is(field.name, text)
        if _SHORT_ADDRESS.fullmatch(text) is not None:
            meant = text.rstrip(".") + ".*"
            raise value.refused(
                f"{shown(text)} is no whole address; did you mean {meant}?", meant
            ) from None
        raise value.refused(f"{shown(text)} is no address: write 10.0.0.1 or 2001:db8::1") from None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return Is(field.name, str(mapped or address))


def _network(value: Value, text: str) -> str:
    try:
        # 10.1.2.3/8 means the network that the address is in.
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        pass
    first, _, length = text.partition("/")
    try:
        bits = ipaddress.ip_address(first).max_prefixlen
    except ValueError:
        raise value.refused(f"{shown(text)} is no network: write 10.0.0.0/8") from None
    if length.isdecimal() or not length:
        raise value.refused(f"{shown(text)} is no network: /0 to /{bits}")
    raise value.refused(f"{shown(text)} is no network: write {first}/{bits // 4}")
