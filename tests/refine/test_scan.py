"""The scan may report too much, never too little; and it stays selective."""

import pytest

from sealog.refine.scan import is_suspect, suspects


@pytest.mark.parametrize(
    "text",
    [
        '{"password":"x"}',
        '{"password" : "x"}',
        '{"tokens":["x"]}',
        '{"Api-Key":1}',
        '{"pin":1}',
        '{"userPin":1}',
        '{"b":"{\\"pin\\":1}"}',
        '{"b":"{\\\\\\"secret\\\\\\":1}"}',
        '{"p\\u0061ssword":1}',
        '{"h":"a\\npin=1"}',
        '{"u":"?a=1\\u0026pin=2"}',
        '{"u":"?pin\\u003d2"}',
        '{"u":"a%26pin%3D2"}',
        '{"u":"a%2526pin%253D2"}',
        '{"u":"%70in=2"}',
        '{"name":"Authorization","value":"x"}',
        '{"value":"x","key":"set-cookie"}',
        '{"field":"user.password","old":"x"}',
        '{"x":"<password>y"}',
        '{"b":"form-data; name=\\"password\\"\\r\\n\\r\\nx"}',
        '{"c":"4111111111111111"}',
        '{"c":"4111%201111%201111%201111"}',
        '{"c":4111111111111111}',
        "4111111111111111",
        '{"k":"-----BEGIN RSA PRIVATE KEY-----"}',
        '{"j":"eyJhbGciOiJub25lIn0.e30."}',
        '{"u":"https://a:b@c"}',
        '{"u":"https:\\/\\/a:b@c"}',
        '{"u":"https://a:b\\u0040c"}',
        '{"h":"x Basic ab\\/cdef"}',
    ],
)
def test_whatever_may_hold_a_secret_is_flagged(text: str) -> None:
    assert is_suspect(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        '{"event.action":"agent_password_change","type":"password"}',
        '{"url":"https://h/auth/token/12?session=1"}',
        '{"spin":1,"shipping":2,"needsPasswordReset":false}',
        '{"event.action":"oauth_authorization","x":1}',
        '{"lat":0.3705123456789012,"at":1569575400206,"n":"15695754002061"}',
        '{"id":"018f3c1e-7b1a-7cc2-9d3e-5b0b9f3a2d11","h":"e9f4111111111111111"}',
        '{"html":"\\u003cb\\u003e \\u0026 \\u0027","u":"a%20b%2Fc%3F%C3%A9"}',
        '{"mail":"joe@h.example","u":"https://joe@h/p:1"}',
    ],
)
def test_what_only_mentions_a_secret_is_not(text: str) -> None:
    assert not is_suspect(text.encode())


def test_suspects_are_spans_in_order() -> None:
    text = b'{"password":"x","u":"?token=y"}'

    spans = list(suspects(text))

    assert [text[begin:end] for begin, end in spans] == [b'"password":', b"?token="]


@pytest.mark.parametrize(
    "text",
    [
        '{"request_id":"4446826600747683135"}',
        '{"id":"6b4fe946-5388-6749-8314-2e9dde730000"}',
        '{"n":4222222222223,"m":[4, 4111111111112, 1]}',
        '{"t":"8123 4567 8901 2345"}',
    ],
)
def test_digits_that_no_card_begins_or_checks_with_are_passed_by(text: str) -> None:
    """Numbers of 64 bits are a tenth of all that looks like a card at first."""
    assert list(suspects(text.encode())) == []


@pytest.mark.parametrize(
    "text",
    [
        '{"c":"4222222222222"}',
        '{"c":"2 x 4111 1111 1111 1111, 12/27"}',
        '{"c":"9 4111111111111111"}',
        '{"c":"4222222222223%31"}',
        '{"c":"4222222222223%2B111"}',
        '{"c":"4222222222223\\u0031"}',
        '{"c":"%341 11111111111111 4222222222223"}',
        '{"c":"\\u002b1 4222222222223"}',
        '{"c":"' + "1 " * 40 + '4222222222223"}',
        '{"cardNumber":4111111111111111.0}',
    ],
)
def test_digits_that_may_be_a_card_or_go_on_in_an_escape_are_flagged(text: str) -> None:
    assert list(suspects(text.encode())) != []


def test_one_long_run_of_digits_is_gone_through_once() -> None:
    """From each hit in it no further than it takes to see that it is long."""
    text = b"4 " * 2_000_000

    assert len(list(suspects(text))) == 153_846
