"""Secrets known by their shape, and what only looks like them."""

import pytest

from sealog.refine.shapes import cards, is_card, shapes

WORD = "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0"


@pytest.mark.parametrize(
    ("text", "kind", "secret"),
    [
        (f"x slk_{WORD[:20]} y", "token", f"slk_{WORD[:20]}"),
        (f"slv_{WORD[:20]}", "token", f"slv_{WORD[:20]}"),
        *(
            (f"({head}{WORD[:36]})", "token", f"{head}{WORD[:36]}")
            for head in ("ghp_", "gho_", "ghs_")
        ),
        (f"github_pat_{WORD}", "token", f"github_pat_{WORD}"),
        ("xoxb-12345678901-abc", "token", "xoxb-12345678901-abc"),
        (f"sk_live_{WORD[:24]}", "token", f"sk_live_{WORD[:24]}"),
        (f"rk_live_{WORD[:24]}", "token", f"rk_live_{WORD[:24]}"),
        ("AKIAIOSFODNN7EXAMPLE", "token", "AKIAIOSFODNN7EXAMPLE"),
        (f"AIza{WORD[:35]}", "token", f"AIza{WORD[:35]}"),
        (f"glpat-{WORD[:20]}", "token", f"glpat-{WORD[:20]}"),
        (f"npm_{WORD[:36]}", "token", f"npm_{WORD[:36]}"),
        (f"whsec_{WORD[:32]}", "token", f"whsec_{WORD[:32]}"),
        ("a eyJhbGciOiJub25lIn0.e30. b", "jwt", "eyJhbGciOiJub25lIn0.e30."),
        ("eyAiYWxnIjogIkhTMjU2IiB9.e30.abc", "jwt", "eyAiYWxnIjogIkhTMjU2IiB9.e30.abc"),
        ("-----BEGIN PRIVATE KEY-----\nab", "private-key", "-----BEGIN PRIVATE KEY-----\nab"),
        ("Bearer 0123456789abcdef", "bearer", "0123456789abcdef"),
        ("Basic dXNlcjpwYXNz", "basic", "dXNlcjpwYXNz"),
        ("ftp://u:p%40ss@h/x", "url-password", "p%40ss"),
        ("https://:p@h", "url-password", "p"),
        ("pay 4111111111111111.", "card-number", "4111111111111111"),
        ("4111-1111-1111-1111", "card-number", "4111-1111-1111-1111"),
        ("3782 822463 10005", "card-number", "3782 822463 10005"),
        ("2 4111 1111 1111 1111 12", "card-number", "4111 1111 1111 1111"),
        ("qty 12 4111111111111111", "card-number", "4111111111111111"),
    ],
)
def test_a_shape_with_its_own_proof_is_found(text: str, kind: str, secret: str) -> None:
    found = [(what, text[begin:end]) for begin, end, what in shapes(text.encode())]

    assert found == [(kind, secret)]


def test_a_key_between_its_armour_is_one_secret() -> None:
    text = b"k: -----BEGIN RSA PRIVATE KEY-----\nab-c\n-----END RSA PRIVATE KEY----- end"

    ((begin, end, kind),) = shapes(text)

    assert kind == "private-key"
    assert text[:begin] + text[end:] == b"k:  end"


@pytest.mark.parametrize(
    "text",
    [
        "ghp_short",
        "AKIAshort",
        "xAKIAIOSFODNN7EXAMPLE",
        "eyJub3QiOiJhIGhlYWRlciJ9.aaaa.bbbb",
        "eyJhbGciOiJub25lIn0.two",
        "-----BEGIN PUBLIC KEY-----",
        "Bearer of the ring",
        "Bearer abcdefghijklmnopqrst",
        "Basic authentication",
        "https://joe@h/p:1",
        "https://h:8080/@x",
        "https://joe:[masked]@h",
        "4111111111111112",
        "1234567812345670",
        "0.3705123456789012",
        "12.4111111111111111",
        "a4111111111111111",
        "41111111111111112222",
        "41111111-1111-4111-8111-111111111111",
        "1569575400206",
    ],
)
def test_what_only_looks_like_it_is_left(text: str) -> None:
    assert shapes(text.encode()) == []


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        (b"4111111111111111", True),
        (b"4222222222222", True),
        (b"5555555555554444", True),
        (b"2223003122003222", True),
        (b"378282246310005", True),
        (b"6011111111111117", True),
        (b"3530111333300000", True),
        (b"30569309025904", True),
        (b"6200000000000005", True),
        (b"4111111111111112", False),
        (b"0000000000000000", False),
        (b"9999999999999995", False),
        (b"411111111111", False),
        (b"41111111111111111111", False),
        (b"37828224631000", False),
    ],
)
def test_a_card_has_a_checksum_an_issuer_and_a_length(digits: bytes, expected: object) -> None:
    assert is_card(digits) is expected


def test_cards_give_their_spans_in_order() -> None:
    text = b"4111111111111111, 378282246310005"

    assert list(cards(text)) == [(0, 16), (18, 33)]
