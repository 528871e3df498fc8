"""`POST /v1/events` and `POST /v1/ingest/{dialect}`: records in, receipts out."""

import re
from functools import lru_cache
from urllib.parse import parse_qs

import msgspec
from starlette.types import Receive, Scope, Send

from sealog.access.grants import Grant
from sealog.errors import Conflict, Refused, UnsupportedType
from sealog.event.batch import Receipt
from sealog.event.ids import check_tenant
from sealog.intake.choosing import NotRecorded
from sealog.intake.source import Source
from sealog.server import problems, statuses
from sealog.server.bodies import Bodies
from sealog.server.knocking import Knocker, visit_of
from sealog.server.parts import Intake
from sealog.server.problems import BadParameter
from sealog.server.watching import Metrics

NATIVE = "ecs"
PREFIX = "/v1/ingest/"
REQUEST_KEY_CHARS_MAX = 256
REPEATS_MAX = 10_000
TYPE_BYTES_MAX = 256

_JSON = (b"content-type", b"application/json")
_PLACE_AND_COUNT = re.compile(r"\s*([0-9]{1,9})=([0-9]{1,9})\s*")
_REQUEST_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_TAKEN_TYPE = re.compile(
    r"application/(?:[\w.+-]*json[\w.+-]*|octet-stream|x-www-form-urlencoded)"
    r"|text/(?:plain|csv|json|x-json|ndjson|x-ndjson)"
)
_CHARSET = re.compile(r";\s*charset\s*=\s*\"?([\w-]+)")
_UTF8 = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})


class Ingest:
    """A plain ASGI application, because this is where the load is: no request object, no routing."""

    def __init__(self, intake: Intake, knocker: Knocker, bodies: Bodies, metrics: Metrics) -> None:
        self._intake = intake
        self._knocker = knocker
        self._bodies = bodies
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        # Who knocks is settled before a byte of the body is read.
        grant = self._knocker.knock(scope, "ingest")
        headers = visit_of(scope).headers
        source = source_of(scope, grant)
        body = await self._bodies.read(receive, headers.get(b"content-length"))
        answers = await self._intake.accept(body, source)
        status, content = self._answered(answers)
        length = (b"content-length", b"%d" % len(content))
        start = {"type": "http.response.start", "status": status, "headers": [_JSON, length]}
        await send(start)
        await send({"type": "http.response.body", "body": content})

    def _answered(self, answers: list[Receipt | Refused | NotRecorded]) -> tuple[int, bytes]:
        refused = conflicts = repeated = left_out = 0
        for answer in answers:
            if type(answer) is Receipt:
                repeated += answer.repeated
            elif type(answer) is NotRecorded:
                left_out += 1
            else:
                refused += 1
                conflicts += isinstance(answer, Conflict)
        accepted = len(answers) - refused
        self._metrics.accepted.inc(accepted - repeated - left_out)
        if repeated:
            self._metrics.repeated.inc(repeated)
        if left_out:
            self._metrics.not_recorded.inc(left_out)
        if refused:
            self._metrics.refused.inc(refused)
        return statuses.of_answers(accepted, refused, conflicts), _ENCODE({"results": answers})


_ENCODE = msgspec.json.Encoder(enc_hook=problems.of_record).encode


def source_of(scope: Scope, grant: Grant) -> Source:
    """What a request's address and headers say. Raises `Refused` and `UnsupportedType`."""
    headers = visit_of(scope).headers
    content_type = headers.get(b"content-type")
    if content_type is not None:
        check_type(content_type)
    path: str = scope["path"]
    imported, repeats = _imported(headers.get(b"sealog-import"), headers.get(b"sealog-repeats"))
    encoding = headers.get(b"content-encoding")
    return Source(
        grant=grant,
        dialect=path[len(PREFIX) :] if path.startswith(PREFIX) else NATIVE,
        encoding=None if encoding is None else encoding.decode("latin-1").strip().lower(),
        tenant=_tenant(scope["query_string"], headers.get(b"sealog-tenant")),
        request_key=_request_key(headers.get(b"idempotency-key")),
        imported=imported,
        repeats=repeats,
    )


@lru_cache(256)
def check_type(content_type: bytes) -> None:
    """Raise `UnsupportedType` for a body that cannot be records, whatever its bytes.

    Clients label records in many ways, so the framing is found from the bytes; this only catches
    forms, pictures and other encodings of text.
    """
    if len(content_type) > TYPE_BYTES_MAX:
        raise UnsupportedType("the content type is too long", code="unsupported-type")
    text = content_type.decode("latin-1").lower()
    name = text.partition(";")[0].strip()
    if name and _TAKEN_TYPE.fullmatch(name) is None:
        raise UnsupportedType("send JSON or NDJSON", code="unsupported-type")
    charset = _CHARSET.search(text)
    if charset is not None and charset[1] not in _UTF8:
        raise UnsupportedType("send UTF-8", code="unsupported-charset")


def _tenant(query: bytes, header: bytes | None) -> str | None:
    named = set() if header is None else {header.decode("latin-1")}
    if query:
        named.update(parse_qs(query.decode("latin-1"), keep_blank_values=True).get("tenant", ()))
    if not named:
        return None
    if len(named) > 1:
        raise BadParameter("tenant", "the request names more than one tenant")
    return check_tenant(named.pop())


def _request_key(header: bytes | None) -> str | None:
    if header is None:
        return None
    key = header.decode("latin-1")
    if len(key) > REQUEST_KEY_CHARS_MAX or _REQUEST_KEY.fullmatch(key) is None:
        detail = f"an Idempotency-Key has 1 to {REQUEST_KEY_CHARS_MAX} printable ASCII characters"
        raise BadParameter("Idempotency-Key", detail)
    return key


def _imported(flag: bytes | None, repeats: bytes | None) -> tuple[bool, dict[int, int]]:
    if flag is None and repeats is None:
        return False, {}
    if flag != b"1":
        raise BadParameter("Sealog-Import", "Sealog-Import is 1, or is not sent")
    return True, repeats_of(repeats.decode("latin-1")) if repeats else {}


def repeats_of(header: str) -> dict[int, int]:
    """`Sealog-Repeats`, `<position>=<n>,…`: position → how many identical records precede it."""
    pairs = header.split(",")
    found: dict[int, int] = {}
    for pair in pairs:
        match = _PLACE_AND_COUNT.fullmatch(pair)
        if match is None or len(pairs) > REPEATS_MAX:
            detail = f"Sealog-Repeats is up to {REPEATS_MAX} pairs <position>=<n>, with commas"
            raise BadParameter("Sealog-Repeats", detail)
        found[int(match[1])] = int(match[2])
    return found
