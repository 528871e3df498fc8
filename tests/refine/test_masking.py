"""A batch goes in, the same batch comes out without secrets."""

from pathlib import Path

import json_repair
import msgspec
import pytest
from msgspec import Raw

from sealog.errors import Refused
from sealog.event import tokens
from sealog.event.findings import Finding
from sealog.event.record import Record
from sealog.refine.masking import FINDINGS_MAX, mask

GOLDEN = Path(__file__).parents[1] / "golden" / "refine"
CARD = "4111111111111111"


def record(text: bytes, received: bytes | None = None) -> Record:
    parsed = tokens.parse(text)
    return Record(0, text if received is None else received, text, parsed.tree, parsed.equal)


def masked(text: bytes, received: bytes | None = None, dialect: str = "ecs") -> Record:
    one = record(text, received)
    mask([one], dialect=dialect)
    return one


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (rb'{"password":"x"}', rb'{"password":"[masked]"}'),
        (
            rb'{"a":{"user_Password" : "x y"},"b":1.0}',
            rb'{"a":{"user_Password" : "[masked]"},"b":1.0}',
        ),
        (rb'{"X-Api-Key":"x"}', rb'{"X-Api-Key":"[masked]"}'),
        (
            rb'{"tokens":["a","b",{"c":"d"}]}',
            rb'{"tokens":["[masked]","[masked]",{"c":"[masked]"}]}',
        ),
        (rb'{"pin":1234,"otp":12.5}', rb'{"pin":"[masked]","otp":"[masked]"}'),
        (rb'{"pins":[12,true,null]}', rb'{"pins":["[masked]",true,null]}'),
        (rb'{"p\u0061ssword":"x"}', rb'{"p\u0061ssword":"[masked]"}'),
        (rb'{"http.request.headers.cookie":"a=b"}', rb'{"http.request.headers.cookie":"[masked]"}'),
        (
            rb'{"h":[{"name":"Authorization","value":"Bearer x"}]}',
            rb'{"h":[{"name":"Authorization","value":"[masked]"}]}',
        ),
        (
            rb'{"h":[{"value":["x",{"y":"z"}],"key":"set-cookie"}]}',
            rb'{"h":[{"value":["[masked]",{"y":"[masked]"}],"key":"set-cookie"}]}',
        ),
        (
            rb'{"changes":[{"field":"password","old":"a","new":"b"}]}',
            rb'{"changes":[{"field":"password","old":"[masked]","new":"[masked]"}]}',
        ),
        (
            rb'{"http.request.body.content":"{\"password\":\"x\",\"n\":1}"}',
            rb'{"http.request.body.content":"{\"password\":\"[masked]\",\"n\":1}"}',
        ),
        (
            rb'{"b":"{\"in\":\"{\\\"pin\\\":12,\\\"a\\\":1}\"}"}',
            rb'{"b":"{\"in\":\"{\\\"pin\\\":\\\"[masked]\\\",\\\"a\\\":1}\"}"}',
        ),
        (rb'{"b":"[{\"secret\":[\"x\"]}]"}', rb'{"b":"[{\"secret\":[\"[masked]\"]}]"}'),
        (rb'{"b":"{\"a\":1,\"password\":\"cut of"}', rb'{"b":"{\"a\":1,\"password\":\"[masked]"}'),
        (rb'{"m":"sent {\"token\":\"x\"} to h"}', rb'{"m":"sent {\"token\":\"[masked]\"} to h"}'),
        (rb'{"u":"https://x/?token=abc&a=1"}', rb'{"u":"https://x/?token=[masked]&a=1"}'),
        (rb'{"u":"https://x/#access_token=abc"}', rb'{"u":"https://x/#access_token=[masked]"}'),
        (rb'{"b":"user=a&password=b%20c&z="}', rb'{"b":"user=a&password=[masked]&z="}'),
        (rb'{"b":"user%5Bpassword%5D=b"}', rb'{"b":"user%5Bpassword%5D=[masked]"}'),
        (
            rb'{"u":"/in?next=https%3A%2F%2Fh%2F%3Ftoken%3Dq%26b%3D1"}',
            rb'{"u":"/in?next=https%3A%2F%2Fh%2F%3Ftoken%3D[masked]%26b%3D1"}',
        ),
        (rb'{"u":"https:\/\/joe:pw@h\/p"}', rb'{"u":"https:\/\/joe:[masked]@h\/p"}'),
        (
            rb'{"h":"Host: x\r\nCookie: a=b; c=d\r\nAccept: y"}',
            rb'{"h":"Host: x\r\nCookie: [masked]\r\nAccept: y"}',
        ),
        (
            rb'{"h":"curl -H \"Authorization: Bearer abc\" x"}',
            rb'{"h":"curl -H \"Authorization: [masked]\" x"}',
        ),
        (
            rb'{"c":"Server=h;Password=a;Database=d"}',
            rb'{"c":"Server=h;Password=[masked];Database=d"}',
        ),
        (rb'{"x":"<password>a b</password>"}', rb'{"x":"<password>[masked]</password>"}'),
        (rb'{"c":"paid with 4111 1111 1111 1111."}', rb'{"c":"paid with [masked]."}'),
        (rb'{"cardRef":4111111111111111}', rb'{"cardRef":"[masked]"}'),
        (rb'{"custPan":378282246310005,"a":1}', rb'{"custPan":"[masked]","a":1}'),
        (rb'{"cardNumber":12}', rb'{"cardNumber":"[masked]"}'),
    ],
    ids=str,
)
def test_a_secret_is_cut_and_nothing_else(sent: bytes, kept: bytes) -> None:
    one = masked(sent)

    assert one.text == kept
    assert one.received == kept
    assert msgspec.json.decode(one.text) == msgspec.json.decode(msgspec.json.encode(one.fields))
    assert not one.strict
    assert {finding.code for finding in one.findings} == {"masked"}


@pytest.mark.parametrize(
    "text",
    [
        rb'{"needsPasswordReset":false,"authenticationType":"password"}',
        rb'{"password":true,"token":null,"secret":false}',
        rb'{"spin":1234,"spinner":"x","shipping":12,"opinion":"y","companyId":4111111111111111}',
        rb'{"password":"","token":"[masked]","secret":"***","api_key":"REDACTED","cookie":"[FILTERED]"}',
        rb'{"token_type":"bearer","tokens_used":12,"passwordChangedAt":"2026-01-01"}',
        rb'{"event.action":"agent_password_change","url.path":"/auth/token"}',
        rb'{"nextToken":"abc","pageToken":"abc"}',
        rb'{"token":12,"secret":3.5,"authorization":7}',
        rb'{"lat":0.3705123456789012,"s":"0.4111111111111111","id":"a4111111111111111"}',
        rb'{"id":4111111111111111,"long":"41111111111111112222"}',
        rb'{"n":"4111111111111112","t":1569575400206,"m":"1569575400206"}',
        rb'{"uuid":"41111111-1111-4111-8111-111111111111"}',
        rb'{"j":"eyJub3QiOiJhIGhlYWRlciJ9.aaaa.bbbb","k":"ghp_short","u":"https://joe@h/p:1"}',
        rb'{"changed":["password","email"],"name":"password","message":"Incorrect Password"}',
        rb'{"name":"password","visible":"yes"}',
        rb'{"url":"https://h/?token=&a=1","q":"password=null"}',
        rb'{"note":"-----BEGIN PUBLIC KEY-----"}',
    ],
    ids=str,
)
def test_evidence_stays_to_the_byte(text: bytes) -> None:
    one = record(text)
    fields = one.fields

    mask([one], dialect="ecs")

    assert one.text is text
    assert one.received is text
    assert one.fields is fields
    assert one.strict
    assert one.findings == []


@pytest.mark.parametrize("product", ["closer", "easysend", "chatvisor", "supsis", "logichub"])
def test_the_printed_samples_of_every_product_stay_to_the_byte(product: str) -> None:
    samples = (GOLDEN / f"{product}.txt").read_text().strip().split("\n\n")
    records = []
    for sample in samples:
        received = sample.encode()
        text = msgspec.json.encode(json_repair.loads(sample))
        records.append(record(text, received))
    before = [(one.received, one.text) for one in records]

    mask(records, dialect=product)

    assert len(records) >= 1
    assert [(one.received, one.text) for one in records] == before
    assert all(one.findings == [] and one.strict for one in records)


def test_findings_name_the_place_and_the_name_and_never_the_value() -> None:
    one = masked(
        b'{"a":{"b/c":[{"pin":9876}]},"note":"tok ghp_0123456789abcdefghij","body":"password=zzz9"}'
    )

    assert one.findings == [
        Finding("masked", "/a/b~1c/0/pin", "pin"),
        Finding("masked", "/note", "token"),
        Finding("masked", "/body", "password"),
    ]


def test_the_batch_keeps_its_order_and_its_refusals() -> None:
    refused = Refused("no")
    first, last = record(b'{"a":1}'), record(b'{"password":"x"}')

    after = mask([first, refused, last], dialect="ecs")

    assert after == [first, refused, last]
    assert last.text == b'{"password":"[masked]"}'
    assert mask([], dialect="ecs") == []


def test_only_the_record_that_holds_the_secret_is_changed() -> None:
    texts = [f'{{"n":{place}}}'.encode() for place in range(50)]
    texts[30] = b'{"password":"x"}'
    records = [record(text) for text in texts]

    mask(records, dialect="ecs")

    assert [place for place, one in enumerate(records) if not one.strict] == [30]
    assert all(one.text is text for one, text in zip(records, texts, strict=True) if one.strict)


def test_a_documented_name_is_no_secret_but_a_shape_under_it_is() -> None:
    one = record(b'{"token":"abc","secret":"x","credential":"ghp_0123456789abcdefghij"}')

    mask([one], dialect="ecs", documented=frozenset({"token", "credential"}))

    assert one.text == b'{"token":"abc","secret":"[masked]","credential":"[masked]"}'


def test_fields_and_equal_keys_are_opened_again_without_the_secret() -> None:
    one = masked(b'{"token":"aaaa1","token":"bbbb2","n":1e400}')

    assert one.text == b'{"token":"[masked]","token":"[masked]","n":1e400}'
    assert bytes(one.fields["token"]) == b'"[masked]"'
    assert [bytes(value) for value in one.equal[0].values] == [b'"[masked]"', b'"[masked]"']


@pytest.mark.parametrize(
    ("text", "received", "kept"),
    [
        pytest.param(
            b'{"a":1,"password":"x"}',
            b'{\n  "a": 1,\n  "password": "x"\n}',
            b'{\n  "a": 1,\n  "password": "[masked]"\n}',
            id="printed over several lines",
        ),
        pytest.param(
            b'{"a":"b","password":"hunter 2"}',
            b'{"a": b "password": hunter 2\n}',
            b'{"a": b "password": "[masked]"\n}',
            id="bare words and no comma",
        ),
        pytest.param(
            b'{"password":"x","a":"it\'s"}',
            b"{'password': 'x', 'a': 'it\\'s'}",
            b"{'password': '[masked]', 'a': 'it\\'s'}",
            id="single quotes",
        ),
        pytest.param(
            b'{"user":"ada","password":"say \\"hi\\" now"}',
            b'ada,"say ""hi"" now"',
            b'ada,"[masked]"',
            id="a CSV row, found by its bytes",
        ),
        pytest.param(
            b'{"user":"ada","pin":"1"}',
            b"ada,1",
            b'{"user":"ada","pin":"[masked]"}',
            id="too short to be found: the masked text stands in",
        ),
        pytest.param(
            b'{"a":"b","u":"https://joe:pw12@h/"}',
            b"{a: b, u: https://joe:pw12@h/}",
            b"{a: b, u: https://joe:[masked]@h/}",
            id="a bare address",
        ),
    ],
)
def test_the_original_of_a_mended_record_is_cut_too(
    text: bytes, received: bytes, kept: bytes
) -> None:
    one = masked(text, received)

    assert one.received == kept
    assert b"[masked]" in one.text
    assert not one.strict


def test_a_secret_that_only_the_original_holds_is_cut() -> None:
    one = masked(b'{"a":1}', b'{"a":1} password=hunter2')

    assert one.text == b'{"a":1}'
    assert one.received == b'{"a":1} password=[masked]'
    assert one.findings == [Finding("masked", "", "password")]


def test_what_was_found_before_does_not_quote_the_secret() -> None:
    one = record(b'{"password":"hunter2"}')
    one.findings = [Finding("repaired", "", "near hunter2"), Finding("bad-offset", "/t", "+5")]

    mask([one], dialect="ecs")

    assert one.findings == [
        Finding("repaired", "", "[masked]"),
        Finding("bad-offset", "/t", "+5"),
        Finding("masked", "/password", "password"),
    ]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (
            b'{"type":"INPUT","sessionId":"s","data":{"element":"#e","text":"my street 5"}}',
            b'{"type":"INPUT","sessionId":"s","data":{"element":"#e","text":"[masked]"}}',
        ),
        (
            b'{"type":"INPUT","agent":true,"data":{"value":42,"checked":true}}',
            b'{"type":"INPUT","agent":true,"data":{"value":"[masked]","checked":true}}',
        ),
        (
            b'{"type":"INPUT","data":"typed","n":1}',
            b'{"type":"INPUT","data":"[masked]","n":1}',
        ),
        (
            b'{"type":"I\\u004ePUT","text":"a","data":{"element":"b"}}',
            b'{"type":"I\\u004ePUT","text":"[masked]","data":{"element":"b"}}',
        ),
    ],
)
def test_what_somebody_typed_is_masked(sent: bytes, kept: bytes) -> None:
    """CV-Q5: the text of a Chatvisor INPUT event is masked by default."""
    one = masked(sent, dialect="chatvisor")

    assert one.text == kept
    assert {finding.detail for finding in one.findings} == {"input-text"}
    assert masked(sent, dialect="ecs").text == sent


def test_other_session_events_keep_their_text() -> None:
    """CV-Q5 is about INPUT alone."""
    text = b'{"type":"CUSTOM_EVENT","data":{"text":"a","value":"b"}}'

    assert masked(text, dialect="chatvisor").text == text


def test_a_record_full_of_secrets_counts_what_it_does_not_list() -> None:
    many = FINDINGS_MAX + 3
    one = masked(b'{"tokens":[' + b",".join([b'"a"'] * many) + b"]}")

    assert one.text == b'{"tokens":[' + b",".join([b'"[masked]"'] * many) + b"]}"
    assert len(one.findings) == FINDINGS_MAX + 1
    assert one.findings[-1] == Finding("masked", "", "and 3 more")


MIB = 1 << 20


@pytest.mark.parametrize(
    "hostile",
    [
        '"',
        "\\",
        "4",
        "4111 1",
        "token=",
        'token="',
        "://a:b@",
        '["',
        '{"token":[',
        "%25",
        "\\u0022",
        "token%3D%25",
        "\\u005c",
        "eyJhbGciOi.",
        "-----BEGIN PRIVATE KEY-----",
        "'\\",
        "password ",
        "pin.",
        "Bearer abcdefghijklmnop1",
        ";a.a",
        '{"name":"pin","value":',
        "Cookie: ",
    ],
    ids=repr,
)
def test_a_mebibyte_of_anything_is_read_to_its_end(hostile: str) -> None:
    """The work stays linear: each of these would take minutes with a quadratic step."""
    body = hostile * (MIB // len(hostile))
    text = msgspec.json.encode({"a": "token=" + body, "password": "Zq7secret"})

    one = record(text)
    mask([one], dialect="ecs")

    assert b"Zq7secret" not in one.text
    assert msgspec.json.decode(one.text)["password"] == "[masked]"
    assert type(one.fields["a"]) is Raw
