import msgspec
import pytest
from tests.dialects.samples import plain

from sealog.catalog.shelf import load
from sealog.dialects.classes import Classes
from sealog.dialects.natives import Natives
from sealog.event import tokens
from sealog.event.record import Draft


def settled(event, native="agent_skills_change", classes=None):
    """An event's classes once settled, the draft's `sent`, and the findings' codes."""
    draft = Draft({}, "closer", native, "")
    tree = {key: tokens.raw(value) for key, value in event.items()}
    (classes or Classes()).settle(draft, tree, Natives("closer", load()).of(native))
    return plain(tree), plain(draft.sent), [finding.code for finding in draft.findings]


def test_the_catalog_fills_what_is_absent():
    assert settled({}) == (
        {"kind": "event", "category": ["iam"], "type": ["user", "change"]},
        {},
        [],
    )


def test_an_unknown_type_gets_a_kind_and_nothing_made_up():
    assert settled({}, "never_heard_of") == ({"kind": "event"}, {}, [])


@pytest.mark.parametrize(
    ("field", "sent", "standing", "found"),
    [
        pytest.param("kind", ["event"], "event", [], id="CL-Q5"),
        ("kind", ["state", "event"], "state", ["kind-is-array"]),
        ("kind", "strange", "strange", ["unknown-kind"]),
        ("category", "iam", ["iam"], ["category-is-scalar"]),
        ("category", ["web", "iam"], ["web", "iam"], []),
        pytest.param("category", ["configuration"], ["configuration", "iam"], [],
                     id="CL-Q6"),
        ("category", [], ["iam"], []),
        ("category", None, ["iam"], []),
        ("category", {"a": 1}, ["iam"], ["category-is-scalar", "unknown-category"]),
        ("type", "change", ["change"], ["type-is-scalar"]),
        ("type", [], ["user", "change"], []),
    ],
)  # fmt: skip
def test_what_was_sent_stays_and_is_made_what_ecs_wants(field, sent, standing, found):
    event, kept, codes = settled({field: sent})

    assert event[field] == standing
    assert kept == ({} if standing == sent else {f"event.{field}": sent})
    assert codes == found


def test_a_type_that_no_sent_category_expects_is_found_though_the_catalog_adds_one_that_does():
    """CL-Q6: what was sent is judged as sent."""
    event, _, codes = settled({"category": ["configuration"], "type": ["change", "user"]})

    assert event["category"] == ["configuration", "iam"]
    assert event["type"] == ["change", "user"]
    assert codes == ["unexpected-pair"]


def test_a_second_event_of_the_same_classes_is_settled_alike():
    classes = Classes()
    event = {"kind": ["event"], "category": ["configuration"], "type": ["user"]}

    first, second = settled(event, classes=classes), settled(event, classes=classes)

    assert first == second
    assert len(classes._seen) == 1


def test_what_is_remembered_is_bounded():
    classes = Classes()
    native = Natives("closer", load()).of("agent_login")

    for number in range(5_000):
        event = {"kind": tokens.raw(f"k{number}")}
        classes.settle(Draft({}, "closer", "", ""), event, native)
    classes.settle(
        Draft({}, "closer", "", ""), {"kind": msgspec.Raw(b'"' + b"x" * 999 + b'"')}, native
    )

    assert len(classes._seen) <= 4096
    assert max(len(key[1]) for key in classes._seen) < 999
