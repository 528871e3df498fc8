import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealog.compat.elastic_contexts import KEEP_ALIVE_MAX_S, Contexts
from sealog.compat.elastic_errors import Rejected


class Clock:
    us = 1_000_000_000_000

    def __call__(self):
        return self.us


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def contexts(clock):
    count = iter(range(1_000))
    return Contexts(clock, lambda size: next(count).to_bytes(size))


def test_a_context_comes_back_as_it_was(contexts):
    context = contexts.open("closer", {1: 7}, "1m", b'{"size":1}')

    assert contexts.read(contexts.written(context)) == context
    assert context.indices == "closer"
    assert context.sizes == {1: 7}


def test_a_context_is_over_after_its_time_unless_it_is_kept_alive(contexts, clock):
    text = contexts.written(contexts.open("closer", {}, "1m"))

    clock.us += 59_000_000
    longer = contexts.written(contexts.read(text, "1m"))
    clock.us += 2_000_000

    assert contexts.read(longer).indices == "closer"
    with pytest.raises(Rejected, match="No search context found") as raised:
        contexts.read(text)
    assert raised.value.status == 404
    assert raised.value.kind == "search_context_missing_exception"


def test_a_context_that_was_closed_is_over(contexts):
    text = contexts.written(contexts.open("closer", {}, "1m"))

    assert contexts.close(text) is True
    assert contexts.close(text) is False
    with pytest.raises(Rejected, match="No search context found"):
        contexts.read(text)


@pytest.mark.parametrize("keep_alive", [None, "", "1", "1y", "-1m", "99999d", 5])
def test_it_is_kept_for_a_time_that_is_one(contexts, keep_alive):
    with pytest.raises(Rejected, match="eep"):
        contexts.open("closer", {}, keep_alive)


def test_the_longest_time_is_a_day(contexts, clock):
    context = contexts.open("closer", {}, f"{KEEP_ALIVE_MAX_S}s")

    assert context.until_us == clock.us + KEEP_ALIVE_MAX_S * 1_000_000
    with pytest.raises(Rejected, match="too large"):
        contexts.open("closer", {}, f"{KEEP_ALIVE_MAX_S + 1}s")


@given(st.text(max_size=80) | st.binary(max_size=60).map(bytes.hex) | st.none() | st.integers())
def test_any_other_text_is_refused(text):
    with pytest.raises(Rejected):
        Contexts(Clock(), bytes).read(text)
