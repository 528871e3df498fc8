"""What an Elasticsearch request says: path, parameters and body, each with its limits."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request

from sealog.access.grants import Grant
from sealog.compat.elastic_errors import Rejected, unparsable, unsupported
from sealog.compat.elastic_names import Choosing
from sealog.wire import levels

BODY_BYTES_MAX = 1 << 20
COMMON = frozenset({"error_trace", "format", "human", "pretty", "tenant"})
"""What every request may have."""
CHOOSING = frozenset(
    {"allow_no_indices", "expand_wildcards", "ignore_throttled", "ignore_unavailable"}
)
"""What says which indices are meant."""
HINTS = frozenset(
    {
        "allow_partial_search_results",
        "batched_reduce_size",
        "ccs_minimize_roundtrips",
        "max_concurrent_searches",
        "max_concurrent_shard_requests",
        "pre_filter_shard_size",
        "preference",
        "request_cache",
        "routing",
        "search_type",
        "timeout",
    }
)
"""What says how a cluster shall go about it: here there is no cluster."""
_TEXT = frozenset({"q", "df", "default_operator", "analyze_wildcard", "lenient"})
_DOCUMENT = frozenset({"_source", "_source_excludes", "_source_includes"})
COUNTED = CHOOSING | HINTS | _TEXT
SEARCHED = (
    COUNTED
    | _DOCUMENT
    | {
        "explain",
        "from",
        "rest_total_hits_as_int",
        "scroll",
        "seq_no_primary_term",
        "size",
        "sort",
        "track_scores",
        "track_total_hits",
        "typed_keys",
        "version",
    }
)
SEVERAL = CHOOSING | HINTS | {"rest_total_hits_as_int", "typed_keys"}
DOCUMENT = _DOCUMENT | {"preference", "realtime", "refresh", "routing"}
KEPT = CHOOSING | {"keep_alive", "preference", "routing"}
SCROLLED = frozenset({"scroll", "scroll_id", "rest_total_hits_as_int"})
TOLD = CHOOSING | {"fields", "include_unmapped", "local", "master_timeout", "timeout"}
LISTED = TOLD | {"h", "s", "v"}
HEALTH = TOLD | {
    "wait_for_active_shards",
    "wait_for_no_initializing_shards",
    "wait_for_no_relocating_shards",
    "wait_for_nodes",
    "wait_for_status",
}
_NO = frozenset({"false", "0", "no"})
_DECODE = msgspec.json.Decoder().decode


class Asking(msgspec.Struct, frozen=True):
    """One request of a key."""

    request: Request
    grant: Grant
    words: tuple[str, ...]
    """Of the path, between its slashes."""
    body: bytes
    now_us: int

    def flag(self, name: str) -> bool:
        """Whether a parameter is there and does not say no."""
        value = self.request.query_params.get(name)
        return value is not None and value not in _NO

    def check(self, known: frozenset[str]) -> None:
        """Raise `Rejected` for a parameter that would go unheeded."""
        for name in self.request.query_params:
            if name not in known and name not in COMMON:
                raise unsupported(f"parameter {name}")
        form = self.request.query_params.get("format", "json")
        if form not in ("json", "text") or (form == "text" and self.words[:1] != ("_cat",)):
            raise unsupported(f"format {form}")

    def choosing(self, said: Mapping[str, Any] | None = None) -> Choosing:
        """What becomes of names that no index has; `said`: in the head of one of several searches."""
        params: Mapping[str, Any] = self.request.query_params
        given = {name: params[name] for name in CHOOSING if name in params}
        given |= {name: value for name, value in (said or {}).items() if name in CHOOSING}
        expands = given.get("expand_wildcards", "open")
        several = expands if isinstance(expands, list) else str(expands).split(",")
        return Choosing(
            _says(given.get("ignore_unavailable", False)),
            _says(given.get("allow_no_indices", True)),
            "open" in several or "all" in several,
        )

    def search_body(self) -> dict[str, Any]:
        """The body of a search, with what stands among the parameters instead. Raises `Rejected`."""
        params = self.request.query_params
        body = dict(body_of(self.body))
        if "q" in params:
            text: dict[str, Any] = {"query": params["q"]}
            for name, key in (("df", "default_field"), ("default_operator", "default_operator")):
                if name in params:
                    text[key] = params[name]
            body["query"] = {"query_string": text}
        for name in ("size", "from", "track_total_hits"):
            if name in params:
                body[name] = params[name]
        for name in ("explain", "version", "seq_no_primary_term"):
            if name in params:
                body[name] = self.flag(name)
        if "sort" in params:
            body["sort"] = params["sort"].split(",")
        return body | self._source(body)

    def _source(self, body: Mapping[str, Any]) -> dict[str, Any]:
        params = self.request.query_params
        if "_source_includes" in params or "_source_excludes" in params:
            ends = {"includes": "_source_includes", "excludes": "_source_excludes"}
            return {
                "_source": {
                    end: params[one].split(",") for end, one in ends.items() if one in params
                }
            }
        given = params.get("_source")
        if given is None:
            return {"_source": body["_source"]} if "_source" in body else {}
        return {"_source": {"true": True, "false": False}.get(given, given.split(","))}


def _says(value: object) -> bool:
    return value is not False and str(value) not in _NO


def body_of(content: bytes) -> Mapping[str, Any]:
    """A body as an object; an empty one is empty. Raises `Rejected`."""
    if not content.strip():
        return {}
    if len(content) > BODY_BYTES_MAX:
        raise Rejected(
            f"a body is at most {BODY_BYTES_MAX} bytes",
            kind="content_too_long_exception",
            status=413,
        )
    if levels.exceeds(content):
        raise unparsable("the body is nested too deep, or has too many keys")
    try:
        found = _DECODE(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise unparsable("the body is not JSON") from error
    if not isinstance(found, dict):
        raise unparsable("the body is not an object")
    return found


def lines_of(content: bytes, most: int) -> list[Mapping[str, Any]]:
    """The objects of a body with one on each line; a line with nothing on it is an empty object.

    Raises `Rejected` for more than `most` lines.
    """
    # Counted before any is read: a body of nothing but line breaks holds millions.
    lines = content.rstrip().split(b"\n", most + 1)
    if len(lines) > most:
        raise unparsable(f"a body has at most {most} lines")
    return [body_of(line) for line in lines] if content.strip() else []
