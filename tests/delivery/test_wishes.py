import pytest

from sealog.delivery.destination import Parsed
from sealog.delivery.shaping import Shape
from sealog.delivery.wishes import NAME_CHARS_MAX, index_of, read
from sealog.errors import Refused
from sealog.query.tree import Is, Query

ASKED = {"name": "siem", "destination": {"kind": "fake"}}


def read_filter(members):
    if "bad" in members:
        raise Refused("no", code="bad-parameter", pointer="/bad")
    if "worse" in members:
        raise Refused("no", code="bad-parameter")
    return Query(where=Is("actor", members["q"])) if members else Query()


def read_destination(body):
    if body is None:
        raise Refused("no", code="bad-destination", pointer="/destination")
    return Parsed({"kind": "fake"}, {"keys": []}, {"secret": "x"})


def wish(**body):
    return read({**ASKED, **body}, read_filter, read_destination)


def test_little_is_needed_and_the_rest_is_as_usual():
    found = wish()

    assert found.wanted.name == "siem"
    assert found.wanted.query == Query()
    assert (found.wanted.dialect, found.wanted.ecs_version) == ("ecs", "8.11")
    assert found.wanted.shape == Shape()
    assert found.destination.told == {"secret": "x"}


def test_all_that_can_be_wished_is_read():
    found = wish(
        filter={"q": "ada"},
        fields={"include": ["event", "user.id"], "exclude": ["labels"]},
        mask={"user.id": "hash"},
        dialect="ecs",
        ecs_version="1.9",
    ).wanted

    assert found.filter == {"q": "ada"}
    assert found.query == Query(where=Is("actor", "ada"))
    assert found.shape == Shape(("event", "user.id"), ("labels",), {"user.id": "hash"})
    assert found.ecs_version == "1.9"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"names": "x"}, "/names"),
        ({"a/b~": 1}, "/a~1b~0"),
        ({"name": ""}, "/name"),
        ({"name": "x" * (NAME_CHARS_MAX + 1)}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"name": 7}, "/name"),
        ({"destination": None}, "/destination"),
        ({"filter": []}, "/filter"),
        ({"filter": {"bad": 1}}, "/filter/bad"),
        ({"fields": {"only": []}}, "/fields/only"),
        ({"fields": {"include": "a"}}, "/fields/include"),
        ({"fields": {"include": ["a", 1]}}, "/fields/include"),
        ({"fields": {"include": ["a", ".b"]}}, "/fields/include/1"),
        ({"mask": {"a.b": "blur"}}, "/mask/a.b"),
        ({"mask": {"a.b": 1}}, "/mask/a.b"),
        ({"dialect": "klingon"}, "/dialect"),
        ({"dialect": 1}, "/dialect"),
        ({"ecs_version": "7.0"}, "/ecs_version"),
        ({"ecs_version": 8.11}, "/ecs_version"),
        ({"dialect": "closer", "ecs_version": "1.9"}, "/ecs_version"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_by_its_pointer(body, pointer):
    with pytest.raises(Refused) as caught:
        wish(**body)

    assert caught.value.pointer == pointer


def test_a_misspelt_member_is_told_what_it_may_have_meant():
    with pytest.raises(Refused, match="did you mean filter"):
        wish(filters={})


def test_what_a_filter_says_without_a_place_stays_so():
    with pytest.raises(Refused) as caught:
        wish(filter={"worse": 1})

    assert caught.value.pointer == ""


@pytest.mark.parametrize("value", [-1, 1 << 53, "7", 7.0, True, None], ids=repr)
def test_an_index_is_a_whole_number(value):
    with pytest.raises(Refused) as caught:
        index_of(value, "/from/index")

    assert caught.value.pointer == "/from/index"


def test_the_highest_index_is_one():
    assert index_of((1 << 53) - 1, "") == (1 << 53) - 1
