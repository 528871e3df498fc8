import base64
import binascii
import time

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from sealog.delivery import signing
from sealog.delivery.signing import Key, Signer
from sealog.errors import Refused

HOUR_US = 3_600 * 1_000_000
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def drawn(count):
    return bytes(range(count))


def test_the_signature_is_that_of_the_specification():
    """The message, secret and signature that Standard Webhooks prints as its example."""
    signer = Signer([Key(SECRET)])

    timestamp, signature = signer.signature(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', 1_614_265_330_999_999
    )

    assert timestamp == "1614265330"
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_library_of_receivers_verifies_what_is_signed():
    """It refuses the same body under another id, and raises its codec's error for junk."""
    key = signing.draw_key("hmac-sha256", drawn)
    now_us = int(time.time() * 1e6)
    timestamp, signature = Signer([key]).signature("str_1-7", b'{"a":1}', now_us)
    headers = {
        "webhook-id": "str_1-7",
        "webhook-timestamp": timestamp,
        "webhook-signature": signature,
    }

    assert Webhook(key.text).verify(b'{"a":1}', headers) == {"a": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(key.text).verify(b'{"a":1}', headers | {"webhook-id": "str_1-8"})
    with pytest.raises(binascii.Error):
        Webhook(key.text).verify(b'{"a":1}', headers | {"webhook-signature": "v1,abcde"})


def test_an_ed25519_signature_verifies_with_the_public_key_alone():
    key = signing.draw_key("ed25519", drawn)
    public = signing.public_key(key)
    timestamp, signature = Signer([key]).signature("str_1-7", b"{}", 5_000_000)

    version, _, content = signature.partition(",")
    verifier = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    assert (timestamp, version) == ("5", "v1a")
    verifier.verify(base64.b64decode(content), b"str_1-7.5.{}")
    with pytest.raises(InvalidSignature):
        verifier.verify(base64.b64decode(content), b"str_1-7.6.{}")


def test_while_a_key_is_replaced_both_sign():
    """For a day, so that a receiver changes over when it likes; then the old one is silent."""
    old, new = signing.draw_key("ed25519", drawn), Key(SECRET)
    keys = signing.replaced([old], new, 1 * HOUR_US)
    signer = Signer(keys)

    _, during = signer.signature("a", b"", 24 * HOUR_US)
    _, after = signer.signature("a", b"", 25 * HOUR_US)

    assert [one.partition(",")[0] for one in during.split(" ")] == ["v1", "v1a"]
    assert [one.partition(",")[0] for one in after.split(" ")] == ["v1"]
    assert [key.until_us for key in keys] == [None, 25 * HOUR_US]


def test_replacing_again_never_lengthens_a_key_that_is_ending():
    first, second, third = (
        Key(f"whsec_{base64.b64encode(bytes([n]) * 24).decode()}") for n in range(3)
    )

    keys = signing.replaced([first], second, 0)
    keys = signing.replaced(keys, third, 10 * HOUR_US)

    assert [key.until_us for key in keys] == [None, 34 * HOUR_US, 24 * HOUR_US]
    assert signing.in_force(keys, 24 * HOUR_US) == keys[:2]


def test_a_key_put_in_its_own_place_is_there_once():
    keys = signing.replaced([Key(SECRET)], Key(SECRET), 0)

    assert keys == (Key(SECRET),)


def test_a_key_is_taken_with_or_without_padding_and_kept_in_one_form():
    text = base64.b64encode(b"x" * 25).decode()

    found = signing.read_key("hmac-sha256", "whsec_" + text.rstrip("="), "/secret")

    assert found == Key("whsec_" + text)


def test_an_ed25519_key_may_come_with_its_public_half():
    """As some tools write private keys: 64 bytes."""
    key = signing.draw_key("ed25519", drawn)
    seed = base64.b64decode(key.text.removeprefix("whsk_"))
    public = base64.b64decode(signing.public_key(key).removeprefix("whpk_"))
    pair = "whsk_" + base64.b64encode(seed + public).decode()

    assert signing.read_key("ed25519", pair, "/secret") == key


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("hmac-sha256", "whsk_" + base64.b64encode(b"x" * 32).decode()),
        ("hmac-sha256", base64.b64encode(b"x" * 32).decode()),
        ("hmac-sha256", "whsec_" + base64.b64encode(b"x" * 23).decode()),
        ("hmac-sha256", "whsec_" + base64.b64encode(b"x" * 65).decode()),
        ("hmac-sha256", "whsec_%%%%"),
        ("hmac-sha256", "whsec_é"),
        ("ed25519", "whsec_" + base64.b64encode(b"x" * 32).decode()),
        ("ed25519", "whsk_" + base64.b64encode(b"x" * 31).decode()),
        ("ed25519", "whsk_" + base64.b64encode(b"x" * 64).decode()),
    ],
)
def test_what_is_no_key_is_refused_and_never_repeated(kind, text):
    with pytest.raises(Refused) as refused:
        signing.read_key(kind, text, "/destination/secret")

    assert refused.value.pointer == "/destination/secret"
    assert text[-8:] not in str(refused.value)


def test_an_hmac_secret_has_no_public_key():
    assert signing.public_key(Key(SECRET)) is None
