"""What a tenant chose to record."""

from sealog.policy.settings import Recording, TenantSettings


def test_who_chose_nothing_records_everything_and_pulls_it_by_api():
    """ES-13."""
    chosen = TenantSettings()

    assert chosen.records("easysend", "StepCompleted", "step.completed")
    assert (chosen.version, chosen.delivery, chosen.service) == (0, "api", None)


def test_the_first_rule_that_fits_decides_whether_it_is_recorded():
    """ES-12: which events."""
    chosen = TenantSettings(
        2,
        recorded=(
            Recording(record=True, dialect="easysend", action="Link*"),
            Recording(record=False, dialect="easysend"),
        ),
    )

    assert chosen.records("easysend", "LinkSent", "link.sent")
    assert not chosen.records("easysend", "StepCompleted", "step.completed")
    assert chosen.records("closer", "agent_login", "agent.login")
