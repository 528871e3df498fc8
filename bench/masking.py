"""What masking costs: `python bench/masking.py` prints microseconds per record.

Batches of 1,000 native records of about 900 bytes, 1.5 % of which truly hold a secret, and of 1,000
request logs, 21 % of which do. CPU time, the median of the repeats.
"""

import random
import statistics
import time

import msgspec
from msgspec import Raw

from sealog.event.record import Record
from sealog.refine.judge import judged
from sealog.refine.masking import mask
from sealog.refine.scan import suspects

RECORDS, REPEATS = 1_000, 15
_OPEN = msgspec.json.Decoder(dict[str, Raw]).decode
_AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari"
)


def native(rng: random.Random, *, is_secret: bool) -> bytes:
    action = rng.choice(["user_login", "agent_password_change", "role_change", "token_revoked"])
    url = f"https://app.example.com/api/auth/token/{rng.getrandbits(64):x}?page={rng.randrange(99)}"
    event = {
        "@timestamp": "2026-11-20T12:00:00.123Z",
        "ecs": {"version": "8.11.0"},
        "event": {
            "action": action,
            "category": ["iam"],
            "id": f"{rng.getrandbits(128):032x}",
            "outcome": "success",
            "duration": rng.randrange(10**9),
            "created": 1_569_575_400_206,
        },
        "organization": {"id": f"t-{rng.randrange(20)}"},
        "user": {"id": f"u-{rng.randrange(5000)}", "email": f"joe{rng.randrange(999)}@example.com"},
        "source": {
            "ip": "89.187.249.34",
            "geo": {"location": {"lat": rng.random() * 90, "lon": rng.random()}},
        },
        "http": {"request": {"method": "PUT"}, "response": {"status_code": 204}},
        "url": {"full": url},
        "session": {"id": f"{rng.getrandbits(128):x}"},
        "user_agent": {"original": _AGENT},
        "labels": {
            "needsPasswordReset": False,
            "authenticationType": "password",
            "note": "x" * 120,
        },
    }
    if is_secret:
        event["url"]["full"] = url + f"&access_token={rng.getrandbits(64):x}"
    return msgspec.json.encode(event)


def request_log(rng: random.Random, *, is_secret: bool) -> bytes:
    body = {"email": "joe@example.com", "skills": ["a", "b"]}
    if is_secret:
        body["password"] = f"{rng.getrandbits(64):x}"
    message = {
        "event.kind": ["event"],
        "event.action": rng.choice(["agent_login", "agent_password_change", "oauth_authorization"]),
        "http.request.body.content": msgspec.json.encode(body).decode(),
        "http.response.body.content": "{}" + " " * 300,
        "url.full": "http://app.example.com/api/session/token?x=1",
        "user.id": f"{rng.getrandbits(128):x}",
        "user_agent.original": _AGENT,
    }
    return msgspec.json.encode({"_id": "s3baO3kBZbVQk2pxTK-w", "_source": {"message": message}})


def batch(make, share: float, seed: int) -> list[Record]:
    rng = random.Random(seed)
    texts = [make(rng, is_secret=rng.random() < share) for _ in range(RECORDS)]
    return [Record(place, text, text, _OPEN(text)) for place, text in enumerate(texts)]


def measured(make, share: float) -> None:
    whole, scan, cut_share, hit_share, size = [], [], 0.0, 0.0, 0.0
    for seed in range(REPEATS):
        records = batch(make, share, seed)
        texts = [record.text for record in records]
        size = sum(map(len, texts)) / RECORDS
        buffer = b"\n".join(texts)
        begun = time.process_time()
        list(suspects(buffer))
        scan.append(time.process_time() - begun)
        hits = [list(suspects(text)) for text in texts]
        hit_share = sum(map(bool, hits)) / RECORDS
        cut_share = sum(bool(judged(*pair)) for pair in zip(texts, hits, strict=True)) / RECORDS
        begun = time.process_time()
        mask(records, dialect="ecs")
        whole.append(time.process_time() - begun)
    us = 1e6 / RECORDS
    print(
        f"{make.__name__:<12} {size:5.0f} B  scan {statistics.median(scan) * us:.2f}"
        f"  whole {statistics.median(whole) * us:.2f} us/record"
        f"  flagged {hit_share:.1%}  masked {cut_share:.1%}"
    )


if __name__ == "__main__":
    measured(native, 0.0)
    measured(native, 0.015)
    measured(request_log, 0.21)
