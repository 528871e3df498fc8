"""What ECS 8.11 allows in the four fields that classify an event, and what is odd about a value.

Source: the published schema of the Elastic Common Schema, 8.11.0, `event.kind`, `event.category`
(with the types it expects), `event.type` and `event.outcome`. Off-schema values are kept with
findings, never refused (CL-Q5, CL-Q6).
"""

from typing import Any

VERSION = "8.11.0"
SHOWN_CHARS_MAX = 64

KINDS = frozenset(
    {"alert", "asset", "enrichment", "event", "metric", "state", "pipeline_error", "signal"}
)
OUTCOMES = frozenset({"failure", "success", "unknown"})

EXPECTED_TYPES: dict[str, frozenset[str]] = {
    category: frozenset(types.split())
    for category, types in {
        "api": "access admin allowed change creation deletion denied end info start user",
        "authentication": "start end info",
        "configuration": "access change creation deletion info",
        "database": "access change info error",
        "driver": "change end info start",
        "email": "info",
        "file": "access change creation deletion info",
        "host": "access change end info start",
        "iam": "admin change creation deletion group info user",
        "intrusion_detection": "allowed denied info",
        "library": "start",
        "malware": "info",
        "network": "access allowed connection denied end info protocol start",
        "package": "access change deletion info installation start",
        "process": "access change end info start",
        "registry": "access change creation deletion",
        "session": "start end info",
        "threat": "indicator",
        "vulnerability": "info",
        "web": "access error info",
    }.items()
}
"""By category, the types that ECS expects beside it."""

TYPES = frozenset().union(*EXPECTED_TYPES.values())

Oddity = tuple[str, str]
"""A stable kebab-case code and a word on it, as a finding carries them."""


def lint(kind: Any, category: Any, type_: Any, outcome: Any) -> list[Oddity]:
    """What is odd about the four values, in their order; nothing for what is absent (None).

    Takes plain Python values of any shape. A type is expected where any of the categories
    expects it, and is not judged beside a category that ECS does not know.
    """
    odd: list[Oddity] = []
    if isinstance(kind, list):
        odd.append(("kind-is-array", "event.kind is one value, not an array"))
    kinds = kind if isinstance(kind, list) else _scalar(kind)
    categories = _several("category", category, odd)
    types = _several("type", type_, odd)
    odd += _unknown("kind", kinds, KINDS)
    odd += _unknown("category", categories, EXPECTED_TYPES)
    odd += _unknown("type", types, TYPES)
    odd += _unknown("outcome", _scalar(outcome), OUTCOMES)
    odd += _unexpected(categories, types)
    return list(dict.fromkeys(odd))


def _scalar(value: Any) -> list[Any]:
    return [] if value is None else [value]


def _several(field: str, value: Any, odd: list[Oddity]) -> list[Any]:
    if value is None or isinstance(value, list):
        return value or []
    odd.append((f"{field}-is-scalar", f"event.{field} is an array, even of one"))
    return [value]


def _unknown(field: str, values: list[Any], allowed: Any) -> list[Oddity]:
    return [
        (f"unknown-{field}", f"{_shown(value)} is no event.{field} of ECS {VERSION}")
        for value in values
        if not isinstance(value, str) or value not in allowed
    ]


def _unexpected(categories: list[Any], types: list[Any]) -> list[Oddity]:
    if not categories or any(_unknown("category", categories, EXPECTED_TYPES)):
        return []
    expected = frozenset().union(*(EXPECTED_TYPES[category] for category in categories))
    beside = " and ".join(categories)
    return [
        ("unexpected-pair", f"event.type {name} is not expected beside category {beside}")
        for name in types
        if isinstance(name, str) and name in TYPES and name not in expected
    ]


def _shown(value: Any) -> str:
    if not isinstance(value, str):
        return f"a value of type {type(value).__name__}"
    return value if len(value) <= SHOWN_CHARS_MAX else value[:SHOWN_CHARS_MAX] + "…"
