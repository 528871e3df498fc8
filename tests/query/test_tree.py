"""Trees of conditions as values."""

import msgspec

from sealog.query.tree import And, During, Has, Is, Not, Or, Query, Text, either, every, query

ADA = Is("actor", "ada")
ODD = Has("findings")


def test_a_query_comes_back_from_json_and_msgpack():
    asked = Query(1, None, And((ADA, Or((Not(ODD), Text(("a", "b"), prefix=True))))))

    for codec in (msgspec.json, msgspec.msgpack):
        assert codec.decode(codec.encode(asked), type=Query) == asked


def test_conditions_of_conditions_become_one_list():
    assert every([ADA, And((ODD, ADA))]) == And((ADA, ODD, ADA))
    assert either([Or((ADA, ODD)), ODD]) == Or((ADA, ODD, ODD))
    assert every([And((ADA,))]) == ADA
    assert every([]) == And()


def test_the_outermost_times_narrow_the_range():
    node = And((During(5, None), ADA, During(3, 9), During(None, 8)))

    assert query(node, 1, 20) == Query(5, 8, ADA)
    assert query(During(5, 8)) == Query(5, 8)
    assert query(Not(During(5, 8))) == Query(None, None, Not(During(5, 8)))
