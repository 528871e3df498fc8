from prometheus_client import CollectorRegistry

from sealog.server.watching import Metrics


def test_the_process_answers_without_a_key(house):
    answer = house.ask("GET", "/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_readiness_says_why_not(house):
    assert house.ask("GET", "/readyz").json() == {"status": "ready"}

    house.not_ready = "the archive is 12 seconds behind"

    answer = house.ask("GET", "/readyz")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["detail"] == "the archive is 12 seconds behind"


def test_metrics_name_routes_and_never_what_was_asked(house):
    house.ask("GET", "/v1/events/secret-id?tenant=acme", key=house.key("read"))
    house.ask("GET", "/no/such/secret-path")
    house.ask("SECRET", "/v1/feed")

    answer = house.ask("GET", "/metrics")

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    route = 'method="GET",route="/v1/events/{id:path}",status="404"'
    assert f"sealog_requests_total{{{route}}} 1.0" in answer.text
    assert 'route="(none)",status="404"' in answer.text
    assert 'method="(other)"' in answer.text
    for word in ("secret", "SECRET", "acme"):
        assert word not in answer.text


def test_a_request_is_counted_with_its_time():
    registry = CollectorRegistry()
    metrics = Metrics(registry)

    metrics.answered("/x", "GET", 200, 0.003)
    metrics.answered("/x", "GET", 200, 0.004)

    labels = {"route": "/x", "method": "GET", "status": "200"}
    assert registry.get_sample_value("sealog_requests_total", labels) == 2.0
    assert registry.get_sample_value("sealog_request_seconds_sum", {"route": "/x"}) == 0.007
    bucket = {"route": "/x", "le": "0.005"}
    assert registry.get_sample_value("sealog_request_seconds_bucket", bucket) == 2.0


def test_counts_of_two_servers_in_one_process_stay_apart(build_house):
    first, second = build_house(), build_house()

    first.ask("GET", "/healthz")

    assert "/healthz" in first.ask("GET", "/metrics").text
    assert "/healthz" not in second.ask("GET", "/metrics").text
