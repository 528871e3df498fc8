"""Which types a rule is for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealog.policy.matching import fits


@pytest.mark.parametrize(
    ("wanted", "found", "is_for"),
    [
        ((None, None), ("closer", "agent_login", "agent.login"), True),
        (("closer", None), ("closer", "agent_login", "agent.login"), True),
        (("easysend", None), ("closer", "agent_login", "agent.login"), False),
        ((None, "agent_login"), ("closer", "agent_login", "agent.login"), True),
        ((None, "agent.login"), ("closer", "agent_login", "agent.login"), True),
        ((None, "agent_login*"), ("closer", "agent_login_with_magic_link", "x"), True),
        ((None, "*.login*"), ("closer", "agent_login", "agent.login"), True),
        ((None, "agent"), ("closer", "agent_login", "agent.login"), False),
        ((None, "AGENT_LOGIN"), ("closer", "agent_login", "agent.login"), False),
        (("closer", "agent_login"), ("ecs", "agent_login", "agent_login"), False),
        (("easysend", "step completed"), ("easysend", "StepCompleted", "step.completed"), True),
        (("easysend", "Step*"), ("easysend", "STEP_COMPLETED", "step.completed"), True),
        (("easysend", "Opened Event"), ("easysend", "opened", "link.opened"), True),
        ((None, "step*completed"), ("easysend", "StepCompleted", "x"), True),
        ((None, "a*a"), ("ecs", "a", "a"), False),
    ],
)
def test_a_rule_is_for_a_dialect_and_for_names_or_aliases_with_a_star_for_anything(
    wanted, found, is_for
):
    assert fits(wanted, *found) is is_for


NAMES = st.text("ab_*", max_size=8)


@given(NAMES, st.lists(st.text("ab_", max_size=4), max_size=4))
def test_a_star_stands_for_anything(pattern, fillings):
    """A name made of the pattern by filling in its stars is one that it is for."""
    pieces = pattern.split("*")
    filled = [*fillings, *[""] * len(pieces)]
    name = pieces[0] + "".join(
        filling + piece for filling, piece in zip(filled, pieces[1:], strict=False)
    )

    assert fits((None, pattern), "ecs", name)


def test_no_pattern_makes_it_slow():
    """Each piece is found once: a million steps here, not a number with a thousand digits."""
    assert not fits((None, "*a" * 100 + "b"), "ecs", "a" * 10_000)
