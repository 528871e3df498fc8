import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealog.compat.chatvisor_changes import PATHS_MAX, Change, change, objects

BEFORE = {"index": 3, "timestamp": "2026-04-01T09:00:00.123Z"}


@pytest.mark.parametrize(
    ("native", "data", "expected"),
    [
        (
            "PLUGIN_CHANGE",
            {"configuration": {"plugin": "crm", "on": True}},
            {"plugin crm": {"plugin": "crm", "on": True}},
        ),
        (
            "PLUGIN_CHANGE",
            {"name": "crm", "configuration": {"on": True}},
            {"name crm": {"on": True}},
        ),
        ("PLUGIN_CHANGE", {"configuration": {"on": True}}, {"": {"on": True}}),
        ("PLUGIN_CHANGE", {"on": True}, {"": {"on": True}}),
        (
            "SETTINGS_CHANGE",
            {"configuration": {"security": {"a": 1}, "mail": {"b": 2}}},
            {"security": {"a": 1}, "mail": {"b": 2}},
        ),
        ("SETTINGS_CHANGE", {"configuration": "odd"}, {}),
        ("PLUGIN_CHANGE", {}, {}),
        ("ROLE_CHANGE", {"configuration": {"plugin": "crm"}}, {}),
    ],
)
def test_an_event_configures_objects_by_name(native, data, expected):
    """CV-10, CV-11."""
    assert objects(native, data) == expected


def test_what_changed_is_listed_by_pointer():
    """CV-33: only the new configuration is sent."""
    old = {"a": 1, "b": {"c": [1], "d/e": "x"}, "gone": None}
    new = {"a": 2, "b": {"c": [1, 2], "d/e": "x", "new~": True}}

    assert change("crm", new, old, BEFORE) == Change(
        "crm",
        BEFORE,
        [
            {"path": "/a", "old": 1, "new": 2},
            {"path": "/b/c", "old": [1], "new": [1, 2]},
            {"path": "/b/new~0", "new": True},
            {"path": "/gone", "old": None},
        ],
    )


def test_without_an_event_before_nothing_is_made_up():
    assert change("crm", {"a": 1}, None, None) == Change("crm", None)


def test_a_type_that_changed_is_a_change():
    assert change("crm", {"a": True}, {"a": 1}, BEFORE).changed == [
        {"path": "/a", "old": 1, "new": True}
    ]


def test_differences_have_a_limit():
    new = {str(n): n for n in range(PATHS_MAX + 1)}

    found = change("crm", new, {}, BEFORE)

    assert (len(found.changed), found.more) == (PATHS_MAX, True)
    assert change("crm", dict(list(new.items())[1:]), {}, BEFORE).more is False


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON)
def test_what_did_not_change_is_not_listed(value):
    assert change("x", value, value, BEFORE).changed == []


@given(JSON, JSON)
def test_applying_what_changed_gives_what_is_new(old, new):
    for one in change("x", new, old, BEFORE).changed:
        steps = [step.replace("~1", "/").replace("~0", "~") for step in one["path"].split("/")[1:]]
        if not steps:
            old = one["new"]
            continue
        at = old
        for step in steps[:-1]:
            at = at[step]
        if "new" in one:
            at[steps[-1]] = one["new"]
        else:
            del at[steps[-1]]

    assert old == new
