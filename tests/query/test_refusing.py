from sealog.query.refusing import BadQuery, shown


def test_a_refusal_says_where_and_what_should_stand_there():
    refused = BadQuery("unknown field 'acter'", offset=3, length=5, suggestion="actor")

    assert (refused.code, str(refused)) == ("bad-query", "unknown field 'acter'")
    assert (refused.offset, refused.length, refused.suggestion) == (3, 5, "actor")


def test_a_piece_is_shown_in_quotes_on_one_line_and_not_too_long():
    assert shown("a\nb") == r"'a\nb'"
    assert shown("x" * 60) == "'" + "x" * 60 + "'"
    assert shown("x" * 61) == "'" + "x" * 59 + "…'"
