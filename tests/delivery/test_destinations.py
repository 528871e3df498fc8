import asyncio
import base64
from ipaddress import ip_network
from pathlib import Path

import msgspec
import pytest
from tests.delivery.made import ABOUT, LOOPBACK, Names, records
from tests.delivery.receivers import Receiver, certificate

from sealog.delivery import connecting, destinations, signing
from sealog.delivery.addresses import Allowed
from sealog.delivery.destination import DELIVERED
from sealog.delivery.destinations import Drawing, Means
from sealog.errors import Misconfigured, Refused

DAY_US = 86_400_000_000
OPEN = Allowed(folders=("/srv/drop", "/srv/drop/inner"))
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()


def drawing(allowed=OPEN, now_us=0, fill=b"k"):
    return Drawing(allowed, lambda count: fill * count, now_us)


def hook(**more):
    return {"kind": "webhook", "url": "https://receiver.example/in"} | more


def drop(**more):
    return {"kind": "folder", "path": "/srv/drop/acme"} | more


def parse(body, *, before=None, pointer="/destination", **more):
    return destinations.parse(body, drawing(**more), before=before, pointer=pointer)


def test_a_webhook_needs_no_more_than_a_url():
    """Ed25519 is preferred: the receiver gets a public key, and nobody a secret."""
    parsed = parse(hook())

    public = signing.public_key(signing.draw_key("ed25519", lambda count: b"k" * count))
    assert parsed.shown == {
        "kind": "webhook",
        "url": "https://receiver.example/in",
        "body": "enveloped",
        "signing": "ed25519",
        "headers": {},
        "timeout_s": 20,
        "records_max": 1,
        "public_key": public,
    }
    assert parsed.told == {"public_key": public}


def test_a_secret_that_was_made_is_told_once_and_shown_never():
    parsed = parse(hook(signing="hmac-sha256"))

    assert parsed.told == {"secret": "whsec_" + base64.b64encode(b"k" * 32).decode()}
    assert parsed.told["secret"] not in msgspec.json.encode(parsed.shown).decode()
    assert destinations.show(parsed) == parsed.shown


def test_a_secret_and_headers_that_were_given_are_not_shown():
    parsed = parse(
        hook(signing="hmac-sha256", secret=SECRET, headers={"Authorization": "Bearer abc"})
    )

    shown = msgspec.json.encode([parsed.shown, parsed.told]).decode()
    assert SECRET not in shown
    assert "abc" not in shown
    assert parsed.shown["headers"] == {"authorization": None}
    assert parsed.secrets == {
        "keys": [{"text": SECRET, "until_us": None}],
        "headers": {"authorization": "Bearer abc"},
    }


def test_what_was_shown_can_be_sent_back():
    """Keys and the values of headers stay as they were."""
    before = parse(hook(headers={"x-token": "abc"}, timeout_s=15))

    after = parse(before.shown, before=before, fill=b"z")

    assert (after.shown, after.secrets) == (before.shown, before.secrets)
    assert after.told == {}


def test_a_folder_that_was_shown_can_be_sent_back():
    before = parse(drop(gzip=True, rotation={"seconds": 60}))

    assert before.shown["rotation"] == {"records": 10_000, "bytes": 64 << 20, "seconds": 60}
    assert parse(before.shown, before=before) == before


@pytest.mark.parametrize("change", [{"rotate": True}, {"secret": "whsk_" + "eHh4" * 10 + "eHg="}])
def test_while_a_key_is_replaced_the_old_one_signs_too(change):
    before = parse(hook())

    after = parse(hook(**change), before=before, now_us=5, fill=b"z")

    new, old = after.secrets["keys"]
    assert new["until_us"] is None
    assert old == before.secrets["keys"][0] | {"until_us": DAY_US + 5}
    assert after.told["public_key"] == after.shown["public_key"] != before.shown["public_key"]
    assert parse(after.shown, before=after, now_us=DAY_US + 5).secrets["keys"] == [new]


def test_another_kind_of_signature_takes_over_in_the_same_way():
    before = parse(hook())

    after = parse(hook(signing="hmac-sha256"), before=before)

    assert [key["text"][:5] for key in after.secrets["keys"]] == ["whsec", "whsk_"]
    assert "public_key" not in after.shown


def test_another_kind_of_destination_keeps_nothing():
    parsed = parse(drop(), before=parse(hook(headers={"x": "y"})))

    assert parsed.secrets == {}


def test_a_header_that_is_left_out_goes_and_one_unknown_cannot_stay():
    before = parse(hook(headers={"x-one": "1", "x-two": "2"}))

    assert parse(hook(headers={"x-two": None}), before=before).secrets["headers"] == {"x-two": "2"}
    with pytest.raises(Refused) as refused:
        parse(hook(headers={"x-three": None}), before=before)
    assert refused.value.pointer == "/destination/headers/x-three"


@pytest.mark.parametrize(
    ("url", "keeps"),
    [
        ("https://receiver.example/elsewhere?a=b", True),
        ("https://thief.example/in", False),
        ("https://receiver.example:8443/in", False),
    ],
)
def test_the_value_of_a_header_never_goes_to_another_host(url, keeps):
    """Whoever may change a stream is not told the receiver's token; nor is a host of theirs."""
    before = parse(hook(headers={"authorization": "Bearer abc"}))
    change = hook(url=url, headers={"authorization": None})

    if keeps:
        assert parse(change, before=before).secrets["headers"] == {"authorization": "Bearer abc"}
        return
    with pytest.raises(Refused, match="given anew") as refused:
        parse(change, before=before)
    assert refused.value.pointer == "/destination/headers/authorization"


WRONG = [
    ([], ""),
    ("webhook", ""),
    ({}, "/kind"),
    ({"kind": "carrier-pigeon"}, "/kind"),
    ({"kind": "webhook"}, "/url"),
    (hook(url=7), "/url"),
    (hook(url=""), "/url"),
    (hook(url="https://10.0.0.1/"), "/url"),
    (hook(url="http://receiver.example/"), "/url"),
    (hook(body="xml"), "/body"),
    (hook(body="bare", records_max=2), "/records_max"),
    (hook(records_max=0), "/records_max"),
    (hook(records_max=1_001), "/records_max"),
    (hook(records_max=True), "/records_max"),
    (hook(timeout_s=31), "/timeout_s"),
    (hook(timeout_s="20"), "/timeout_s"),
    (hook(signing="none"), "/signing"),
    (hook(signing=["ed25519"]), "/signing"),
    (hook(secret="whsec_eHh4"), "/secret"),
    (hook(rotate="yes"), "/rotate"),
    (hook(headers=[]), "/headers"),
    (hook(headers={f"x-{n}": "1" for n in range(17)}), "/headers"),
    (hook(headers={"host": "a.example"}), "/headers/host"),
    (hook(headers={"Content-Length": "0"}), "/headers/Content-Length"),
    (hook(headers={"Transfer-Encoding": "chunked"}), "/headers/Transfer-Encoding"),
    (hook(headers={"webhook-id": "1"}), "/headers/webhook-id"),
    (hook(headers={"sealog-index": "1"}), "/headers/sealog-index"),
    (hook(headers={"x y": "1"}), "/headers/x y"),
    (hook(headers={"a/b~c": "1"}), "/headers/a~1b~0c"),
    (hook(headers={"x": "a\r\nHost: b"}), "/headers/x"),
    (hook(headers={"x": "é"}), "/headers/x"),
    (hook(headers={"x": ""}), "/headers/x"),
    (hook(headers={"x": "a" * 4_097}), "/headers/x"),
    (hook(headers={"x": 7}), "/headers/x"),
    (hook(headers={"x": "1", "X": "2"}), "/headers/X"),
    (hook(certificate_authority="nonsense"), "/certificate_authority"),
    (hook(certificate_authority=7), "/certificate_authority"),
    (hook(retries=3), "/retries"),
    ({"kind": "folder"}, "/path"),
    (drop(path="drop/acme"), "/path"),
    (drop(path="/srv/dropped"), "/path"),
    (drop(path="/srv/drop/../../etc"), "/path"),
    (drop(path="/etc"), "/path"),
    (drop(path="/"), "/path"),
    (drop(path="/srv/drop/a\x00b"), "/path"),
    (drop(path="/srv/drop/a\nb"), "/path"),
    (drop(path="/srv/drop/" + "a" * 256), "/path"),
    (drop(form="csv"), "/form"),
    (drop(body=""), "/body"),
    (drop(gzip=1), "/gzip"),
    (drop(rotation=7), "/rotation"),
    (drop(rotation={"records": 0}), "/rotation/records"),
    (drop(rotation={"bytes": (1 << 30) + 1}), "/rotation/bytes"),
    (drop(rotation={"seconds": 86_401}), "/rotation/seconds"),
    (drop(rotation={"days": 1}), "/rotation/days"),
    (drop(form="json", rotation={}), "/rotation"),
    (drop(url="https://a.example/"), "/url"),
]


@pytest.mark.parametrize(("body", "pointer"), WRONG, ids=map(str, range(len(WRONG))))
def test_what_is_wrong_is_named_by_its_place(body, pointer):
    with pytest.raises(Refused) as refused:
        parse(body)

    assert refused.value.pointer == "/destination" + pointer


def test_a_refusal_never_repeats_a_secret():
    for body in (
        hook(secret="whsec_c2VjcmV0"),
        hook(headers={"x": "secret\n"}),
        hook(url="https://u:secret@a.example/"),
    ):
        with pytest.raises(Refused) as refused:
            parse(body)
        assert "secret\n" not in str(refused.value)
        assert "c2VjcmV0" not in str(refused.value)
        assert "u:secret" not in str(refused.value)


def test_a_refusal_does_not_tell_which_folders_there_are():
    with pytest.raises(Refused) as refused:
        parse(drop(path="/etc"))

    assert "/srv" not in str(refused.value)


def test_paths_are_kept_in_one_form():
    assert parse(drop(path="/srv/drop//a/./b/")).shown["path"] == "/srv/drop/a/b"


def test_what_the_operator_opens_is_absolute_and_apart_from_the_data(tmp_path):
    data = tmp_path / "data"
    network = ip_network("10.0.0.0/8")

    allowed = destinations.open_to([network], [tmp_path / "drop"], data)

    assert allowed == Allowed((network,), (str(tmp_path / "drop"),))
    for wrong in (Path("drop"), Path("/"), tmp_path / "a" / ".." / "b", tmp_path, data / "x", data):
        with pytest.raises(Misconfigured, match=r"\[delivery\] folders"):
            destinations.open_to([], [wrong], data)


def test_a_webhook_is_made_as_it_was_asked_for(tmp_path):
    pem, context = certificate(tmp_path, "receiver.example")

    async def run():
        async with Receiver(context=context) as receiver:
            means = Means(LOOPBACK, lambda: 0, resolve=Names(receiver_example=["127.0.0.1"]))
            parsed = destinations.parse(
                hook(
                    url=f"https://receiver.example:{receiver.port}/in?a=b",
                    headers={"x-token": "abc"},
                    certificate_authority=pem,
                    body="bare",
                ),
                drawing(LOOPBACK),
            )
            destination = means.make(parsed, ABOUT)
            verdicts = await destination.send(records(1))
            await destination.close()
            means.close()
            return verdicts, receiver.requests

    verdicts, (request,) = asyncio.run(run())

    assert verdicts == [DELIVERED]
    assert request.line == "POST /in?a=b HTTP/1.1"
    assert request.headers["x-token"] == "abc"
    assert request.headers["webhook-signature"].startswith("v1a,")
    assert request.body == records(1)[0].body


@pytest.mark.parametrize("form", ["ndjson", "json"])
def test_a_folder_is_made_as_it_was_asked_for(tmp_path, form):
    allowed = Allowed(folders=(str(tmp_path),))
    body = {"kind": "folder", "path": f"{tmp_path}/a", "form": form, "gzip": True}

    async def run():
        means = Means(allowed, lambda: 0)
        destination = means.make(destinations.parse(body, drawing(allowed)), ABOUT)
        verdicts = await destination.send(records(1))
        await destination.close()
        means.close()
        return verdicts

    assert asyncio.run(run()) == [DELIVERED]
    (file,) = (tmp_path / "a").iterdir()
    assert file.name.endswith(f".{form}.gz")


def test_a_folder_that_is_not_open_any_more_is_not_there():
    parsed = parse(drop())

    async def run():
        means = Means(Allowed(), lambda: 0)
        destination = means.make(parsed, ABOUT)
        (verdict,) = await destination.send(records(1))
        await destination.close()
        means.close()
        return verdict

    assert asyncio.run(run()).reason == "the folder is not there"


def test_authorities_that_were_named_are_not_kept_for_ever(monkeypatch):
    monkeypatch.setattr(destinations, "TRUSTS_MAX", 2)
    monkeypatch.setattr(connecting, "trust", lambda authority: [authority])
    means = Means(Allowed(), lambda: 0)

    first = means._trust("a")
    means._trust("b")
    assert means._trust("a") is first
    means._trust("c")

    assert list(means._trusts) == ["a", "c"]
