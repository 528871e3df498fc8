"""Laws of the dialects: whatever is sent is understood or refused, and nothing of it is lost."""

import itertools

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.dialects.samples import record_of

from sealog.catalog.shelf import load
from sealog.dialects import registry
from sealog.dialects.dialect import Settings
from sealog.errors import Refused
from sealog.event import parts, tokens

DIALECTS = {name: registry.of(name, load()) for name in registry.NAMES if name != "ecs"}
KEY_WORDS = """
    @timestamp message _source _id _index event event.kind event.category event.type event.action
    event.outcome event.id event.original http http.request http.request.body
    http.request.body.content http.response.status_code http.response.status_code.x user user.id
    user.roles source source.ip client ip ecs ecs.version organization organization.id id name
    version kind category type action outcome sealog sealog.actor.kind closer closer.envelope
    description timestamp agentId firstName lastName email user_agent user_agent.os os geo label
    labels labels.a.b family easysend easysend.label easysend.browser browser_language
    is_verified_bot environment authentication_status app_type event_type tenantUserId sessionId
    agent data chatvisor customerId customerID tenantUser operation dateTime activity supsis
    logichub time actor details status resetUsername oldEmail newEmail executionTime
    batchStartTime batchEndTime newInstanceData a.b .a a. a
"""
VALUE_WORDS = """
    agent_skills_change org_topic_change Opened CheckAuthResponseAuthenticationFailed LIVE_VIEW
    MEETING_CHANGE DELETE ROLE_CHANGE chat-opened system UserCreateSuccess BatchExecuted
    CustomListRowEdited IntegrationConnectionDeleted UserAccounts success FAILURE Succeed player
    2021-05-05T09:27:12.529+0000 2026-05-01T08:00:00Z 06/10/2020 1569575400206 203.0.113.9
    /203.0.113.9 /[::1]:80 nowhere/1.2.3.400 204 503 acme a@b.example sealog.erasure configuration
"""
KEYS = st.sampled_from([*KEY_WORDS.split(), "Date and Time", "User", "IP Address", "Activity"])
WORDS = st.sampled_from(VALUE_WORDS.split())
SCALARS = st.one_of(WORDS, st.none(), st.booleans(), st.integers(), st.just("unique"), st.text())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=6)),
    max_leaves=25,
)
RECORDS = st.dictionaries(KEYS, VALUES, max_size=8)


def told_apart(value, numbers):
    """The value with every unique word a different one, so that losing one shows."""
    if isinstance(value, dict):
        return {key: told_apart(inner, numbers) for key, inner in value.items()}
    if isinstance(value, list):
        return [told_apart(inner, numbers) for inner in value]
    return f"unique {next(numbers)}" if value == "unique" else value


def scalars_in(node):
    """The tokens of all scalars below a node, those in arrays too."""
    if isinstance(node, dict):
        return {token for inner in node.values() for token in scalars_in(inner)}
    text = bytes(node)
    if text[:1] == b"{":
        return scalars_in(msgspec.json.decode(text, type=dict[str, msgspec.Raw]))
    if text[:1] == b"[":
        items = msgspec.json.decode(text, type=list[msgspec.Raw])
        return {token for item in items for token in scalars_in(item)}
    return {text}


@pytest.mark.parametrize("name", DIALECTS)
@given(sent=RECORDS, slowly=st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_object_becomes_a_draft_that_holds_all_of_it_or_is_refused(name, sent, slowly):
    """X-08, and the rule that nothing is dropped for being off-schema."""
    record = record_of(told_apart(sent, itertools.count()), slowly=slowly)
    before = tokens.encode(record.fields)

    try:
        draft = DIALECTS[name].translate(record, Settings())
    except Refused as refusal:
        assume(refusal.code != "reserved-action")
        raise

    held = scalars_in(draft.tree) | scalars_in(draft.sent)
    used = {tokens.encode(text) for text in (draft.id, draft.tenant, draft.at_text) if text}
    assert scalars_in(record.fields) <= held | used
    assert tokens.encode(record.fields) == before
    assert not draft.clean
    assert draft.action
    assert draft.alias.startswith(tuple("abcdefghijklmnopqrstuvwxyz"))
    assert (draft.at_us is None) == (draft.at_text == "")


@pytest.mark.parametrize("name", DIALECTS)
@given(sent=RECORDS)
@settings(max_examples=40, deadline=None)
def test_either_reader_of_the_wire_leads_to_the_same_draft(name, sent):
    """Objects opened before or not: the same event."""
    drafts = []
    for slowly in (False, True):
        try:
            draft = DIALECTS[name].translate(record_of(sent, slowly=slowly), Settings())
        except Refused as refusal:
            drafts.append(refusal.code)
        else:
            drafts.append(
                (tokens.plain(tokens.encode(draft.tree)), tokens.plain(tokens.encode(draft.sent)))
            )
            drafts.append((draft.action, draft.at_us, draft.id, draft.findings))

    half = len(drafts) // 2
    assert drafts[:half] == drafts[half:]


@pytest.mark.parametrize("name", DIALECTS)
@given(sent=RECORDS, slowly=st.booleans())
@settings(max_examples=40, deadline=None)
def test_what_a_dialect_gives_can_be_cut_into_parts_and_joined_again(name, sent, slowly):
    """No path in one part begins a path in another, whatever was sent."""
    try:
        draft = DIALECTS[name].translate(record_of(sent, slowly=slowly), Settings())
    except Refused:
        return

    cut = parts.split(draft.tree, parts.places(dict(draft.declared)), action_known=draft.known)

    whole = parts.joined(text for _, text in cut)
    assert msgspec.json.decode(tokens.encode(whole)) == msgspec.json.decode(
        tokens.encode(draft.tree)
    )
    for root in ("event", "sealog"):
        assert type(draft.tree[root]) is dict
    assert tokens.opened(draft.tree.get("organization", {})) is not None


@given(sent=st.lists(st.tuples(KEYS, SCALARS), min_size=2, max_size=8))
@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("name", DIALECTS)
def test_equal_keys_all_stand_as_sent(name, sent):
    members = b",".join(tokens.encode(key) + b":" + tokens.encode(node) for key, node in sent)
    record = record_of(b"{" + members + b"}")

    try:
        draft = DIALECTS[name].translate(record, Settings())
    except Refused:
        return

    held = scalars_in(draft.tree) | scalars_in(draft.sent)
    used = {tokens.encode(text) for text in (draft.id, draft.tenant, draft.at_text) if text}
    assert {tokens.encode(node) for _, node in sent} <= held | used
