"""How long what is kept: the first rule that fits, then the defaults."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealog.policy.retention import KEEP_MAX_S, KEEP_MIN_S, Retention, Rule

DAY_S = 86_400
LOGIN = ("closer", "agent_login", "agent.login")
STEP = ("easysend", "StepCompleted", "step.completed")


def test_easysend_is_kept_for_48_hours_and_everything_else_for_ever():
    """What EasySend's document says of its own logs."""
    nothing_chosen = Retention()

    assert nothing_chosen.keep_s(*STEP) == 172_800
    assert nothing_chosen.keep_s(*LOGIN) is None
    assert nothing_chosen.keep_s("sealog", "sealog.keys.created", "sealog.keys.created") is None


def test_the_first_rule_that_fits_decides():
    """X-07: per tenant and type, from an hour upward."""
    chosen = Retention(
        3,
        (
            Rule("easysend", "Step*", 30 * DAY_S),
            Rule(None, "agent_login*", 90 * DAY_S),
            Rule(None, "agent_login", DAY_S),
            Rule("easysend", None, None),
        ),
    )

    assert chosen.keep_s(*STEP) == 30 * DAY_S
    assert chosen.keep_s("easysend", "Opened", "link.opened") is None
    assert chosen.keep_s(*LOGIN) == 90 * DAY_S
    assert chosen.keep_s("closer", "org_config_change", "org.config.change") is None


def test_a_rule_for_everything_is_for_what_sealog_records_too_but_for_no_statement():
    chosen = Retention(1, (Rule(keep_s=DAY_S),))

    assert chosen.keep_s("sealog", "sealog.read.by_key", "sealog.read.by_key") == DAY_S
    for statement in ("retention", "erasure", "hold", "release", "key"):
        name = f"sealog.{statement}"
        assert chosen.keep_s("sealog", name, name) is None


@pytest.mark.parametrize(
    ("rules", "shortest"),
    [
        ((), 172_800),
        ((Rule("easysend", None, None),), None),
        ((Rule("easysend", None, 90 * DAY_S),), 90 * DAY_S),
        ((Rule("easysend", "Step*", None),), 172_800),
        ((Rule("closer", "x", 3_600), Rule()), 3_600),
        ((Rule(None, None, 7 * DAY_S), Rule("easysend", None, 3_600)), 7 * DAY_S),
        ((Rule(), Rule(keep_s=3_600)), None),
    ],
)
def test_the_shortest_is_that_of_rules_that_can_decide_something(rules, shortest):
    assert Retention(1, rules).shortest_s() == shortest


KEEPS = st.none() | st.integers(KEEP_MIN_S, KEEP_MAX_S)
RULES = st.builds(
    Rule,
    st.sampled_from([None, "easysend", "closer", "ecs"]),
    st.sampled_from([None, "a", "a*", "*b", "agent.*"]),
    KEEPS,
)
TYPES = st.tuples(
    st.sampled_from(["easysend", "closer", "ecs", "sealog"]),
    st.sampled_from(["a", "ab", "b", "c"]),
    st.sampled_from(["agent.login", "x"]),
)


@given(st.lists(RULES, max_size=6), TYPES)
def test_what_stands_behind_the_first_that_fits_decides_nothing(rules, asked):
    """First-rule-wins: cutting the rules behind it, or adding any, changes nothing."""
    whole = Retention(1, tuple(rules)).keep_s(*asked)

    for end in range(len(rules) + 1):
        begun = Retention(1, (*rules[:end], Rule(keep_s=4_242)))
        if begun.keep_s(*asked) != 4_242:
            assert begun.keep_s(*asked) == whole
            break
    else:
        assert whole == (172_800 if asked[0] == "easysend" else None)


@given(st.lists(RULES, max_size=6), TYPES)
def test_nothing_is_kept_for_less_than_the_shortest(rules, asked):
    chosen = Retention(1, tuple(rules))
    kept = chosen.keep_s(*asked)

    assert kept is None or kept >= chosen.shortest_s()
