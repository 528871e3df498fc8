import re

from sealog.event.templates import templates_of

MARK = re.compile(rb"<([0-9]+)>")


def test_values_stand_where_their_marks_stood_and_all_else_as_it_was():
    texts = b'{"a":<1>,"b":<0>,"c":"100% %b"}', b"<2>", b"", b'{"same":true}'

    made = templates_of(texts, MARK, 3)

    assert made.texts((b"1", b'"%s"', b"{}")) == (
        b'{"a":"%s","b":1,"c":"100% %b"}',
        b"{}",
        b"",
        b'{"same":true}',
    )


def test_a_value_may_stand_in_several_places_or_in_none():
    made = templates_of((b"<0><0>", b"", b"", b"<0>"), MARK, 2)

    assert made.texts((b"x", b"left out")) == (b"xx", b"", b"", b"x")
