"""The shape of a catalog file, and names with their spelling folded away."""

import msgspec
import pytest

from sealog.catalog.entries import EventType, Field, fold


@pytest.mark.parametrize(
    "sent", ["Opened", "OPENED", "opened event", "Opened Event", "o_p-e n e d", "OPENED_EVENT"]
)
def test_spellings_of_one_name_fold_into_one(sent):
    assert fold(sent) == "opened"


def test_a_name_that_is_only_the_word_event_stays():
    assert fold("Event") == "event"


@pytest.mark.parametrize(
    ("one", "other"), [("LinkSent", "Link Opened"), ("Completed", "Step Completed")]
)
def test_different_names_stay_apart(one, other):
    assert fold(one) != fold(other)


def test_a_field_is_rest_unless_it_says_otherwise():
    """What nobody declared free of personal data is personal."""
    field = Field(type="string", description="Something.", path="closer.something")

    assert field.part == "rest"


def test_a_type_is_an_event_of_unknown_outcome_unless_it_says_otherwise():
    each = EventType(native="x", action="a.b", description="Something.", section="Here")

    assert (each.kind, each.outcome, each.documented) == ("event", "unknown", True)


def test_a_type_cannot_be_changed():
    each = EventType(native="x", action="a.b", description="Something.", section="Here")

    with pytest.raises(AttributeError):
        each.native = "y"


def test_an_unknown_key_is_refused():
    with pytest.raises(msgspec.ValidationError, match="unknown field `colour`"):
        msgspec.convert({"type": "string", "description": "x", "path": "a.b", "colour": 1}, Field)
