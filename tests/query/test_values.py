from datetime import UTC

import pytest

from sealog.query import values
from sealog.query.dates import Clock
from sealog.query.fields import FIELDS
from sealog.query.refusing import BadQuery
from sealog.query.scanning import Value, plain
from sealog.query.tree import Between, During, Has, Inside, Is, Like, Not

CLOCK = Clock(1_000_000_000_000_000, UTC)
DAY_US = 86_400_000_000


def condition(field, text):
    return values.condition(FIELDS[field], plain(text))


@pytest.mark.parametrize(
    ("field", "text", "node"),
    [
        ("action", "user.login", Is("action", "user.login")),
        ("action", "user.**", Like("action", "user.*")),
        ("actor", "Ada L", Is("actor", "Ada L")),
        ("actor", "*", Has("actor")),
        ("id", "x:1", Is("id", "x:1")),
        ("ip", "10.0.0.1", Is("ip", "10.0.0.1")),
        ("ip", "2001:DB8:0::1", Is("ip", "2001:db8::1")),
        ("ip", "::ffff:10.0.0.1", Is("ip", "10.0.0.1")),
        ("ip", "10.1.2.3/8", Inside("10.0.0.0/8")),
        ("ip", "2001:db8::/32", Inside("2001:db8::/32")),
        ("ip", "10.0.*", Like("ip", "10.0.*")),
        ("ip", "localhost", Is("ip", "localhost")),
        ("status", "404", Between("status", 404, 404)),
        ("status", "=404", Between("status", 404, 404)),
        ("status", "400..499", Between("status", 400, 499)),
        ("status", "400..<500", Between("status", 400, 499)),
        ("status", "400..", Between("status", 400, None)),
        ("status", "*..499", Between("status", None, 499)),
        ("status", ">=400", Between("status", 400, None)),
        ("status", ">400", Between("status", 401, None)),
        ("status", "<400", Between("status", None, 399)),
        ("status", "<=400", Between("status", None, 400)),
        ("index", "9007199254740991", Between("index", 2**53 - 1, 2**53 - 1)),
        ("findings", "yes", Has("findings")),
        ("findings", "True", Has("findings")),
        ("findings", "no", Not(Has("findings"))),
    ],
)
def test_a_value_is_read_as_its_field_says(field, text, node):
    assert condition(field, text) == node


@pytest.mark.parametrize(
    ("field", "text", "says", "meant"),
    [
        ("action", "", "the value is empty; -has:action finds what has no action", None),
        ("ip", " ", "the value is empty; -has:ip finds what has no ip", None),
        ("id", "e-*", "id takes no *: write the whole value", None),
        ("ip", "10.0.0.0/33", "'10.0.0.0/33' is no network: /0 to /32", None),
        ("ip", "2001:db8::/129", "'2001:db8::/129' is no network: /0 to /128", None),
        ("ip", "10.0.0.0/", "'10.0.0.0/' is no network: /0 to /32", None),
        ("ip", "10.0.0.0/x", "'10.0.0.0/x' is no network: write 10.0.0.0/8", None),
        ("ip", "10.0/8", "'10.0/8' is no network: write 10.0.0.0/8", None),
        ("ip", "10.0", "'10.0' is no whole address; did you mean 10.0.*?", "10.0.*"),
        ("ip", "10.0.0.256", "'10.0.0.256' is no address: write 10.0.0.1 or 2001:db8::1", None),
        ("status", "4xx", "'4xx' is no number; did you mean 400..499?", "400..499"),
        ("status", "4*", "status takes no *: write a range such as 400..499", None),
        ("status", "-1", ("'-1' is no number: status takes 0 to 9007199254740991, 400..499 or"
         " >=400"), None),
        ("status", "499..400",
         "the range ends before it begins: nothing can match; did you mean 400..499?", "400..499"),
        ("status", "400..<400", "the range ends before it begins: nothing can match", None),
        ("status", "..", "a range has at least one end: a..b, a.. or ..b", None),
        ("status", ">=", "nothing stands behind the >=", None),
        ("status", "<0", "no status is less than 0", None),
        ("index", ">9007199254740991", "no index is more than 9007199254740991", None),
        ("index", "9007199254740992", ("'9007199254740992' is no number: index takes 0 to"
         " 9007199254740991, 400..499 or >=400"), None),
        ("findings", "maybe", "findings is yes or no, not 'maybe'", None),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused_with_what_was_meant(field, text, says, meant):
    with pytest.raises(BadQuery) as refused:
        condition(field, text)

    assert (str(refused.value), refused.value.suggestion) == (says, meant)


def test_a_value_has_so_many_stars_and_no_more():
    assert condition("action", "a*" * 16) == Like("action", "a*" * 16)
    with pytest.raises(BadQuery, match="at most 16"):
        condition("action", "a*" * 17)


def test_a_star_that_is_text_stands_beside_no_other():
    assert values.condition(FIELDS["action"], Value("a*b")) == Is("action", "a*b")
    with pytest.raises(BadQuery, match="that stands for itself"):
        values.condition(FIELDS["action"], Value("a*b*", 0, 6, (3,)))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("1970-01-03", 2, 3),
        ("1970-01-03..1970-01-05", 2, 5),
        ("1970-01-03..<1970-01-05", 2, 4),
        ("1970-01-03..", 2, None),
        ("..1970-01-03", None, 3),
        (">1970-01-03", 3, None),
        (">=1970-01-03", 2, None),
        ("<1970-01-03", None, 2),
        ("<=1970-01-03", None, 3),
    ],
)
def test_a_range_of_days_takes_in_both_ends(text, first, last):
    ends = [None if day is None else day * DAY_US for day in (first, last)]

    assert values.during(plain(text), CLOCK) == During(*ends)


def test_after_a_day_takes_it_in_and_before_it_does_not():
    assert values.since(plain("1970-01-03"), CLOCK) == During(2 * DAY_US, None)
    assert values.until(plain("1970-01-03"), CLOCK) == During(None, 2 * DAY_US)


@pytest.mark.parametrize(
    ("read", "text", "says"),
    [
        (values.during, "-7d", "'-7d' is a moment; did you mean after:-7d or before:-7d?"),
        (values.during, "2026-03..2026-01", ("the range ends before it begins: nothing can match;"
         " did you mean 2026-01..2026-03?")),
        (values.since, "2026..2027", "one time stands here; did you mean date:2026..2027?"),
        (values.until, ">2026", "one time stands here; did you mean date:>2026?"),
    ],
)  # fmt: skip
def test_a_time_that_cannot_be_is_refused(read, text, says):
    with pytest.raises(BadQuery) as refused:
        read(plain(text), CLOCK)

    assert str(refused.value) == says
