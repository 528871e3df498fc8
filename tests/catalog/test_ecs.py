"""What is odd about the four classifying values, written out for every oddity."""

import pytest

from sealog.catalog import ecs


def test_the_closer_sample_is_off_its_own_schema_twice():
    """CL-Q5, CL-Q6: its kind is an array, and `user` is not expected beside `configuration`."""
    odd = ecs.lint(["event"], ["configuration"], ["change", "user"], "success")

    assert odd == [
        ("kind-is-array", "event.kind is one value, not an array"),
        (
            "unexpected-pair",
            "event.type user is not expected beside category configuration",
        ),
    ]


def test_a_type_that_one_of_two_categories_expects_is_expected():
    """Once `iam` stands beside `configuration`, the pair is whole."""
    assert ecs.lint("event", ["configuration", "iam"], ["change", "user"], "success") == []


def test_nothing_is_odd_about_what_is_absent():
    assert ecs.lint(None, None, None, None) == []


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (("event", "iam", ["user"], "success"), "category-is-scalar"),
        (("event", ["iam"], "user", "success"), "type-is-scalar"),
        ((["event"], ["iam"], ["user"], "success"), "kind-is-array"),
        (("events", ["iam"], ["user"], "success"), "unknown-kind"),
        (("event", ["people"], ["user"], "success"), "unknown-category"),
        (("event", ["iam"], ["changed"], "success"), "unknown-type"),
        (("event", ["iam"], ["user"], "Success"), "unknown-outcome"),
        (("event", ["iam"], ["user"], ["success"]), "unknown-outcome"),
        (("event", ["iam"], ["user"], 1), "unknown-outcome"),
        (("event", ["iam"], [7], "success"), "unknown-type"),
        (("event", {"iam": 1}, ["user"], "success"), "category-is-scalar"),
        (("event", ["authentication"], ["access"], "success"), "unexpected-pair"),
    ],
)
def test_every_oddity_has_its_code(values, code):
    assert code in [found for found, _ in ecs.lint(*values)]


def test_a_scalar_category_is_judged_as_an_array_of_one():
    odd = ecs.lint("event", "iam", "start", "success")

    assert [code for code, _ in odd] == ["category-is-scalar", "type-is-scalar", "unexpected-pair"]


def test_a_type_is_not_judged_beside_a_category_nobody_knows():
    odd = ecs.lint("event", ["iam", "people"], ["start"], "success")

    assert odd == [("unknown-category", "people is no event.category of ECS 8.11.0")]


def test_the_same_oddity_is_told_once():
    assert len(ecs.lint("event", ["people", "people"], ["user"], "success")) == 1


def test_a_long_value_is_shown_by_its_beginning():
    [(_, detail)] = ecs.lint("x" * 65, None, None, None)

    assert detail == "x" * 64 + "… is no event.kind of ECS 8.11.0"


def test_a_value_of_the_longest_shown_length_is_shown_whole():
    [(_, detail)] = ecs.lint("x" * 64, None, None, None)

    assert detail == "x" * 64 + " is no event.kind of ECS 8.11.0"


def test_the_categories_are_those_of_ecs_8_11():
    assert set(ecs.EXPECTED_TYPES) == {
        "api",
        "authentication",
        "configuration",
        "database",
        "driver",
        "email",
        "file",
        "host",
        "iam",
        "intrusion_detection",
        "library",
        "malware",
        "network",
        "package",
        "process",
        "registry",
        "session",
        "threat",
        "vulnerability",
        "web",
    }


def test_the_types_are_those_of_ecs_8_11():
    assert {
        "access",
        "admin",
        "allowed",
        "change",
        "connection",
        "creation",
        "deletion",
        "denied",
        "end",
        "error",
        "group",
        "indicator",
        "info",
        "installation",
        "protocol",
        "start",
        "user",
    } == ecs.TYPES


@pytest.mark.parametrize(
    ("category", "types"),
    [
        ("authentication", {"start", "end", "info"}),
        ("configuration", {"access", "change", "creation", "deletion", "info"}),
        ("iam", {"admin", "change", "creation", "deletion", "group", "info", "user"}),
        ("session", {"start", "end", "info"}),
        ("web", {"access", "error", "info"}),
    ],
)
def test_a_category_expects_the_types_that_ecs_lists(category, types):
    assert ecs.EXPECTED_TYPES[category] == types
