"""Which names promise a secret."""

import pytest

from sealog.refine.rules import (
    NAME_CHARACTERS_MAX,
    is_header,
    is_number_name,
    is_placeholder,
    role,
    secret_name,
)


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "passwd",
        "passphrase",
        "passcode",
        "pwd",
        "secret",
        "client_secret",
        "api_key",
        "apikey",
        "x-api-key",
        "access_token",
        "refresh_token",
        "id_token",
        "auth_token",
        "token",
        "session_token",
        "csrf_token",
        "private_key",
        "secret_key",
        "access_key",
        "signing_key",
        "encryption_key",
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "card_number",
        "cardNumber",
        "pan",
        "cvv",
        "cvc",
        "pin",
        "otp",
        "one_time_code",
        "security_code",
        "new_password",
        "old_password",
        "current_password",
        "password_confirmation",
        "connection_string",
        "credentials",
        "api_token",
        "api_secret",
        "password_reset_token",
        "reset_password_token",
        "remember_token",
        "unlock_token",
        "confirmation_token",
        "activation_token",
        "registration_token",
        "magic_link_token",
        "authenticity_token",
        "csrfmiddlewaretoken",
        "fcm_token",
        "sas_token",
        "otp_secret",
        "two_factor_secret",
        "secret_key_base",
        "django_secret_key",
        "cvv_code",
        "card_num",
    ],
)
@pytest.mark.parametrize(
    "fold", [str.lower, str.upper, str.title, lambda name: name.replace("_", ".")]
)
def test_the_names_of_secrets_fold_case_and_separators(name: str, fold: object) -> None:
    assert secret_name(fold(name)) != ""  # type: ignore[operator]


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("Tokens", "tokens"),
        ("db_password", "db_password"),
        ("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key"),
        ("githubToken", "githubtoken"),
        ("user[password]", "password"),
        ("http.request.headers.cookie", "cookie"),
        ("_password", "password"),
        ("password hashes", "password hashes"),
    ],
)
def test_a_secret_name_is_told_in_lower_case(key: str, name: str) -> None:
    assert secret_name(key) == name


@pytest.mark.parametrize(
    "key",
    [
        "needsPasswordReset",
        "authenticationType",
        "spin",
        "shipping",
        "span",
        "company",
        "token_type",
        "next_token",
        "nextToken",
        "tokens_used",
        "access_key_id",
        "public_key",
        "key",
        "keys",
        "pass",
        "code",
        "session_id",
        "sessionId",
        "api_version",
        "link",
        "registration",
        "password_reset",
        "password_reset_link",
        "confirmation_code",
        "password_changed_at",
        "userPasswordReset",
        "cookies_accepted",
        "authorization_type",
        "opinion",
        "compass",
        "keyboard",
        "monkey",
        "name",
        "value",
    ],
)
def test_names_that_only_mention_a_secret_are_evidence(key: str) -> None:
    assert secret_name(key) == ""


def test_a_very_long_name_is_judged_by_its_last_step() -> None:
    long = "a" * NAME_CHARACTERS_MAX

    assert secret_name(long + "password") == ""
    assert secret_name(long + ".password") == "password"
    assert secret_name("mysql" * 10_000) == ""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pin", True),
        ("userpin", True),
        ("card_number", True),
        ("cvv2", True),
        ("otp", True),
        ("passcode", True),
        ("passwords", True),
        ("token", False),
        ("pan", False),
        ("secret", False),
    ],
)
def test_only_some_secrets_are_numbers(name: str, expected: object) -> None:
    assert is_number_name(name) is expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("cardRef", True),
        ("credit_card", True),
        ("CARD", True),
        ("pan", True),
        ("custPan", True),
        ("PAN", True),
        ("card-pan", True),
        ("company", False),
        ("span", False),
        ("panel", False),
    ],
)
def test_a_card_or_pan_in_the_name_is_a_word(key: str, expected: object) -> None:
    assert role(key).card is expected


def test_pairs_are_told_by_their_keys() -> None:
    assert role("name").names_a_pair
    assert role("Header-Name").names_a_pair
    assert role("value").values_a_pair
    assert role("newValue").values_a_pair
    assert not role("named").names_a_pair


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"  ",
        b"[masked]",
        b"***",
        b"REDACTED",
        b"[redacted]",
        b"<hidden>",
        b"[FILTERED]",
        b"Bearer [masked]",
        "•••".encode(),
    ],
    ids=repr,
)
def test_what_is_masked_already_is_left(value: bytes) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize("value", [b"x", b"hidden", b"masked", b"***x", b"[masked]x"], ids=repr)
def test_what_only_looks_like_it_is_not(value: bytes) -> None:
    assert not is_placeholder(value)


def test_cookies_and_authorizations_are_whole_lines() -> None:
    assert is_header("set-cookie")
    assert is_header("proxy-authorization")
    assert not is_header("token")
