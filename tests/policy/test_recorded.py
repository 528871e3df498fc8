"""The same answer as the settings give, remembered."""

from hypothesis import given
from hypothesis import strategies as st

from sealog.policy import recorded
from sealog.policy.recorded import Recorded
from sealog.policy.settings import Recording, TenantSettings

RULES = st.builds(
    Recording,
    st.booleans(),
    st.sampled_from([None, "easysend", "closer"]),
    st.sampled_from([None, "a", "a*", "*b"]),
)
TYPES = st.tuples(
    st.sampled_from(["easysend", "closer"]),
    st.sampled_from(["a", "ab", "b", "c"]),
    st.sampled_from(["", "b"]),
)


@given(st.lists(RULES, max_size=4).map(tuple), st.lists(TYPES, max_size=9))
def test_it_says_what_the_settings_say(rules, asked):
    settings, quick = TenantSettings(recorded=rules), Recorded(rules)

    assert [quick(*one) for one in asked] == [settings.records(*one) for one in asked]


def test_any_number_of_names_takes_a_bounded_room(monkeypatch):
    monkeypatch.setattr(recorded, "KNOWN_MAX", 3)
    quick = Recorded((Recording(record=False, action="a*"),))

    said = [quick("ecs", f"{letter}{number}", "") for letter in "ab" for number in range(5)]

    assert said == [False] * 5 + [True] * 5
    assert len(quick._known) <= 3
