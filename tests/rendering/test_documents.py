from msgspec import Raw
from tests.rendering.made import one, parts

from sealog.event import joining
from sealog.rendering import documents
from sealog.rendering.documents import Document


def document(sent, dialect="supsis"):
    return of(one("supsis", sent), dialect)


def of(opened, dialect="supsis"):
    return Document(joining.document(opened, 4), dialect)


SENT = {"dateTime": "2026-01-31 12:00:00", "user": "ada", "ip": "/192.0.2.1", "activity": "login"}


def test_a_document_is_ones_own_where_the_event_is_of_the_dialect():
    assert document(SENT).own
    assert not document(SENT, "closer").own


def test_a_time_is_given_as_sent_to_its_own_dialect_and_in_utc_to_others():
    assert document(SENT).time() == Raw(b'"2026-01-31 12:00:00"')
    assert document(SENT, "closer").time() == Raw(b'"2026-01-31T12:00:00.000Z"')


def test_a_record_without_a_time_has_none_in_its_own_dialect():
    """The time of arrival is Sealog's; another shape has no other."""
    timeless = {"user": "ada", "activity": "login"}

    assert document(timeless).time() is None
    assert document(timeless, "closer").time() == Raw(b'"2027-01-15T08:00:00.000000Z"')


def test_a_mended_value_is_said_as_it_was_sent():
    assert document(SENT).said("source.ip") == Raw(b'"/192.0.2.1"')
    assert document(SENT, "closer").said("source.ip") == Raw(b'"192.0.2.1"')


def test_of_several_that_were_sent_nobody_can_tell_which_it_was():
    twice = b'{"dateTime":"2026-01-31","user":"a","user":"b","ip":"/192.0.2.1","activity":"login"}'

    assert document(twice).said("source.ip") == Raw(b'"192.0.2.1"')


def test_a_record_without_an_action_has_none():
    assert document({"user": "ada"}).action() is None
    assert document({"user": "ada", "activity": 7}).action() == Raw(b"7")
    assert document(SENT).action() == Raw(b'"login"')


def test_a_version_is_given_as_it_was_sent_and_else_as_the_shape_says():
    assert document(SENT).version("8.11") == Raw(b'"8.11"')


def test_the_first_that_says_something_is_found():
    opened = parts({"a": "  ", "b": None, "c": {"d": "e"}})

    found = of(opened)

    assert found.first("a", "b", "c.d") == Raw(b'"e"')
    assert found.first("a", "x") is None
    assert found.text("c.d") == "e"
    assert found.text("c") is None


def test_others_are_all_but_those_that_are_named():
    found = of(parts({"a": {"b": 1, "c": 2}, "d": 3}))

    assert found.others("a", ["b"]) == {"c": Raw(b"2")}
    assert found.others("d") == {}
    assert found.others("x") == {}


def test_items_are_those_of_an_array_or_the_value_itself():
    assert documents.items(Raw(b'[1,"a"]')) == [Raw(b"1"), Raw(b'"a"')]
    assert documents.items(Raw(b'["\\ud800"]')) == [Raw(b'"\\ud800"')]
    assert documents.items(Raw(b"1")) == [Raw(b"1")]
    assert documents.items({"a": Raw(b"1")}) == []
    assert documents.items(None) == []


def test_a_member_that_is_not_there_is_not_made():
    members = [("a", None), ("b", {}), ("c", Raw(b"null")), ("d", Raw(b"0"))]

    assert documents.made(members) == {"c": Raw(b"null"), "d": Raw(b"0")}


def test_a_value_is_put_at_its_path():
    tree = {"a": {"b": 1}}

    documents.put(tree, "a.c", 2)
    documents.put(tree, "d.e.f", 3)
    documents.put(tree, "g.h", None)

    assert tree == {"a": {"b": 1, "c": 2}, "d": {"e": {"f": 3}}}


def test_digits_in_quotes_are_a_whole_number():
    assert documents.whole(Raw(b'"204"')) == Raw(b"204")
    assert documents.whole(Raw(b"204.0")) == Raw(b"204.0")
    assert documents.whole(Raw(b'"2xx"')) == Raw(b'"2xx"')
    assert documents.whole(None) is None


def test_a_single_value_is_an_array_of_it():
    assert documents.several(Raw(b'"a"')) == Raw(b'["a"]')
    assert documents.several(Raw(b'["a"]')) == Raw(b'["a"]')
    assert documents.several(Raw(b"null")) is None
    assert documents.several(None) is None


def test_an_object_stands_on_one_line():
    assert documents.line({"a": Raw(b"[\n1,\r2]"), "b": "\n"}) == b'{"a":[ 1, 2],"b":"\\n"}'
