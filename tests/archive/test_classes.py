"""Retention classes: their names, their windows, and what a policy says of types."""

import pytest

from sealog.archive.classes import (
    FOR_EVER,
    NEVER_US,
    Types,
    class_of,
    expires_us,
    grace_us,
    keep_of,
    keep_us_of,
    window_us,
)
from sealog.policy.retention import Retention, Rule


@pytest.mark.parametrize(
    ("kept", "keep_s"),
    [
        ("default", None),
        ("default-1", None),
        ("statements", None),
        ("172800s", 172_800),
        ("172800s-12", 172_800),
        ("s", None),
        ("-1s", None),
        ("elses", None),
    ],
)
def test_a_class_names_how_long_it_is_kept(kept: str, keep_s: int | None):
    assert keep_of(kept) == keep_s
    assert keep_us_of(kept) == (None if keep_s is None else keep_s * 1_000_000)


@pytest.mark.parametrize(
    ("keep_s", "name"), [(None, "default"), (3_600, "3600s"), (172_800, "172800s")]
)
def test_a_class_is_named_by_how_long_it_is_kept(keep_s: int | None, name: str):
    assert class_of(keep_s) == name
    assert keep_of(class_of(keep_s, 3)) == keep_s


def test_windows_and_grace_leave_room_within_the_forty_eighth_part():
    assert window_us(172_800) == 1_234_285_714
    assert grace_us(172_800) == 120 * 1_000_000
    assert grace_us(3_600) == 7_500_000
    assert window_us(None) is None
    for keep_s in (3_600, 172_800, 315_360_000):
        rounds_us = keep_s * 1_000_000 // 100
        assert (window_us(keep_s) or 0) + rounds_us + grace_us(keep_s) < keep_s * 1_000_000 / 48


def test_nothing_expires_beyond_all_time():
    assert expires_us(5, 10) == 15
    assert expires_us(NEVER_US - 3, 10) == NEVER_US
    assert expires_us(0, NEVER_US) == NEVER_US


def test_types_remember_what_the_policy_said():
    asked = []

    class Counting(Retention, frozen=True):
        def keep_s(self, dialect: str, action: str, alias: str) -> int | None:
            asked.append((dialect, action, alias))
            return super().keep_s(dialect, action, alias)

    types = Types(Counting(3, (Rule(dialect="ecs", keep_s=3_600),)))
    one, other = ("ecs", "a", "b"), ("closer", "a", "b")

    assert types.keeps([one, one, other]) == {3_600, None}
    assert (types.keep_us(one), types.keep_us(other)) == (3_600_000_000, NEVER_US)
    assert asked == [one, other]
    assert (types.version, types.shortest_us) == (3, 3_600_000_000)


def test_without_a_policy_nothing_expires():
    assert FOR_EVER.keep_s(("easysend", "a", "b")) is None
    assert (FOR_EVER.version, FOR_EVER.shortest_us) == (None, None)
