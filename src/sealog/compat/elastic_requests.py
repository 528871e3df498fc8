"""What an Elasticsearch request says: path, parameters and body, each with its limits."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request

from sealog.access.grants import Grant
from sealog.compat.elastic_errors import Rejected, unparsable, unsupported
from sealog.wire import levels

BODY_BYTES_MAX = 1 << 20
PARAMETERS = frozenset(
    [
        "allow_no_indices",
        "allow_partial_search_results",
        "analyze_wildcard",
        "batched_reduce_size",
        "ccs_minimize_roundtrips",
        "default_operator",
        "df",
        "error_trace",
        "expand_wildcards",
        "explain",
        "fields",
        "filter_path",
        "format",
        "from",
        "h",
        "help",
        "human",
        "ignore_throttled",
        "ignore_unavailable",
        "include_defaults",
        "include_type_name",
        "keep_alive",
        "lenient",
        "level",
        "local",
        "master_timeout",
        "max_concurrent_searches",
        "max_concurrent_shard_requests",
        "pre_filter_shard_size",
        "preference",
        "pretty",
        "q",
        "request_cache",
        "rest_total_hits_as_int",
        "routing",
        "s",
        "scroll",
        "scroll_id",
        "search_type",
        "seq_no_primary_term",
        "size",
        "sort",
        "_source",
        "_source_excludes",
        "_source_includes",
        "tenant",
        "timeout",
        "track_scores",
        "track_total_hits",
        "typed_keys",
        "v",
        "version",
        "wait_for_status",
        "wait_for_no_relocating_shards",
        "wait_for_active_shards",
        "wait_for_no_initializing_shards",
    ]
)
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
        return value is not None and value != "false"

    def search_body(self) -> dict[str, Any]:
        """The body of a search, with what stands among the parameters instead. Raises `Rejected`."""
        params = self.request.query_params
        for name in params:
            if name not in PARAMETERS:
                raise unsupported(f"parameter {name}")
        if params.get("filter_path"):
            raise unsupported("filter_path")
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


def lines_of(content: bytes) -> list[Mapping[str, Any]]:
    """The objects of a body with one on each line; a line with nothing on it is an empty object."""
    lines = content.split(b"\n")
    while lines and not lines[-1].strip():
        lines.pop()
    return [body_of(line) for line in lines]
