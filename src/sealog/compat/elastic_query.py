"""Elasticsearch's query language as a tree of conditions.

Every clause either means here what it means there, or is refused by name: nothing is quietly left
out, because a filter that is not there finds too much. Scores are not computed: clauses that only
sort by relevance (`should` beside a `must`) change nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sealog.compat import elastic_lucene
from sealog.compat.elastic_errors import Rejected, unparsable, unsupported
from sealog.compat.elastic_leaves import (
    NOTHING,
    Asking,
    Leaves,
    any_words,
    equal,
    exists,
    folds,
    is_anywhere,
    like,
    natural,
    phrase,
    scalar,
    within,
)
from sealog.compat.elastic_names import Index
from sealog.query.tree import EVERYTHING, Is, Node, Not, either, every

DEPTH_MAX = 64
CLAUSES_MAX = 1_024
VALUES_MAX = 1_024


def condition(body: object, index: Index, now_us: int) -> Node:
    """What the `query` of a search asks for; None for everything. Raises `Rejected`."""
    return EVERYTHING if body is None else _clause(body, Asking(index, now_us))


def _clause(body: object, asking: Asking) -> Node:
    if not isinstance(body, dict) or len(body) != 1:
        raise unparsable("a query is an object with one clause")
    ((name, inner),) = body.items()
    read = _CLAUSES.get(name)
    if read is None:
        raise Rejected(f"unknown query [{str(name)[:100]}]: Sealog knows {', '.join(_CLAUSES)}")
    asking.clauses += 1
    if asking.clauses > CLAUSES_MAX:
        raise Rejected(f"maxClauseCount is set to {CLAUSES_MAX}", kind="too_many_clauses")
    asking.depth += 1
    if asking.depth > DEPTH_MAX:
        raise Rejected(f"a query is nested at most {DEPTH_MAX} deep")
    try:
        return read(inner, asking)
    finally:
        asking.depth -= 1


def _match_all(inner: object, _asking: Asking) -> Node:
    _known("match_all", inner, {"boost"})
    return EVERYTHING


def _match_none(inner: object, _asking: Asking) -> Node:
    _known("match_none", inner, {"boost"})
    return NOTHING


def _bool(inner: object, asking: Asking) -> Node:
    known = {"must", "filter", "should", "must_not", "minimum_should_match", "boost"}
    given = _known("bool", inner, known)
    found = [
        _clause(one, asking) for name in ("must", "filter") for one in _several(given.get(name))
    ]
    found += [Not(_clause(one, asking)) for one in _several(given.get("must_not"))]
    should = [_clause(one, asking) for one in _several(given.get("should"))]
    has_others = bool(given.get("must") or given.get("filter"))
    asked = given.get("minimum_should_match", 0 if has_others else 1)
    least = natural(asked)
    if least not in (0, 1, len(should)):
        raise unsupported(f"minimum_should_match {asked}", "send 0, 1 or the number of clauses")
    if should and least:
        found.append(every(should) if least == len(should) else either(should))
    return every(found)


def _wrapped(name: str) -> Callable[[object, Asking], Node]:
    def read(inner: object, asking: Asking) -> Node:
        given = _known(name, inner, {"filter", "query", "boost"})
        return _clause(given.get("filter", given.get("query")), asking)

    return read


def _term(inner: object, asking: Asking) -> Node:
    name, given = _of_field("term", inner)
    value = _option("term", given, "value", {"boost", "case_insensitive"})
    _check_case("term", asking, name, given)
    return equal(asking, name, value)


def _terms(inner: object, asking: Asking) -> Node:
    given = dict(_object("terms", inner))
    given.pop("boost", None)
    if len(given) != 1:
        raise unparsable("[terms] names one field")
    ((name, listed),) = given.items()
    if not isinstance(listed, list):
        raise unsupported("terms lookup", "send the values")
    if len(listed) > VALUES_MAX:
        raise Rejected(f"[terms] names at most {VALUES_MAX} values")
    return either([equal(asking, name, value) for value in listed])


def _ids(inner: object, _asking: Asking) -> Node:
    listed = _several(_known("ids", inner, {"values", "boost"}).get("values"))
    if len(listed) > VALUES_MAX or not all(isinstance(one, str) for one in listed):
        raise unparsable(f"[ids] has at most {VALUES_MAX} texts")
    return either([Is("id", one) for one in listed])


def _exists(inner: object, asking: Asking) -> Node:
    name = _known("exists", inner, {"field", "boost"}).get("field")
    if not isinstance(name, str):
        raise unparsable("[exists] names a field")
    return exists(asking, name)


def _prefix(inner: object, asking: Asking) -> Node:
    name, given = _of_field("prefix", inner)
    value = _option("prefix", given, "value", {"boost", "case_insensitive", "rewrite"})
    _check_case("prefix", asking, name, given)
    if not isinstance(value, str):
        raise unparsable("[prefix] takes a text")
    if "*" in value:
        raise unsupported("a * that stands for itself")
    return like(asking, name, value + "*")


def _wildcard(inner: object, asking: Asking) -> Node:
    name, given = _of_field("wildcard", inner)
    also = {"boost", "case_insensitive", "rewrite", "wildcard"}
    value = _option("wildcard", given, "value", also)
    if isinstance(given, dict) and "wildcard" in given:
        value = given["wildcard"]
    _check_case("wildcard", asking, name, given)
    if not isinstance(value, str):
        raise unparsable("[wildcard] takes a text")
    if "?" in value or "\\" in value:
        raise unsupported("? or \\ in wildcard", "* stands for any characters")
    return like(asking, name, value)


def _match(inner: object, asking: Asking) -> Node:
    name, given = _of_field("match", inner)
    also = {"operator", "boost", "lenient", "zero_terms_query", "analyzer", "fuzziness"}
    text = _option("match", given, "query", also)
    options = given if isinstance(given, dict) else {}
    if options.get("fuzziness") not in (None, 0, "0"):
        raise unsupported("fuzziness")
    if not is_anywhere(asking, name):
        return equal(asking, name, text)
    return any_words(scalar(text), is_and=str(options.get("operator", "or")).lower() == "and")


def _match_phrase(inner: object, asking: Asking) -> Node:
    name, given = _of_field("match_phrase", inner)
    text = _option("match_phrase", given, "query", {"boost", "analyzer", "slop"})
    if isinstance(given, dict) and given.get("slop") not in (None, 0):
        raise unsupported("slop")
    if not is_anywhere(asking, name):
        return equal(asking, name, text)
    return phrase(scalar(text))


def _multi_match(inner: object, asking: Asking) -> Node:
    also = {"query", "fields", "type", "operator", "boost", "lenient"}
    given = _known("multi_match", inner, also)
    names = _several(given.get("fields")) or ["*"]
    kind = given.get("type", "best_fields")
    if kind not in ("best_fields", "most_fields", "phrase"):
        raise unsupported(f"multi_match type {kind}")
    read = _match_phrase if kind == "phrase" else _match
    text: dict[str, object] = {"query": given.get("query")}
    if "operator" in given and kind != "phrase":
        text["operator"] = given["operator"]
    return either([read({str(name).partition("^")[0]: text}, asking) for name in names])


def _range(inner: object, asking: Asking) -> Node:
    name, given = _of_field("range", inner)
    known = {"gte", "gt", "lte", "lt", "format", "time_zone", "boost", "relation"}
    # The older form, which Kibana and Grafana still send.
    bounds = dict(_known("range", given, known | {"from", "to", "include_lower", "include_upper"}))
    if "from" in bounds:
        bounds["gte" if bounds.pop("include_lower", True) else "gt"] = bounds.pop("from")
    if "to" in bounds:
        bounds["lte" if bounds.pop("include_upper", True) else "lt"] = bounds.pop("to")
    return within(asking, name, bounds)


def _query_string(inner: object, asking: Asking) -> Node:
    also = {"query", "default_field", "fields", "default_operator", "analyze_wildcard", "lenient"}
    also |= {"boost", "time_zone", "allow_leading_wildcard", "escape", "type"}
    given = _known("query_string", inner, also)
    text = given.get("query")
    if not isinstance(text, str):
        raise unparsable("[query_string] has a text as query")
    is_and = str(given.get("default_operator", "or")).lower() == "and"
    names = _several(given.get("fields")) or [given.get("default_field") or "*"]
    leaf = Leaves(asking, [str(name).partition("^")[0] for name in names], is_and=is_and)
    return elastic_lucene.parse(text, leaf, is_and=is_and)


def _of_field(clause: str, inner: object) -> tuple[str, Any]:
    given = _object(clause, inner)
    if len(given) != 1:
        raise unparsable(f"[{clause}] names one field")
    ((name, value),) = given.items()
    return name, value


def _option(clause: str, given: object, name: str, also: set[str]) -> object:
    """The value of a clause, be it short (`{"field": value}`) or long (`{"field": {name: value}}`)."""
    if not isinstance(given, dict):
        return given
    return _known(clause, given, also | {name}).get(name)


def _check_case(clause: str, asking: Asking, name: str, given: object) -> None:
    wanted = isinstance(given, dict) and given.get("case_insensitive") in (True, "true")
    if wanted and not folds(asking, name):
        raise unsupported(f"case_insensitive in {clause} of {name}", "send each way it is written")


def _known(clause: str, given: object, names: set[str]) -> Mapping[str, Any]:
    found = _object(clause, given)
    for name in found:
        if name not in names and name != "_name":
            raise unsupported(f"{name} in {clause}")
    return found


def _object(clause: str, given: object) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise unparsable(f"[{clause}] is an object")
    return given


def _several(given: object) -> list[Any]:
    if given is None:
        return []
    return given if isinstance(given, list) else [given]


_CLAUSES: dict[str, Callable[[object, Asking], Node]] = {
    "match_all": _match_all,
    "match_none": _match_none,
    "bool": _bool,
    "constant_score": _wrapped("constant_score"),
    "term": _term,
    "terms": _terms,
    "range": _range,
    "exists": _exists,
    "prefix": _prefix,
    "wildcard": _wildcard,
    "match": _match,
    "match_phrase": _match_phrase,
    "multi_match": _multi_match,
    "query_string": _query_string,
    "ids": _ids,
}
