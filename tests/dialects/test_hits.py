import pytest

from sealog.dialects.closer import shape_of
from sealog.dialects.hits import FORMED_AFTER, FORMS_MAX, Forms, HitLearner
from sealog.event import forms
from sealog.event.patterns import Shapeless
from sealog.event.record import Draft

LINE = (
    b'{"_index":"i","_id":"h-1","_source":{"@timestamp":"2026-11-20T12:00:00.123+0000",'
    b'"message":{"event.action":"agent_login","source.ip":"/192.0.2.1","user.roles":["A"]}},'
    b'"sort":[1]}'
)
LEARNER = HitLearner(lambda keys: shape_of(keys) is not None)
DECIDING = (b"", b"", b"", b'"agent_login"', b"", b"")


def test_a_hit_is_made_of_its_pieces_and_its_values():
    hit = LEARNER.learn(LINE)

    assert hit.line(list(hit.pattern.match(LINE).groups())) == LINE


def test_the_time_the_id_the_address_the_user_and_what_decides_are_asked_for():
    hit = LEARNER.learn(LINE)

    assert hit.asked((*hit.pattern.match(LINE).groups(), b"")) == (
        b'"2026-11-20T12:00:00.123+0000"',
        b'"h-1"',
        b'"/192.0.2.1"',
        b"",
        *DECIDING,
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"source.ip"', b'"source.ip2"'),
        (b'"agent_login"', b"{}"),
        (b'"h-1"', b'"a@b"'),
        (b'"h-1"', b"1"),
        (b'"/192.0.2.1"', b"null"),
        (b"[1]", b"[1] "),
        (b'["A"]', b'["A",{}]'),
        (b"}},", b'}},"x":1,'),
    ],
)
def test_another_hit_is_not_of_the_shape(old, new):
    assert LEARNER.learn(LINE).pattern.match(LINE.replace(old, new)) is None


def test_a_key_of_the_message_is_not_the_one_of_the_envelope_that_has_its_name():
    line = LINE.replace(b'"event.action"', b'"_id":"m-1","_index":"192.0.2.9","event.action"')
    hit = LEARNER.learn(line)

    found = hit.asked((*hit.pattern.match(line).groups(), b""))

    assert found[1:6] == (b'"h-1"', b'"/192.0.2.1"', b"", b"", b"")
    assert found[7] == b'"agent_login"'
    assert hit.paths[1:5] == (
        ("_id",),
        ("_source", "@timestamp"),
        ("_source", "message", "_id"),
        ("_source", "message", "_index"),
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"source.ip":"/192.0.2.1"', b'"organization.id":"x"'),
        (b'"source.ip":"/192.0.2.1"', b'"ecs":null'),
        (b'"source.ip"', b'"event.action.x"'),
        (b'"source.ip"', b'"description"'),
        (b'"source.ip"', b'"source..ip"'),
        (b'"source.ip"', '"é"'.encode()),
        (b'["A"]', b"{}"),
        (b'"_id"', b'"_ID"'),
        (b'"event.action"', b'"event.name"'),
        (b'"message":', b'"more":1,"message":'),
        (b'"message":', b'"Message":'),
        (b'"/192.0.2.1"', b"1"),
    ],
)
def test_no_shape_is_learnt_of_what_needs_a_closer_look(old, new):
    with pytest.raises(Shapeless):
        LEARNER.learn(LINE.replace(old, new))


class Translated:
    """Gives every record the same draft, and counts."""

    def __init__(self):
        self.records = []

    def __call__(self, record):
        self.records.append(record)
        tree = {"source": {"ip": b"x"}}
        return Draft(tree, "closer", "a", "b", at_us=1, sent={"@timestamp": forms.token(0)})


def test_a_form_is_made_of_the_fifth_event_and_of_no_other():
    translated = Translated()
    known, hit = Forms(translated), LEARNER.learn(LINE)

    made = [known.of(hit, DECIDING, mended=True, told=False) for _ in range(FORMED_AFTER + 2)]

    assert [form is not None for form in made] == [False] * FORMED_AFTER + [True, True]
    (record,) = translated.records
    assert b'"agent_login"' in record.text
    assert b"192.0.2.1" not in record.text


@pytest.mark.parametrize(
    "action", [b'"203.0.113.254"', '"\ue0001\ue000"'.encode(), b'"' + b"x" * 600 + b'"']
)
def test_what_could_be_taken_for_a_mark_has_no_form(action):
    known, hit = Forms(Translated()), LEARNER.learn(LINE)
    deciding = (*DECIDING[:3], action, *DECIDING[4:])

    made = [known.of(hit, deciding, mended=True, told=False) for _ in range(FORMED_AFTER + 2)]

    assert made == [None] * (FORMED_AFTER + 2)


def test_forms_are_not_remembered_without_end():
    known, hit = Forms(Translated()), LEARNER.learn(LINE)
    for n in range(FORMS_MAX + 1):
        for _ in range(FORMED_AFTER + 1):
            known.of(hit, (*DECIDING[:3], b'"%d"' % n, *DECIDING[4:]), mended=True, told=False)

    assert len(known._known) == 1
    assert len(known._seen) <= FORMS_MAX
