import pytest

from sealog.event import parts, tokens
from sealog.event.patterns import KEYS_MAX, Shapeless
from sealog.event.shapes import (
    ALIKE_MAX,
    LEARNING_BYTES_MAX,
    LEARNT_AFTER,
    LINE_BYTES_MAX,
    SHAPES_MAX,
    Learner,
    Shapes,
)

LINE = (
    b'{"@timestamp":"2026-11-20T12:00:00.123Z","ecs":{"version":"8.11.0"},'
    b'"event":{"id":"e-1","action":"user.login","reason":"r"},'
    b'"user":{"id":"u","target":{"id":"t"}},"labels":{"a":1.50,"b":["x",null]}}'
)
LEARNER = Learner(
    "ecs",
    parts.places(),
    fixed={"ecs": b'{"version":"8.11.0"}'},
    taken=frozenset({"@timestamp", "event.id", "organization.id"}),
    odd=frozenset({"sealog"}),
    asked=("@timestamp", "event.id", "organization.id", "event.action"),
)


def learnt(line=LINE):
    shapes = Shapes(LEARNER.learn)
    for _ in range(LEARNT_AFTER):
        shapes.notice(line, ("a", "row"))
    return shapes


def test_a_shape_is_learnt_from_the_eighth_record_of_its_row_of_keys():
    shapes = Shapes(LEARNER.learn)
    for _ in range(LEARNT_AFTER - 1):
        shapes.notice(LINE, ("a",))
        shapes.notice(LINE, ("b",))
    assert shapes.read(LINE) is None

    shapes.notice(LINE, ("a",))

    assert shapes.read(LINE) is not None


def test_the_dialect_gets_the_tokens_it_asks_for_and_an_empty_one_for_what_is_not_there():
    shaped = learnt().read(LINE)

    assert shaped.asked() == (b'"2026-11-20T12:00:00.123Z"', b'"e-1"', b"", b'"user.login"')


def test_the_tree_is_without_what_is_stamped():
    tree = learnt().read(LINE).tree()

    assert tokens.encode(tree) == (
        b'{"event":{"action":"user.login","reason":"r"},'
        b'"user":{"id":"u","target":{"id":"t"}},"labels":{"a":1.50,"b":["x",null]}}'
    )


def test_the_parts_hold_the_tokens_as_they_were_sent():
    stamped = (b'"e-1"', b'"now"', b"then", b'"acme"', b'"user.login"')

    assert learnt().read(LINE).texts(stamped) == (
        (
            b'{"event":{"action":"user.login","id":"e-1","ingested":"now"},"@timestamp":"then",'
            b'"ecs":{"version":"8.11.0"},"organization":{"id":"acme"},'
            b'"sealog":{"action":"user.login","dialect":"ecs"}}'
        ),
        b'{"user":{"id":"u"}}',
        b'{"user":{"target":{"id":"t"}}}',
        b'{"event":{"reason":"r"},"labels":{"a":1.50,"b":["x",null]}}',
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"labels"', b' "labels"'),
        (b'"labels"', b'"label"'),
        (b'"labels":{', b'"labels":{"c":1,'),
        (b'"reason":"r"', b'"reason":1'),
        (b'"reason":"r"', b'"reason":":r"'),
        (b'"reason":"r"', b'"reason":"\\u00e9"'),
        (b'"reason":"r"', b'"reason":"\\ud800"'),
        (b'"reason":"r"', b'"reason":"\t"'),
        (b'"reason":"r"', b'"reason":"r","reason":"r"'),
        (b'"user.login"', b'"user@login"'),
        (b'"user.login"', b'"' + b"x" * 257 + b'"'),
        (b'"user.login"', b'"a\\"b"'),
        (b"8.11.0", b"8x11.0"),
        (b"1.50", b"01.50"),
        (b"1.50", b"1."),
        (b'["x",null]', b'["x",null,]'),
        (b'["x",null]', b'["x",{}]'),
        (b"}}", b"}}}"),
        (b'"r"', b'"' + b"r" * LINE_BYTES_MAX + b'"'),
    ],
)
def test_what_is_not_quite_of_the_shape_is_left_to_the_reader(old, new):
    shapes = learnt()

    assert shapes.read(LINE.replace(old, new, 1)) is None


@pytest.mark.parametrize(
    "line",
    [
        LINE.replace(b'"reason"', b'"a.b"'),
        LINE.replace(b'"reason"', '"ré"'.encode()),
        LINE.replace(b'"labels"', b'"sealog"'),
        LINE.replace(b'"x",null', b"[1]"),
        LINE.replace(b'"user.login"', b'{"a":1}'),
        LINE.replace(b'"e-1"', b"1"),
        LINE.replace(b"8.11.0", b"1.9"),
        LINE.replace(b'"labels"', b'"organization"'),
        b'{"event":"x"}',
        b'{"event":{"action":"a"},%s}' % b",".join(b'"k%d":1' % n for n in range(KEYS_MAX)),
        b'{"event":{"action":"a"},"labels":{%s}}'
        % b",".join(b'"k%d":1' % n for n in range(KEYS_MAX)),
    ],
)
def test_no_shape_is_learnt_from_what_is_odd(line):
    with pytest.raises(Shapeless):
        LEARNER.learn(line)

    assert learnt(line).read(line) is None


def test_shapes_are_not_remembered_without_end():
    shapes = Shapes(LEARNER.learn)
    lines = [LINE.replace(b'"labels"', b'"l%d"' % n) for n in range(SHAPES_MAX + 1)]

    for line in lines[: ALIKE_MAX + 1]:
        for _ in range(LEARNT_AFTER):
            shapes.notice(line, ("row",))
    assert [shapes.read(line) is not None for line in lines[: ALIKE_MAX + 1]] == [
        False,
        *[True] * ALIKE_MAX,
    ]
    for n, line in enumerate(lines):
        for _ in range(LEARNT_AFTER):
            shapes.notice(line, ("row", str(n)))

    assert sum(map(len, shapes._known.values())) <= ALIKE_MAX
    assert len(shapes._noticed) <= SHAPES_MAX


def test_the_scalars_that_a_span_touches_are_told_and_an_array_only_as_a_doubt():
    shaped = learnt().read(LINE)
    reason = LINE.index(b'r"},')
    array = LINE.index(b'"x",null')

    assert shaped.scalars([(0, 1)]) == []
    assert shaped.scalars([(reason, reason + 1)]) == [(reason, reason + 1, 3)]
    assert shaped.shape.paths[3] == ("event", "reason")
    assert shaped.scalars([(reason, reason + 1), (array, array + 1)]) is None


def test_every_key_of_a_record_is_known():
    assert learnt().read(LINE).shape.keys == {
        *("@timestamp", "ecs", "version", "event", "id", "action", "reason"),
        *("user", "target", "labels", "a", "b"),
    }


def test_a_record_as_python_writes_it_has_a_shape_of_its_own():
    spaced = LINE.replace(b",", b", ").replace(b'":', b'": ')

    shapes = learnt(spaced)

    assert shapes.read(LINE) is None
    assert shapes.read(spaced).texts((b'"e-1"', b'"now"', b"then", b'"acme"', b'"a"'))[3] == (
        b'{"event":{"reason":"r"},"labels":{"a": 1.50, "b": ["x", null]}}'
    )
    with pytest.raises(Shapeless):
        LEARNER.learn(LINE.replace(b",", b" ,"))


class Counted:
    """Learns as `LEARNER` does, and counts."""

    def __init__(self):
        self.count = 0

    def __call__(self, line):
        self.count += 1
        return LEARNER.learn(line)


def test_who_sends_ever_other_keys_is_not_learnt_from_more_often_than_reading_slowly_costs():
    learner = Counted()
    shapes = Shapes(learner)
    rows = LEARNING_BYTES_MAX // len(LINE)

    for n in range(rows):
        shapes.notice(LINE.replace(b'"labels"', b'"l%d"' % n), ("row", str(n // LEARNT_AFTER)))

    # A megabyte saved up and another read, at a kibibyte for each of the 13 keys and one on credit.
    assert 100 < learner.count <= 2 * 1024 // 13 + 1 < rows // LEARNT_AFTER


def test_a_value_that_is_never_as_others_write_it_is_not_looked_at_for_ever():
    learner = Counted()
    shapes = Shapes(learner)

    for _ in range(100_000):
        shapes.notice(LINE.replace(b'"r"', b'"\\u00e9"'), ("row",))

    assert learner.count < 2_000
