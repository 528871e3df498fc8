import msgspec
import pytest

from sealog.delivery import shaping
from sealog.delivery.shaping import Shape, Shaper, check
from sealog.errors import Refused

EVENT = {
    "event": {"id": "e-1", "action": "user.login", "original": '{"mail":"ada@acme.example"}'},
    "user": {"id": 7, "email": "ada@acme.example", "roles": ["admin", "owner"]},
    "source": {"ip": "203.0.113.9"},
    "labels": {"plan": "pro"},
    "related": {"user": ["ada@acme.example", "7"], "ip": ["203.0.113.9"]},
    "sealog": {"index": 3, "action": "user.login", "sent": {"mail": "ada@acme.example"}},
}
SECRET = b"k" * 32


def shaped(shape, event=EVENT, *, is_ecs=True, index=3, secret=SECRET):
    body = event if isinstance(event, bytes) else msgspec.json.encode(event)
    (found,) = Shaper(shape, secret, is_ecs=is_ecs).shaped([body], [index])
    return msgspec.json.decode(found)


def test_without_a_wish_every_byte_stays():
    body = b'{ "a" : 1.0 ,"b":[ ]}'

    assert Shaper(Shape(), SECRET, is_ecs=True).shaped([body], [0]) == [body]


@pytest.mark.parametrize("body", [b'["ada@acme.example"]', b'"ada@acme.example"', b" 7"])
def test_of_what_is_no_object_nothing_leaves_where_anything_is_hidden(body):
    assert shaped(Shape(mask={"user.email": "mask"}), body) == {"sealog": {"index": 3}}
    assert shaped(Shape(mask={"user.email": "mask"}), body, is_ecs=False) == {}


def test_only_what_is_included_leaves_and_its_index():
    found = shaped(Shape(include=("event.action", "user.email")))

    assert found == {
        "event": {"action": "user.login"},
        "user": {"email": "ada@acme.example"},
        "sealog": {"index": 3},
    }


def test_a_path_includes_all_that_is_below_it_but_not_the_copy_of_everything():
    """`event.original` holds what nobody included; who wants it names it."""
    assert shaped(Shape(include=("event",)))["event"] == {"id": "e-1", "action": "user.login"}
    assert "original" in shaped(Shape(include=("event", "event.original")))["event"]


def test_what_is_excluded_is_in_no_copy_either():
    found = shaped(Shape(exclude=("source.ip",)))

    assert found["source"] == {}
    assert found["related"]["ip"] == []
    assert "original" not in found["event"]
    assert "sent" not in found["sealog"]


def test_masks_hide_a_value_everywhere_it_is_repeated():
    found = shaped(Shape(mask={"user.email": "mask"}))

    assert found["user"]["email"] == "[masked]"
    assert found["related"]["user"] == ["[masked]", "7"]
    assert b"ada@" not in msgspec.json.encode(found)


def test_a_hash_is_the_same_for_the_same_value_and_another_for_another_stream():
    ours = shaped(Shape(mask={"user.email": "hash"}))
    again = shaped(Shape(mask={"user.email": "hash"}), {"user": {"email": "ada@acme.example"}})
    theirs = shaped(Shape(mask={"user.email": "hash"}), secret=b"o" * 32)

    assert ours["user"]["email"] == "hash:0b0b558dda708ebcc835ab8efc837a75"
    assert again["user"]["email"] == ours["user"]["email"] == ours["related"]["user"][0]
    assert theirs["user"]["email"] != ours["user"]["email"]


def test_a_hash_does_not_depend_on_how_a_value_is_escaped():
    shape = Shape(mask={"a": "hash"})

    assert shaped(shape, b'{"a":"\\u0041"}') == shaped(shape, b'{"a":"A"}')


def test_lists_are_hashed_value_by_value_and_null_stays():
    found = shaped(Shape(mask={"user.roles": "hash", "gone": "hash"}), EVENT | {"gone": None})

    assert len(set(found["user"]["roles"])) == 2
    assert found["gone"] is None


def test_what_is_removed_is_not_there():
    found = shaped(Shape(mask={"user.roles": "remove", "labels": "remove"}))

    assert "roles" not in found["user"]
    assert "labels" not in found


def test_keys_with_dots_are_found_by_the_same_path():
    found = shaped(Shape(mask={"user.email": "mask"}), {"user.email": "x", "user": {"email": "y"}})

    assert (found["user.email"], found["user"]["email"]) == ("[masked]", "[masked]")


def test_a_path_that_ends_within_a_key_with_dots_names_all_under_it():
    assert "user.email" not in shaped(Shape(exclude=("user",)), {"user.email": "x"})


def test_a_star_stands_for_any_one_key_and_arrays_are_passed_through():
    event = {"a": {"x": {"secret": 1, "b": 2}, "y": [[{"secret": 3}], {"secret": 4}]}}

    found = shaped(Shape(mask={"a.*.secret": "remove"}), event)

    assert found["a"] == {"x": {"b": 2}, "y": [[{}], {}]}


def test_of_an_array_the_included_members_stay():
    found = shaped(Shape(include=("l.b",)), {"l": [{"b": 1, "c": 2}, {"c": 3}], "m": 1})

    assert found == {"l": [{"b": 1}, {}], "sealog": {"index": 3}}


def test_numbers_keep_every_digit():
    body = b'{"n":12345678901234567890.10,"user":{"email":"x"}}'

    (found,) = Shaper(Shape(mask={"user.email": "mask"}), SECRET, is_ecs=False).shaped([body], [0])

    assert found == b'{"n":12345678901234567890.10,"user":{"email":"[masked]"}}'


def test_text_that_only_the_slow_reader_takes_is_masked_too():
    body = b'{"user":{"email":"x\\ud800","big":1e400},"a":["\\ud800"]}'

    (found,) = Shaper(Shape(mask={"user.email": "hash"}), SECRET, is_ecs=False).shaped([body], [0])

    assert b"big" in found
    assert b"x\\ud800" not in found


def test_the_index_leaves_even_where_it_is_excluded():
    assert shaped(Shape(exclude=("sealog",)), index=9)["sealog"] == {"index": 9}


def test_another_dialects_shape_gets_nothing_of_ours():
    assert shaped(Shape(exclude=("b",)), {"a": 1, "b": 2}, is_ecs=False) == {"a": 1}


def test_of_several_ways_the_strictest_stands():
    assert (
        "email" not in shaped(Shape(mask={"user.email": "hash"}, exclude=("user.email",)))["user"]
    )


@pytest.mark.parametrize(
    ("shape", "pointer"),
    [
        (Shape(include=("a..b",)), "/fields/include/0"),
        (Shape(exclude=("ok", "")), "/fields/exclude/1"),
        (Shape(mask={"a/b~": "blur"}), "/mask/a~1b~0"),
        (Shape(mask={"x" * 257: "mask"}), "/mask/" + "x" * 257),
        (Shape(include=tuple(f"p{n}" for n in range(shaping.PATHS_MAX + 1))), "/fields"),
    ],
    ids=["dots", "empty", "way", "long", "many"],
)
def test_what_cannot_be_is_refused_by_its_place(shape, pointer):
    with pytest.raises(Refused) as caught:
        check(shape)

    assert (caught.value.code, caught.value.pointer) == ("bad-fields", pointer)


def test_as_many_paths_as_may_be_are_taken():
    shape = Shape(include=tuple(f"p{n}" for n in range(shaping.PATHS_MAX)))

    assert check(shape) is shape
