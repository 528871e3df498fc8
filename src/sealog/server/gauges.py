"""What the rooms below tell operators' machines about how they get on."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sealog.archive.archive import Archive
from sealog.delivery.streams import Streams
from sealog.journal.journal import Journal
from sealog.ledger.ledger import Ledger
from sealog.lifecycle.retaining import Retainer


def registry_of(
    journal: Journal,
    ledger: Ledger,
    archive: Archive,
    streams: Streams | None = None,
    retainer: Retainer | None = None,
) -> CollectorRegistry:
    """A registry with the gauges of these; others may add theirs."""
    registry = CollectorRegistry()
    for name, meaning, value in (
        ("sealog_journal_waiting_events", "Events that wait for a commit", journal.waiting),
        ("sealog_ledger_lag_events", "Accepted, not yet in the log's files", ledger.lag),
        ("sealog_archive_lag_events", "Accepted, not yet searchable", archive.lag),
        (
            "sealog_archive_waiting_events",
            "In memory, not yet in segments",
            lambda: archive.waiting()[0],
        ),
        ("sealog_archive_segments", "Segments of all tenants", archive.segment_count),
        (
            "sealog_archive_damaged",
            "Damaged files that were come across; sealog verify names all",
            lambda: len(archive.damaged()),
        ),
        (
            "sealog_archive_merging_trouble",
            "1 while merging does not get on, because the disk is full say",
            lambda: int(archive.merging_trouble() is not None),
        ),
    ):
        Gauge(name, meaning, registry=registry).set_function(value)
    registry.register(_Merging(archive))
    if retainer is not None:
        registry.register(_Retention(retainer))
    if streams is not None:
        registry.register(_Streams(streams))
    return registry


class _Merging(Collector):
    """What merging has done since the start, for whoever scrapes."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def collect(self) -> Iterator[Metric]:
        done = self._archive.merged()
        for name, meaning, value in (
            ("sealog_archive_merges", "Merges of segments", done.merges),
            ("sealog_archive_merged_segments", "Segments that were merged", done.sources),
            ("sealog_archive_merged_events", "Events that were written again", done.events),
            ("sealog_archive_merged_bytes", "Bytes that merging wrote", done.bytes),
            ("sealog_archive_merge_seconds", "Processor seconds of merging", done.seconds),
        ):
            yield CounterMetricFamily(name, meaning, value=value)


class _Streams(Collector):
    """How streams are, for whoever scrapes."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams

    def collect(self) -> Iterator[Metric]:
        states = GaugeMetricFamily("sealog_streams", "Streams by state", labels=["state"])
        for state, count in self._streams.states().items():
            states.add_metric([state], count)
        yield states
        lag, parked = self._streams.behind()
        for name, meaning, value in (
            ("sealog_streams_lag_events", "Indexes that streams have not looked at", lag),
            ("sealog_streams_parked_records", "Records refused for good and not dropped", parked),
        ):
            yield GaugeMetricFamily(name, meaning, value=value)


class _Retention(Collector):
    """What has expired, and what keeps it, for whoever scrapes."""

    def __init__(self, retainer: Retainer) -> None:
        self._retainer = retainer

    def collect(self) -> Iterator[Metric]:
        retainer, done = self._retainer, self._retainer.done
        judged = retainer.judge()
        for name, meaning, gauge in (
            (
                "sealog_retention_clock_trusted",
                "0 while the clock is more than an hour ahead of what it should say",
                int(judged.is_trusted),
            ),
            (
                "sealog_retention_waiting_tenants",
                "Tenants of which something should be gone, until the clock is confirmed",
                retainer.held(),
            ),
            (
                "sealog_retention_trouble",
                "1 while retention does not get on, because the disk is full say",
                int(retainer.trouble is not None),
            ),
        ):
            yield GaugeMetricFamily(name, meaning, value=gauge)
        for name, meaning, count in (
            ("sealog_retention_statements", "Statements that events have expired", done.statements),
            ("sealog_retention_events", "Events that went", done.events),
            ("sealog_retention_bytes", "Bytes of files that went", done.bytes),
        ):
            yield CounterMetricFamily(name, meaning, value=count)
