"""Which names promise a secret, and which values are none (design: masking).

Data and pure functions. A name is one of an exact list, after case, separators and plural are
folded: `_NOUNS`, or a noun of which `_QUALIFIERS` say whose it is (`db_password`). Anything else
that only mentions one (`needsPasswordReset`) is evidence and stays.
"""

import re

import msgspec

MASKED = b"[masked]"
NAME_CHARACTERS_MAX = 96

# Words of one name stand apart here; between them any of `_ - . space`, or nothing, may be written.
_NOUNS = """
password|passwd|passphrase|passcode|pass word|pass phrase|pass code|password hash|password digest
hashed password|encrypted password|password confirmation|password confirm|confirm password
password repeat|repeat password|password again|password new|password old|password 1|password 2
one time password|user pass|db pass|login pass|smtp pass
secret|secret key|secret key base|secret value|secret string|secret access key|secret answer|security answer
token|token secret|token value|id token|jwt|one time token
api key|private key|access key|signing key|encryption key|decryption key|master key|session key
account key|storage key|service key|shared key|auth key|authentication key|app key|application key
consumer key|hmac key|aes key|subscription key|server key|deploy key|host key|ssh key|key material|private key pem
shared access key|shared access signature|recovery key|private pem|rsa private key|ssh private key
service account key|recovery phrase|seed phrase|mnemonic phrase
authorization|proxy authorization|x authorization|authorization header|auth header|bearer
authorization code|code verifier|client assertion|saml response|saml assertion
cookie|set cookie|session cookie|cookie header|phpsessid|jsessionid|connect sid
credential|auth credential|connection string|conn string|connection uri
otp|otp code|totp|one time code|one time pass code|verification code|mfa code|2fa code|tfa code
two factor code|two factor secret|two factor token|recovery code|backup code|security code|sms code|login code
pin|pin code|card pin|cvv|cvv2|cvc|cvc2|csc|card security code|card verification value|card cvc
card cvv|cvv code|cvc code|card number|card num|card no|credit card number|debit card number|cc number|pan
primary account number|pwd
"""
_QUALIFIERS = """
access account activation admin administrator agent amz api apns app application archive auth
authentication authenticity aws azure backup bearer bind bitbucket bot ca card cert certificate
client cloud cluster company confirmation cookie csrf csrfmiddleware current customer data
database datadog db default deploy device discord django docker elastic email encryption external
facebook fcm firebase ftp gcp generated git github gitlab google guest heroku id identity imap
initial integration internal invitation invite jenkins jira jwt kafka key keystore kubernetes ldap
legacy link linkedin local log login magic mail master mfa mongo mongodb my mysql new npm oauth
oauth2 old openai orig original otp owner password paypal personal pg pgp plain plaintext portal
postgres postgresql previous private proxy push pypi rabbitmq raw recovery redis refresh
registration registry remember remote repository reset root rsa s3 saml sas secret security
sendgrid server service session sftp shared signing slack smtp source sql ssh ssl sso store stripe
sudo super sync system team telegram temp temporary tenant test tls totp truststore twilio twitter
unlock user vault verification vpn web webhook wifi wpa x xsrf zoom
"""
# Secrets that are numbers; a number under any other name is evidence.
_NUMERIC = re.compile(
    r"(?:pin|pin ?code|cvv2?|cvc2?|otp|otp ?code|pass ?code|pass ?word|card ?number)s?".replace(
        " ?", r"[_\-. ]*"
    )
    + r"\Z"
)
_HEADERS = ("authorization", "cookie")
_PAIR_NAMES = frozenset(
    [
        "name",
        "key",
        "header",
        "headername",
        "field",
        "fieldname",
        "param",
        "parameter",
        "property",
        "attribute",
        "column",
        "variable",
        "k",
        "n",
    ]
)
_PAIR_VALUES = frozenset(
    [
        "value",
        "values",
        "val",
        "v",
        "old",
        "new",
        "oldvalue",
        "newvalue",
        "before",
        "after",
        "from",
        "to",
        "previous",
        "current",
        "previousvalue",
        "currentvalue",
        "content",
        "raw",
        "headervalue",
    ]
)
_JOINT = "[_\\-. ]*"
_PLURAL = "(?:e?s)?"
_FOLDED = str.maketrans("", "", "_-. ")
_SEGMENT = re.compile(r"[./:\[]")
_CARD_WORD = re.compile(
    r"[cC]ard|CARD|(?<![a-zA-Z])[pP]an(?![a-z])|(?<=[a-z])Pan(?![a-z])|(?<![A-Z])PAN(?![A-Z])"
)
_PLACEHOLDER = re.compile(
    rb"\s*(?:[*\xe2\x80\xa2]+|(?:(?:Bearer|Basic|Token) )?\[masked\]|[<\[({*]*redacted[>\])}*]*"
    rb"|[<\[(](?:masked|filtered|hidden|removed)[>\])])?\s*",
    re.IGNORECASE,
)


def _words(table: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(name for line in table.split("\n") for name in line.split("|") if name)
    )


NOUNS = _words(_NOUNS)
QUALIFIERS = tuple(_QUALIFIERS.split())
PAIR_NAMES = tuple(sorted(_PAIR_NAMES))


def name_pattern(joint: str = _JOINT) -> str:
    """A regular expression of every secret name, for `re` and `re2`; `joint` stands between words."""
    nouns = "|".join(sorted((noun.replace(" ", joint) for noun in NOUNS), key=len, reverse=True))
    return f"(?:(?:{'|'.join(QUALIFIERS)}){joint}){{0,3}}(?:{nouns}){_PLURAL}"


_NAME = re.compile(rf"[_\-$@. *+]*({name_pattern()})[_\-. ]*\]?", re.IGNORECASE | re.ASCII)


class Role(msgspec.Struct, frozen=True):
    """What a key says about the values beside and under it."""

    secret: str = ""
    """The secret name it is, in lower case; empty if none."""
    names_a_pair: bool = False
    """Its value may be the name of a `{"name": …, "value": …}` pair."""
    values_a_pair: bool = False
    """Its value may be the value of such a pair."""
    card: bool = False
    """A number under it may be a card number."""


NOTHING = Role()


def role(key: str) -> Role:
    """What a key, unescaped, says about its value."""
    folded = key[:NAME_CHARACTERS_MAX].translate(_FOLDED).lower()
    is_card = _CARD_WORD.search(key[:NAME_CHARACTERS_MAX]) is not None
    found = Role(secret_name(key), folded in _PAIR_NAMES, folded in _PAIR_VALUES, is_card)
    return NOTHING if found == NOTHING else found


def secret_name(key: str) -> str:
    """The secret name that a key is, in lower case, or an empty string.

    Of a path (`http.request.headers.cookie`, `user[password]`) the last step decides too.
    """
    if '"' in key:
        return ""
    tail = key[-NAME_CHARACTERS_MAX:]
    match = _NAME.fullmatch(tail) if tail == key else None
    if match is None:
        steps = _SEGMENT.split(tail)
        match = _NAME.fullmatch(steps[-1]) if len(steps) > 1 else None
    return "" if match is None else match[1].lower()


def is_number_name(name: str) -> bool:
    """Whether a secret of this name (in lower case) may be a number."""
    return _NUMERIC.search(name) is not None


def is_header(name: str) -> bool:
    """Whether a secret of this name is a whole header line."""
    return any(header in name for header in _HEADERS)


def is_placeholder(value: bytes) -> bool:
    """Whether a value is empty or was masked by somebody already."""
    return _PLACEHOLDER.fullmatch(value) is not None
