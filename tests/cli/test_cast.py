import random
from datetime import UTC, datetime

from sealog.cli.cast import PEOPLE, WEEKS, Cast, moments

UNTIL = datetime(2026, 11, 20, 12, tzinfo=UTC)


def cast(seed=1):
    return Cast("acme.example", random.Random(seed))


def test_the_same_dice_give_the_same_people_and_ids():
    one, other = cast(), cast()

    assert [one.anyone() for _ in range(20)] == [other.anyone() for _ in range(20)]
    assert one.uuid() == other.uuid()


def test_accounts_are_roles_and_their_mail_is_at_a_reserved_domain():
    assert cast().mail("team-lead") == "team-lead@acme.example"
    assert {cast(seed).anyone() for seed in range(200)} == set(PEOPLE)


def test_an_account_nearly_always_acts_from_one_place():
    someone = cast()
    places = [someone.address("admin") for _ in range(400)]

    assert places.count(max(places, key=places.count)) > 360
    assert len(set(places)) > 1


def test_moments_fall_in_the_weeks_before_and_mostly_in_office_hours():
    made = list(moments(UNTIL, 500, random.Random(3)))

    assert len(made) == 500
    assert all(0 <= (UNTIL - at).total_seconds() <= WEEKS * 7 * 86_400 for at in made)
    assert sum(at.weekday() < 5 and 7 <= at.hour < 18 for at in made) > 400
