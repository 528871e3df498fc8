"""How the rooms below get on, as operators' machines read it."""

from prometheus_client import generate_latest

from sealog import app
from sealog.server.gauges import registry_of


def test_every_room_that_follows_tells_how_far_it_is(tmp_path):
    with app.running(tmp_path / "data") as running:
        registry = registry_of(running.journal, running.ledger, running.archive)

        told = generate_latest(registry).decode()

    values = dict(line.split() for line in told.splitlines() if not line.startswith("#"))
    assert values == {
        "sealog_journal_waiting_events": "0.0",
        "sealog_ledger_lag_events": "0.0",
        "sealog_archive_lag_events": "0.0",
        "sealog_archive_waiting_events": "0.0",
        "sealog_archive_segments": "0.0",
        "sealog_archive_damaged": "0.0",
        "sealog_archive_merging_trouble": "0.0",
        "sealog_archive_merges_total": "0.0",
        "sealog_archive_merged_segments_total": "0.0",
        "sealog_archive_merged_events_total": "0.0",
        "sealog_archive_merged_bytes_total": "0.0",
        "sealog_archive_merge_seconds_total": "0.0",
    }


def test_streams_are_counted_by_state(tmp_path):
    with app.running(tmp_path / "data") as running:
        rooms = (running.journal, running.ledger, running.archive, running.delivery.streams)
        running.delivery.streams.start()
        told = generate_latest(registry_of(*rooms)).decode()

    for line in (
        'sealog_streams{state="running"} 0.0',
        'sealog_streams{state="failing"} 0.0',
        'sealog_streams{state="paused"} 0.0',
        'sealog_streams{state="disabled"} 0.0',
        "sealog_streams_lag_events 0.0",
        "sealog_streams_parked_records 0.0",
    ):
        assert f"\n{line}\n" in told


def test_retention_tells_what_went_and_what_keeps_it(tmp_path):
    with app.running(tmp_path / "data") as running:
        rooms = (running.journal, running.ledger, running.archive, running.delivery.streams)
        running.retainer.step()
        told = generate_latest(registry_of(*rooms, running.retainer)).decode()

    for line in (
        "sealog_retention_clock_trusted 1.0",
        "sealog_retention_waiting_tenants 0.0",
        "sealog_retention_trouble 0.0",
        "sealog_retention_statements_total 0.0",
        "sealog_retention_events_total 0.0",
        "sealog_retention_bytes_total 0.0",
    ):
        assert f"\n{line}\n" in told
