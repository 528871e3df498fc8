from datetime import UTC

import pytest

from sealog.query.syntax import parse
from sealog.query.tree import And, Between, During, Has, Inside, Is, Like, Not, Or, Query, Text
from sealog.query.writing import written

ADA, BOB, LOGIN = Is("actor", "ada"), Is("actor", "bob"), Is("action", "login")


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (And(), ""),
        (ADA, "actor:ada"),
        (Is("actor", 'Ada "L" \\'), r'actor:"Ada \"L\" \\"'),
        (Is("action", "a*"), 'action:"a*"'),
        (Like("action", "user.*"), "action:user.*"),
        (Like("actor", "*a b*"), 'actor:*"a b"*'),
        (Inside("10.0.0.0/8"), "ip:10.0.0.0/8"),
        (Between("status", 404, 404), "status:404"),
        (Between("status", 400, 499), "status:400..499"),
        (Between("status", None, 499), "status:..499"),
        (Between("status", 400, None), "status:400.."),
        (Has("actor"), "has:actor"),
        (Has("findings"), "findings:yes"),
        (Not(Has("findings")), "findings:no"),
        (Text(("word",)), "word"),
        (Text(("two", "words")), '"two words"'),
        (Text(("adm",), prefix=True), "adm*"),
        (Text(("two", "wor"), prefix=True), '"two wor"*'),
        (Not(ADA), "-actor:ada"),
        (Not(And((ADA, LOGIN))), "-(actor:ada action:login)"),
        (And((ADA, Or((LOGIN, BOB)))), "actor:ada (action:login OR actor:bob)"),
        (And((LOGIN, Or((ADA, BOB)))), "action:login actor:ada,bob"),
        (Or((And((ADA, LOGIN)), BOB)), "actor:ada action:login OR actor:bob"),
        (Or((Has("actor"), ADA)), "actor:*,ada"),
        (Or((Has("actor"), Has("ip"))), "has:actor,ip"),
        (Or((Is("id", "a"),) * 101), "id:" + ",".join(["a"] * 100) + " OR id:a"),
        (Or((During(0, 1_000_000), ADA)),
         "date:1970-01-01T00:00:00Z..<1970-01-01T00:00:01Z OR actor:ada"),
        (Not(During(None, 500_000)), "-before:1970-01-01T00:00:00.500000Z"),
        (Not(And()), "-*"),
    ],
)  # fmt: skip
def test_a_condition_is_written_one_way_and_reads_back(node, text):
    assert written(Query(where=node)) == text
    assert parse(text, now_us=0, zone=UTC) == Query(where=node)


def test_the_range_of_time_stands_first_and_apart():
    assert written(Query(0, None, ADA)) == "after:1970-01-01T00:00:00Z actor:ada"
    assert written(Query(None, 0)) == "before:1970-01-01T00:00:00Z"
    assert written(Query(0, 1_000_000, Or((ADA, LOGIN)))) == (
        "date:1970-01-01T00:00:00Z..<1970-01-01T00:00:01Z (actor:ada OR action:login)"
    )


def test_what_no_syntax_asks_for_is_written_as_what_finds_the_same():
    assert written(Query(where=Or())) == "-*"
    assert written(Query(from_us=1 << 62)) == "*"
