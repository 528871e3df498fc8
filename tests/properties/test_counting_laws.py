"""Counts, facets and histograms are what counting a plain list gives."""

import tempfile
from collections import Counter
from datetime import UTC
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.archive.made import BEGIN_US, TENANTS, Home
from tests.properties.test_search_laws import (
    SECOND,
    Sent,
    expected,
    live,
    merging_soon,
    queries,
    steps,
)

from sealog.query.tree import Query

__all__ = ["merging_soon"]
"""Used by its name: here too, two segments are enough for a merge."""

FIELDS = ("action", "category", "outcome", "actor", "ip", "status", "findings", "target")


def _values(field: str, one: Sent) -> list[str]:
    if field in ("action", "actor"):
        # Of several columns the first that has a value counts.
        return one.values(field)[:1]
    if field == "status":
        return [] if one.status is None else [str(one.status)]
    if field == "findings":
        return ["true"] * one.odd
    return one.values(field)


def _ranked(values: list[str]) -> list[tuple[str, int]]:
    return sorted(Counter(values).items(), key=lambda one: (-one[1], one[0]))


@settings(max_examples=20, deadline=None)
@given(
    steps,
    queries,
    st.sampled_from([[1], [1, 2]]),
    st.integers(1, 3),
    st.integers(1, 5),
    st.booleans(),
)
def test_counts_are_those_of_the_model(
    life: list[object],
    query: Query,
    numbers: list[int],
    top: int,
    seconds: int,
    is_split: bool,  # noqa: FBT001
):
    with tempfile.TemporaryDirectory() as path:
        home = Home(Path(path))
        model = live(home, life)
        tenants = [TENANTS[number] for number in numbers]
        count = home.archive.count(tenants, query)
        faceted = home.archive.facets(tenants, query, FIELDS, top)
        by = "outcome" if is_split else None
        timed = home.archive.histogram(tenants, query, seconds, UTC, by=by)
        home.close()
    found = [model[number][index] for index, number in expected(model, numbers, query)]

    assert count.count == faceted.count == timed.count == len(found)
    for field in FIELDS:
        ranked = _ranked([value for one in found for value in _values(field, one)])
        assert faceted.facets[field].values == ranked[:top]
        assert faceted.facets[field].more == len(ranked) - len(ranked[:top])
        assert faceted.facets[field].is_exact
    width = seconds * SECOND
    begins = [(BEGIN_US + one.at * SECOND) // width * width for one in found]
    counted = {bucket.begin_us: bucket.count for bucket in timed.buckets}
    assert list(counted) == (list(range(min(begins), max(begins) + 1, width)) if begins else [])
    assert {at: n for at, n in counted.items() if n} == dict(Counter(begins))
    for bucket in timed.buckets:
        here = [one.outcome for one, at in zip(found, begins, strict=True) if at == bucket.begin_us]
        assert bucket.by == (dict(Counter(here)) if is_split else {})
