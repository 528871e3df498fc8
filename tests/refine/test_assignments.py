"""Values that a text announces by name."""

import pytest

from sealog.refine.assignments import ASSIGNMENTS_MAX, assignments


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("token=abc", ["abc"]),
        ("?a=1&access_token=abc&b=2", ["abc"]),
        ("a;jsessionid=9f?x", ["9f?x"]),
        ("password=a,b;c&x=1", ["a,b;c"]),
        ("Server=h;Password=a;Database=d", ["a"]),
        ("password=a, user=b", ["a"]),
        ("--password=abc rest", ["abc"]),
        ("user[password]=abc", ["abc"]),
        ("api key: abc, then", ["abc"]),
        ("'password' => 'a b', x", ["a b"]),
        ('password = "a \\" b" c', ['a \\" b']),
        ("password='never closed", ["never closed"]),
        ("token: Bearer abc", ["abc"]),
        ("Authorization: Basic a b\r\nHost: x", ["Basic a b"]),
        ("-H 'Cookie: a=b; c=d' -v", ["a=b; c=d"]),
        ("<ns:password>a b</ns:password><x>y</x>", ["a b"]),
        ("token=a token=b", ["a", "b"]),
        ('--x\r\nA: form-data; name="password"\r\n\r\na b\r\n--x--', ["a b"]),
        ('name="pin"\nContent-Type: text/plain\n\n12\n--x', ["12"]),
    ],
)
def test_a_named_value_is_found(text: str, secrets: list[str]) -> None:
    found = assignments(text.encode()).found

    assert [text[begin:end] for begin, end, _ in found] == secrets


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect Password",
        "the token of the day",
        "spin=1&shipping=2",
        "needs_password_reset=yes",
        "forgot_password=1",
        "token=&a=1",
        "token=[masked]&a=1",
        "password=null",
        "password: ***",
        "a password > 8 characters",
        "</password>next",
        'name="note"\r\n\r\nhello\r\n--x',
        'name="password"\r\n\r\n\r\n--x',
    ],
)
def test_what_announces_nothing_is_left(text: str) -> None:
    assert assignments(text.encode()).found == []


def test_a_name_at_the_end_waits_for_what_comes_after() -> None:
    assert assignments(b"a=1 credentials=").pending == "credentials"
    assert assignments(b"a=1 credentials").pending == ""


def test_the_name_is_told() -> None:
    assert assignments(b"X-Api-Key: abc").found == [(11, 14, "x-api-key")]


def test_past_the_limit_the_rest_is_one_secret() -> None:
    text = b"token=a " * (ASSIGNMENTS_MAX + 2)

    found = assignments(text).found

    assert len(found) == ASSIGNMENTS_MAX + 1
    assert found[-1] == (8 * ASSIGNMENTS_MAX - 1, len(text), "too-many")
