from sealog.event import forms


def token(slot):
    return bytes(forms.token(slot))


def test_marks_become_places_for_tokens():
    facts = b'{"a":%b,"b":%b,"c":"100%%"}' % (token(0), token(2))

    made = forms.written((facts, b"", b"", b'{"x":%b}' % token(1)), frozenset({0, 2}), 2)

    assert made.texts((b'"v"', b"[1]", b"null")) == (
        b'{"a":"v","b":null,"c":"100%"}',
        b"",
        b"",
        b'{"x":[1]}',
    )


def test_a_part_without_values_is_the_same_in_every_event():
    made = forms.written((b'{"a":"%b"}', b"", b"", b""), frozenset(), 0)

    assert made.texts((b"1",)) == (b'{"a":"%b"}', b"", b"", b"")


def test_findings_that_came_with_the_record_stand_before_the_others():
    told = b'[{"code":"%b"},{"code":"mine"}]' % forms.mark(1).encode()

    made = forms.written((b'{"a":1}', b"", b"", told), frozenset(), 1)

    assert made.texts((b"", b'{"code":"a"},{"code":"b"}'))[3] == (
        b'[{"code":"a"},{"code":"b"},{"code":"mine"}]'
    )


def test_there_are_no_templates_where_a_value_may_be_no_fact():
    assert forms.written((b'{"a":%b}' % token(0), b"", b"", b""), frozenset({1}), 9) is None


def test_there_are_no_templates_where_a_value_stands_within_another_string():
    within = b'{"a":"see %b"}' % forms.mark(0).encode()

    assert forms.written((b'{"a":1}', b"", b"", within), frozenset({0}), 9) is None


def test_only_what_holds_the_sign_could_be_taken_for_a_mark():
    assert forms.may_be_marked(b'"a' + token(7))
    assert not forms.may_be_marked('"\ue001"'.encode())
