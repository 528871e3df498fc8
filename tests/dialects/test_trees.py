import msgspec
import pytest
from msgspec import Raw

from sealog.dialects import trees
from sealog.event import tokens


def fields_of(text):
    return msgspec.json.decode(text, type=dict[str, Raw])


def expanded(text):
    """The tree and what lost its place, each as text."""
    made = trees.expand(fields_of(text))
    return tokens.encode(made.tree).decode(), {
        path: tokens.encode(node).decode() for path, node in made.losers.items()
    }


@pytest.mark.parametrize(
    ("sent", "nested"),
    [
        ('{"a.b":1,"a.c":2}', '{"a":{"b":1,"c":2}}'),
        ('{"a":{"b":1},"a.c":2}', '{"a":{"b":1,"c":2}}'),
        ('{"a.b":{"x":1},"a":{"b":{"y":2}}}', '{"a":{"b":{"y":2,"x":1}}}'),
        ('{"user":{"target.name":"n"}}', '{"user":{"target":{"name":"n"}}}'),
        ('{"user.target":{"geo.x":1}}', '{"user":{"target":{"geo":{"x":1}}}}'),
        (
            '{"http":{"request":{"body.content":"c"}}}',
            '{"http":{"request":{"body":{"content":"c"}}}}',
        ),
        ('{"event.kind":["event"]}', '{"event":{"kind":["event"]}}'),
        ('{"event":{"a\\u002eb":1.0}}', '{"event":{"a":{"b":1.0}}}'),
    ],
)
def test_dotted_keys_at_the_root_and_in_what_is_read_become_nested(sent, nested):
    """CL-Q4."""
    assert expanded(sent) == (nested, {})


@pytest.mark.parametrize(
    "sent",
    [
        '{"labels":{"a.b":1}}',
        '{"unknown":{"a.b":1}}',
        '{"http":{"request":{"headers":{"x.y":1}}}}',
        '{"user":[{"a.b":1}]}',
        '{"list":[{"a.b":1}]}',
        '{"a..b":1,".":2,"c.":3,".d":4,"":5}',
        '{{"{}":1}}'.format(".".join("x" * 17)),
        '{"user":"a.b","url":{"full":"http://a.b/"}}',
    ],
)
def test_every_other_key_stays_as_it_was_written(sent):
    assert expanded(sent) == (sent, {})


def test_a_dotted_key_of_sixteen_steps_is_the_longest_that_is_nested():
    nested, losers = expanded('{{"{}":1}}'.format(".".join("x" * 16)))

    assert nested == '{"x":' * 16 + "1" + "}" * 16
    assert losers == {}


def test_of_labels_at_the_root_only_the_first_dot_divides():
    assert expanded('{"labels.k8s.app":"a"}') == ('{"labels":{"k8s.app":"a"}}', {})


@pytest.mark.parametrize(
    ("sent", "nested", "losers"),
    [
        ('{"a.b":1,"a":{"b":2}}', '{"a":{"b":2}}', {"a.b": "1"}),
        ('{"a":{"b":2},"a.b":1}', '{"a":{"b":2}}', {"a.b": "1"}),
        (
            '{"user":{"target.id":1,"target":{"id":2}}}',
            '{"user":{"target":{"id":2}}}',
            {"user.target.id": "1"},
        ),
        ('{"a.b":{"c":1},"a":{"b":{"c":2}}}', '{"a":{"b":{"c":2}}}', {"a.b.c": "1"}),
    ],
    ids=["dotted first", "nested first", "inside", "deep"],
)
def test_nested_beats_dotted(sent, nested, losers):
    assert expanded(sent) == (nested, losers)


@pytest.mark.parametrize(
    ("sent", "nested", "losers"),
    [
        ('{"a":"s","a.b":1}', '{"a":{"b":1}}', {"a": '"s"'}),
        ('{"a.b":1,"a":[2]}', '{"a":{"b":1}}', {"a": "[2]"}),
        ('{"a.b":{"c":1},"a":{"b":5}}', '{"a":{"b":{"c":1}}}', {"a.b": "5"}),
        (
            '{"http.request.body":"b","http.request.body.content":"c"}',
            '{"http":{"request":{"body":{"content":"c"}}}}',
            {"http.request.body": '"b"'},
        ),
        (
            '{"http.request.body.content":"c","http.request.body":"b"}',
            '{"http":{"request":{"body":{"content":"c"}}}}',
            {"http.request.body": '"b"'},
        ),
    ],
)
def test_object_beats_scalar(sent, nested, losers):
    """CL-Q4: `http.request.body` beside `http.request.body.content`."""
    assert expanded(sent) == (nested, losers)


def test_of_two_dotted_spellings_the_first_keeps_and_all_losers_stand_in_order():
    sent = (
        '{"http.request.body.bytes":1,"http":{"request.body.bytes":2,"request":{"body.bytes":3}}}'
    )

    assert expanded(sent) == (
        '{"http":{"request":{"body":{"bytes":1}}}}',
        {"http.request.body.bytes": "[2,3]"},
    )


def test_a_clash_is_a_finding_that_points_at_what_was_sent():
    made = trees.expand(
        fields_of('{"user":{"target.name":"x","target":{"name":"y"}},"a.b.c":1,"a.b":2}')
    )

    assert [(found.code, found.pointer, found.detail) for found in made.findings] == [
        ("clash", "/user/target.name", "more than one value for user.target.name"),
        ("clash", "/a.b", "more than one value for a.b"),
    ]


def test_the_record_stays_as_it_was():
    fields = tokens.parse(b'{"user":{"a":{"b":1}},"user.a.c":2,"x":{"y":{}}}').tree
    before = tokens.encode(fields)

    made = trees.expand(fields)
    trees.put(made.tree, "user.a.b", Raw(b"9"), {})
    trees.put(made.tree, "x.y.z", Raw(b"9"), {})

    assert tokens.encode(fields) == before
    assert tokens.encode(made.tree) == b'{"user":{"a":{"b":9,"c":2}},"x":{"y":{"z":9}}}'


def test_get_reads_by_path_through_objects_nobody_opened():
    tree = fields_of('{"a":{"b":{"c":1.0}},"s":"x"}')

    assert bytes(trees.get(tree, "a.b.c")) == b"1.0"
    assert [trees.get(tree, path) for path in ("a.x", "a.b.c.d", "s.t", "n")] == [None] * 4
    assert type(tree["a"]) is Raw


def test_put_makes_the_way_and_says_what_it_displaced():
    tree, sent = fields_of('{"a":{"b":1},"s":"x"}'), {}

    trees.put(tree, "a.b", Raw(b"2"), sent)
    trees.put(tree, "a.b", Raw(b"3"), sent)
    trees.put(tree, "s.t.u", Raw(b"4"), sent)

    assert tokens.encode(tree) == b'{"a":{"b":3},"s":{"t":{"u":4}}}'
    assert tokens.encode(sent) == b'{"a.b":[1,2],"s":"x"}'


def test_pop_takes_a_value_and_the_objects_that_this_leaves_empty():
    tree = fields_of('{"a":{"b":{"c":1}},"d":{"e":2,"f":{}},"g":"x"}')

    assert bytes(trees.pop(tree, "a.b.c")) == b"1"
    assert bytes(trees.pop(tree, "d.e")) == b"2"
    assert [trees.pop(tree, path) for path in ("g.h", "d.f.x", "n", "n.m")] == [None] * 4
    assert bytes(trees.pop(tree, "g")) == b'"x"'
    assert tokens.encode(tree) == b'{"d":{"f":{}}}'


def test_opened_reads_slowly_what_the_quick_reader_refuses():
    assert tokens.encode(trees.opened(Raw(b'{"a":"\\ud800"}'))) == b'{"a":"\\ud800"}'
    assert [trees.opened(Raw(text)) for text in (b"[]", b'"x"', b"null")] == [None, None, None]


@pytest.mark.parametrize(
    ("token", "text"),
    [
        (b'"caf\\u00e9"', "café"),
        (b'""', ""),
        (b"5", None),
        (b"null", None),
        (b'"\\ud800"', None),
        (b"[]", None),
    ],
)
def test_text_of_gives_strings_only(token, text):
    assert trees.text_of(Raw(token)) == text


def test_every_value_of_equal_keys_stands_in_the_order_written():
    parsed = tokens.parse(b'{"a":{"b":1,"b":{"c":2},"b":3},"l":[{"x":1,"x":2}]}')

    assert tokens.encode(trees.equal_values(parsed.equal)) == b'{"a.b":[1,{"c":2},3]}'


@pytest.mark.parametrize(
    "text",
    [
        b'{"a.b":1}',
        b'{"x":{"y":[{"a.b":1}]}}',
        b'{"a.b" :1}',
        b'{"a.b:c":1}',
        b'{"a.\\"b":1}',
        b'{"s":"\\"","a.b":1}',
        b'{"a\\u002eb":1}',
        b'{"a\\u002Eb":1}',
        b'{"n":1.5,"a.":"x"}',
        b'{".":1}',
    ],
    ids=str,
)
def test_a_dotted_key_is_seen_at_any_level_however_it_is_written(text):
    assert trees.has_dotted_key(text)


@pytest.mark.parametrize(
    "text",
    [
        b"{}",
        b'{"a":"b.c"}',
        b'{"a":"b.c:d"}',
        b'{"a":1.5,"b":"x"}',
        b'{"a":["b.c",1.5],"d":"http://x.y:80/"}',
        b'{"a":"b.c\\": d","e":1}',
        b'{"a":"\\\\","b":"c.d"}',
    ],
    ids=str,
)
def test_dots_in_values_make_no_key_dotted(text):
    assert not trees.has_dotted_key(text)


@pytest.mark.parametrize("dots", [b"." * 1_000_000, b".\\n" * 300_000], ids=["plain", "escaped"])
def test_a_megabyte_of_dots_is_gone_through_once(dots: bytes):
    """Whoever sends one record must not hold the interpreter for an hour."""
    assert not trees.has_dotted_key(b'{"message":"' + dots + b'"}')
    assert trees.has_dotted_key(b'{"' + dots + b'a":1}')
