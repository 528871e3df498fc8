"""docs/operate/limits.md says the numbers that are in force."""

import re

import pytest
from tests.architecture.tree import ROOT

from sealog import config
from sealog.archive.follower import Settings as Following
from sealog.archive.forms import VALUE_CHARS_MAX as COLUMN_CHARS_MAX
from sealog.compat import easysend
from sealog.compat.easysend_pages import PAGE_LOGS
from sealog.delivery import (
    addresses,
    connecting,
    destinations,
    folder,
    holding,
    pump,
    shaping,
    talking,
    webhook,
    wishes,
)
from sealog.event.ids import ID_BYTES_MAX
from sealog.event.tokens import KEYS_MAX, LEVELS_MAX
from sealog.policy import reading as policy_reading
from sealog.policy import retention, settings, unrecorded
from sealog.query import scanning, syntax, values
from sealog.server import (
    asking,
    choosing,
    counting,
    foretelling,
    ingesting,
    positions,
    streaming,
)
from sealog.server.settings import Settings as Serving
from sealog.wire import reading, rows, unpacking

TABLE = dict(
    re.findall(
        r"^\| ([^|]+?) \| ([^|]+?) \|",
        (ROOT / "docs" / "operate" / "limits.md").read_text("utf-8"),
        re.MULTILINE,
    )
)
SERVING, FOLLOWING, SETTINGS = Serving(), Following(), config.Settings()


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("one record", reading.EVENT_BYTES_MAX),
        ("records in a request", reading.RECORDS_MAX),
        ("body, as sent", SERVING.body_bytes_max),
        ("body, decompressed", unpacking.BODY_BYTES_MAX),
        ("gzip members or zstd frames in a body", unpacking.MEMBERS_MAX),
        ("levels of a record", LEVELS_MAX),
        ("keys of a record", KEYS_MAX),
        ("columns of CSV", rows.COLUMNS_MAX),
        ("JSON that needs slow reading, in a request", reading.SLOW_TOKENS_MAX),
        ("time for a body to arrive", int(SERVING.body_seconds_max)),
        ("`Idempotency-Key`", ingesting.REQUEST_KEY_CHARS_MAX),
        ("an event's id", ID_BYTES_MAX),
        ("events on a page", SERVING.page_max),
        ("bytes on a page", FOLLOWING.page_bytes_max),
        ("tenants in a search", asking.TENANTS_MAX),
        ("rules on what is recorded", settings.RULES_MAX),
        ("rules of retention", retention.RULES_MAX),
        ("an action in a rule", policy_reading.ACTION_CHARS_MAX),
        ("the shortest that anything is kept", retention.KEEP_MIN_S),
        ("versions on a page of a history", choosing.VERSIONS_MAX),
        ("types that are not recorded, told apart in an hour", unrecorded.TYPES_MAX),
        ("days of a forecast", foretelling.DAYS_MAX),
        ("types of a forecast", foretelling.TYPES_MAX),
        ("a parameter", asking.VALUE_CHARS_MAX),
        ("time of a search", int(FOLLOWING.search_s)),
        ("wait for `at_least`", int(FOLLOWING.at_least_s)),
        ("wait of a feed", SERVING.wait_seconds_max),
        ("feeds that wait at once", SERVING.waiting_max),
        ("tenants in a tail", positions.TENANTS_MAX),
        ("time of a tail", int(SERVING.tail_seconds_max)),
        ("time a tail's client takes nothing", int(SERVING.tail_stalled_s)),
        ("tails of a key, at once", SETTINGS.server.tails_per_key),
        ("a query", syntax.QUERY_CHARS_MAX),
        ("conditions of a query", syntax.CONDITIONS_MAX),
        ("parentheses and negations in each other", syntax.DEPTH_MAX),
        ("values of a field, in a row or as parameters", syntax.VALUES_MAX),
        ("a value in a query", scanning.VALUE_CHARS_MAX),
        ("`*` in a value", values.STARS_MAX),
        ("fields in facets", counting.FIELDS_MAX),
        ("values of a field in facets", counting.TOP_MAX),
        ("logs on a page of [EasySend's interface](../interfaces/easysend.md)", PAGE_LOGS),
        ("answers of it under way", easysend.OPEN_MAX),
        ("time of an answer of it", int(SETTINGS.compat.easysend.seconds_max)),
        ("a value in a search column", COLUMN_CHARS_MAX),
        ("streams of a tenant", SETTINGS.delivery.per_tenant_max),
        ("a stream's name", wishes.NAME_CHARS_MAX),
        ("paths in a stream's fields and masks", shaping.PATHS_MAX),
        ("a path", shaping.PATH_CHARS_MAX),
        ("records that a stream parks", pump.PARKED_MAX),
        ("records refused in a row that a stream parks", pump.REFUSED_IN_A_ROW_MAX),
        ("parked records named in a request", streaming.INDEXES_MAX),
        ("sends at once", pump.SENDING_MAX),
        ("sends at once of streams that fail", pump.FAILING_MAX),
        ("checks, and changes of streams, at once", streaming.SLOW_AT_ONCE),
        ("single requests of a send", webhook.RECORDS_A_SEND),
        ("a webhook's URL", addresses.URL_CHARS_MAX),
        ("headers of a webhook", destinations.HEADERS_MAX),
        ("a header's value", destinations.HEADER_CHARS_MAX),
        ("records in a webhook's request", destinations.RECORDS_MAX),
        ("time of an attempt", destinations.TIMEOUT_S_MAX),
        ("an answer to a webhook that is read", talking.REST_BYTES_MAX),
        ("the head of an answer to a webhook", talking.HEAD_BYTES_MAX),
        ("addresses of a host that are tried", connecting.ADDRESSES_TRIED_MAX),
        ("names looked up at once", connecting.LOOKUPS_AT_ONCE),
        ("time a folder's disk takes to answer", int(folder.SEND_S_MAX)),
        ("a folder's path", destinations.PATH_CHARS_MAX),
        ("an object in a file that is reconciled", holding.RECORD_BYTES_MAX),
        ("requests of a key, over time", SETTINGS.server.requests_per_s),
        ("requests of a key, at once", SETTINGS.server.requests_burst),
        ("events that wait to be written", SETTINGS.journal.waiting_events_max),
        ("bytes of bodies in preparation", SETTINGS.intake.preparing_bytes_max),
        ("events in memory before segments are cut", SETTINGS.archive.waiting_events_max),
    ],
)
def test_a_limit_is_told_as_it_is(limit, value):
    assert TABLE[limit].partition(" ")[0].rstrip(";") == f"{value:,}"


def test_no_limit_is_told_that_nothing_checks():
    told = {name for name in TABLE if name not in ("limit", "---")}

    assert told - set(checked()) == {"a tenant's name"}


def checked() -> list[str]:
    mark = next(iter(test_a_limit_is_told_as_it_is.pytestmark))
    return [limit for limit, _ in mark.args[1]]
