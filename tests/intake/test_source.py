import pytest

from sealog.access.grants import Grant
from sealog.intake.source import Source

GRANT = Grant("k", frozenset({"ingest"}), None)


def test_a_source_says_what_most_requests_are():
    source = Source(GRANT)

    assert (source.dialect, source.tenant, source.request_key) == ("ecs", None, None)
    assert (source.encoding, source.framing, source.imported, source.repeats) == (
        None,
        None,
        False,
        {},
    )


def test_a_source_is_not_changed_on_its_way():
    with pytest.raises(AttributeError):
        Source(GRANT).tenant = "acme"
