import pytest

from sealog.catalog.shelf import load
from sealog.dialects.natives import Natives, alias_of


@pytest.mark.parametrize(
    ("name", "alias"),
    [
        ("agent_skills_moved", "closer.agent.skills.moved"),
        ("UserLoginMaybe", "closer.user.login.maybe"),
        ("HTTPCallMade", "closer.http.call.made"),
        ("SOME-thing else/now", "closer.some.thing.else.now"),
        ("größe", "closer.größe"),
        ("ada@example.com", "closer.unknown"),
        ("--", "closer.unknown"),
        ("x" * 200, "closer.unknown"),
    ],
)
def test_an_unknown_name_gets_an_alias_of_its_words_unless_it_may_be_personal(name, alias):
    """X-01: an alias is a fact, and facts are never personal."""
    assert alias_of("closer", name) == alias


def test_a_catalogued_name_is_known_with_what_it_declares():
    native = Natives("logichub", load()).of("FlowPublished", "Flow")

    assert native.known
    assert native.alias == "flow.publish"
    assert bytes(native.kind) == b'"event"'
    assert ("logichub.details.version", 0) in native.declared


def test_a_name_that_folds_to_a_catalogued_one_is_known():
    assert Natives("easysend", load()).of("LINK SENT event").alias == "workflow.link.send"


@pytest.mark.parametrize("name", ["sealog.erasure", " SEALOG.x", "sealog."])
def test_names_of_sealogs_own_are_marked(name):
    assert Natives("closer", load()).of(name).reserved


@pytest.mark.parametrize("name", ["sealog", "sealogs.x", "x.sealog."])
def test_other_names_are_not(name):
    assert not Natives("closer", load()).of(name).reserved


def test_what_is_remembered_is_bounded():
    natives = Natives("closer", load())

    for number in range(5_000):
        natives.of(f"invented_{number}")

    natives.of("long" * 1000)
    assert len(natives._seen) <= 4096
    assert max(len(name) for name, _ in natives._seen) <= 256
    assert natives.of("agent_login").known
