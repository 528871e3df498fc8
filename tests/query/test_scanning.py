import pytest

from sealog.query.refusing import BadQuery
from sealog.query.scanning import VALUE_CHARS_MAX, Scanner, Value, plain


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ada", "ada"),
        ('"two words"', "two words"),
        ('a"b c"d', "ab cd"),
        (r"a\ b", "a b"),
        (r"a\:b\,c\"d\(e\)f\-g\*h", 'a:b,c"d(e)f-g*h'),
        (r"DOMAIN\ada", r"DOMAIN\ada"),
        (r"DOMAIN\\ada", r"DOMAIN\ada"),
        (r'"C:\Users\\x"', r"C:\Users\x"),
        (r'"say \"yes\""', 'say "yes"'),
        ("end\\", "end\\"),
        ('""', ""),
    ],
)
def test_quotes_and_escapes_are_taken_off(written, meant):
    value = Scanner(written).word()

    assert value == Value(meant, 0, len(written), ())


@pytest.mark.parametrize(
    ("written", "stars"),
    [("a*b*", (1, 3)), ('"a*"*', (2,)), (r"\**", (1,)), ('"*"', ())],
)
def test_a_star_counts_where_it_is_not_quoted(written, stars):
    assert Scanner(written).word().stars == stars


def test_a_word_ends_at_a_space_or_at_what_ends_it():
    scan = Scanner("one,two)  three")

    assert scan.word("(),").text == "one"
    assert scan.takes(",")
    assert scan.word("(),").text == "two"
    assert not scan.takes(",")
    assert scan.takes(")")
    scan.skip()
    assert scan.word().text == "three"
    assert scan.over()


def test_a_name_is_what_stands_before_its_colon():
    assert Scanner("user.name:x").name() == Value("user.name", 0, 9)
    assert Scanner(":x").name() == Value("", 0, 0)
    assert Scanner(r"a\:b").name() is None
    assert Scanner('"a":b').name() is None
    assert Scanner("a b:c").name() is None


def test_a_keyword_is_a_word_of_its_own():
    assert Scanner("OR(").sees_keyword("OR")
    assert Scanner("OR").takes_keyword("OR")
    assert not Scanner("ORDER").sees_keyword("OR")
    assert not Scanner("or").takes_keyword("OR")


def test_a_quote_that_never_ends_is_refused_at_the_end():
    scan = Scanner('x "abc')
    scan.at = 2

    with pytest.raises(BadQuery) as refused:
        scan.word()

    assert str(refused.value) == 'missing " for the " at 2: add it at the end'
    assert (refused.value.offset, refused.value.suggestion) == (6, '"')


def test_a_value_has_a_length():
    assert len(Scanner("x" * VALUE_CHARS_MAX).word().text) == 1_024
    with pytest.raises(BadQuery) as refused:
        Scanner("x" * (VALUE_CHARS_MAX + 1)).word()
    assert str(refused.value) == "a value has at most 1,024 characters: shorten it"


def test_a_piece_of_a_value_knows_its_place():
    assert Value("1..2*", 7, 12, (4,)).cut(3, 5) == Value("2*", 10, 12, (1,))
    # Quoted, its characters do not stand where they seem to.
    assert Value("1..2", 7, 13).cut(3, 4) == Value("2", 7, 13)


def test_what_is_no_query_is_a_value_as_it_is():
    assert plain('a "b" *') == Value('a "b" *', 0, 7, (6,))
