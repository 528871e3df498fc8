"""Fuzzing runs by hand; its targets are tried here with what it once found."""

import pytest
from tests.fuzz import fuzz_query


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b'actor:ada -(outcome:x,"y z" OR status:>=400) "two w"*',
        b"r 3 ip:\\ ",
        b"after:action:..action:",
        b"action: )",
        b"))",
    ],
)
def test_a_query_is_read_back_or_refused_at_a_place_within_it(content):
    fuzz_query.try_one(content)
