"""The activities that Supsis's "Audit Logs" gives as examples, and the two it speaks of."""

import pytest

from sealog.catalog import shelf


@pytest.fixture(scope="module")
def catalog():
    return shelf.load()


@pytest.mark.parametrize(
    ("native", "action", "type_"),
    [
        pytest.param("chat-assigned-to-user", "chat.assign", "info", id="CP-10"),
        pytest.param("chat-opened", "chat.open", "start", id="CP-11"),
        pytest.param("user-joined-to-chat", "chat.join", "start", id="CP-12"),
        pytest.param("chat-closed", "chat.close", "end", id="CP-13"),
    ],
)
def test_an_activity_keeps_its_kebab_case_name_and_gets_a_dotted_alias(
    catalog, native, action, type_
):
    """CP-Q1"""
    each = catalog.find("supsis", native)

    assert (each.native, each.action) == (native, action)
    assert (each.category, each.type, each.outcome) == (("session",), (type_,), "success")
    assert each.documented


@pytest.mark.parametrize(
    ("native", "action", "type_"),
    [("login", "user.login", "start"), ("logout", "user.logout", "end")],
)
def test_what_the_document_only_speaks_of_is_marked(catalog, native, action, type_):
    """CP-14: whether a login succeeded, the document does not say."""
    each = catalog.find("supsis", native)

    assert (each.action, each.category, each.type) == (action, ("authentication",), (type_,))
    assert (each.documented, each.outcome) == (False, "unknown")


def test_there_are_four_documented_activities_and_two_others(catalog):
    documented = {each.native: each.documented for each in catalog.dialects["supsis"].types}

    assert documented == {
        "chat-assigned-to-user": True,
        "chat-opened": True,
        "user-joined-to-chat": True,
        "chat-closed": True,
        "login": False,
        "logout": False,
    }


def test_an_activity_that_is_no_example_is_simply_not_catalogued(catalog):
    """CP-10: the list is open."""
    assert catalog.find("supsis", "chat-tagged") is None


def test_an_activity_has_no_data_of_its_own(catalog):
    """CP-Q4: the document shows four columns and nothing else."""
    assert [each.fields for each in catalog.dialects["supsis"].types] == [{}] * 6
