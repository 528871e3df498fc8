"""Everything that is wrong with a body is said, each by its place."""

import pytest

from sealog.policy.refusing import Faults, Invalid


def test_all_that_is_wrong_is_said_at_once():
    faults = Faults()
    found = faults.members({"a/b": 1, "~": 2, "known": 3}, "/at", ("known", "other"))
    faults.typed(found, "/at", "known", str)

    with pytest.raises(Invalid) as refused:
        faults.end()

    assert [(one.pointer, one.code) for one in refused.value.wrong] == [
        ("/at/a~1b", "unknown-member"),
        ("/at/~0", "unknown-member"),
        ("/at/known", "bad-type"),
    ]
    assert refused.value.detail == "there is no such member; known are known, other (and 2 more)"
    assert (refused.value.code, refused.value.pointer) == ("invalid", "/at/a~1b")


def test_where_nothing_is_wrong_nothing_is_raised():
    faults = Faults()

    assert faults.members({"a": True, "b": None, "shown": 1}, "", ("a", "b"), ("shown",)) == {
        "a": True,
        "b": None,
    }
    assert faults.typed({"a": True}, "", "a", bool) is True
    assert faults.typed({"b": None}, "", "b", bool) is None
    faults.end()


def test_a_boolean_is_no_number_and_a_list_no_object():
    faults = Faults()

    assert faults.typed({"version": True}, "", "version", int) is None
    assert faults.members([1], "/rules/0", ("a",)) == {}
    with pytest.raises(Invalid) as refused:
        faults.end()
    assert [one.detail for one in refused.value.wrong] == [
        "version is a whole number",
        "0 is an object",
    ]
