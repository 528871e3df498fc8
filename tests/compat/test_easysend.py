"""`get-security-logs` on a real port, asked as its documentation tells to ask."""

import http.client
import socket
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec
import pytest
from tests.archive.made import until
from tests.compat.easysend_house import KEY, PATH, at, log, serving

from sealog import app
from sealog.access.reads import Kind
from sealog.compat import easysend
from sealog.errors import Altered
from sealog.rendering.rendering import Renderer

GOLDEN = Path(__file__).parents[1] / "golden" / "dialects" / "easysend"
SAMPLES = sorted(path.name.removesuffix(".in.json") for path in GOLDEN.glob("*.in.json"))
FOREVER = {"start_time": "20200101000000", "end_time": "21000101000000"}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Twenty logs of both applications, a second apart, and what Sealog says of its own keys."""
    with serving(tmp_path_factory.mktemp("easysend") / "data") as house:
        house.logs = [log(n, "builder" if n % 4 == 0 else "player") for n in range(20)]
        house.send(house.logs)
        house.record("easysend")
        yield house


@pytest.fixture
def serve(tmp_path):
    """Start a server of its own, with settings of the room."""
    opened = []

    def start(**settings):
        opened.append(serving(tmp_path / "data", **settings))
        return opened[-1].__enter__()

    yield start
    for one in opened:
        one.__exit__(None, None, None)


def logs_of(answer):
    assert answer.status_code == 200, answer.text
    return [one for page in answer.json() for one in page["securityLogs"]]


def problem(answer):
    """Its status, what kind it is, and what to do."""
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, body["type"].rpartition("/")[2], body.get("detail")


def test_security_logs_are_pulled_as_the_document_says(house):
    """ES-11, ES-20 to ES-24, ES-30 to ES-33: a client that knows nothing but the article."""
    with httpx.Client(base_url=house.url) as client:
        answer = client.get(
            "/player/api/get-security-logs",
            params={"start_time": "20260302100000", "end_type": "20260302110000"},
            headers={"apiKey": KEY},
        )

    assert answer.status_code == 200
    assert answer.headers["Number-Of-Pages"] == "1"
    assert answer.headers["Number-Of-Results"] == "20"
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == [{"pageNumber": 1, "results": 20, "securityLogs": house.logs}]


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_documented_log_comes_back_as_it_was_sent(house, sample):
    """ES-40 to ES-46: the same keys, types and nesting, and the time as printed."""
    text = (GOLDEN / f"{sample}.in.json").read_bytes()
    tenant = f"golden-{sample}"
    (index,) = house.send([msgspec.json.decode(text)], tenant=tenant)

    answer = house.get(key=house.key_for(tenant), **FOREVER)

    assert index == 0
    assert logs_of(answer) == [msgspec.json.decode(text)]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("ecs.version", id="ES-40: ecs.version"),
        pytest.param("@timestamp", id="ES-40: @timestamp"),
        pytest.param("organization.name", id="ES-40: organization.name"),
        pytest.param("user_agent.os.browser_language", id="ES-41: browser_language"),
        pytest.param("user_agent.os.is_mobile_device", id="ES-41: is_mobile_device"),
        pytest.param("os.family", id="ES-42: os at the root"),
        pytest.param("client.ip", id="ES-42: client.ip"),
        pytest.param("event.action", id="ES-43: event.action"),
        pytest.param("geo.country_name", id="ES-44: geo at the root"),
        pytest.param("url.full", id="ES-45: url.full"),
        pytest.param("service.environment", id="ES-45: service.environment"),
        pytest.param("label.is_co_browsing_on", id="ES-46: a boolean among strings"),
        pytest.param("label.page_index", id="ES-46: an index that is a string"),
    ],
)
def test_a_field_is_where_the_document_has_it(house, path):
    found, expected = logs_of(house.get(start_time=at(0)))[3], house.logs[3]
    for step in path.split("."):
        found, expected = found[step], expected[step]

    assert found == expected
    assert type(found) is type(expected)


def test_nothing_of_ours_stands_in_a_log(house):
    """Index and size of the sealed log travel in the head."""
    answer = house.get(start_time=at(5), end_time=at(9))

    assert [list(one) for one in logs_of(answer)] == [list(one) for one in house.logs[5:9]]
    assert answer.headers["Sealog-First-Index"] == "5"
    assert answer.headers["Sealog-Last-Index"] == "8"
    assert int(answer.headers["Sealog-Tree-Size"]) == 21


def test_a_range_has_its_beginning_and_not_its_end(house):
    """ES-23, ES-24: two that meet give every log once."""
    first = logs_of(house.get(start_time=at(0), end_time=at(7)))
    second = logs_of(house.get(start_time=at(7), end_time=at(20)))

    assert first + second == house.logs
    assert first[-1] == house.logs[6]


@pytest.mark.parametrize("name", ["end_time", "end_type"])
def test_the_end_has_both_its_names(house, name):
    """ES-24."""
    assert logs_of(house.get(start_time=at(0), **{name: at(3)})) == house.logs[:3]


def test_without_an_end_it_goes_up_to_now(serve):
    """ES-24: what says that it will happen tomorrow has not happened yet."""
    house = serve()
    tomorrow = 86_400 + int(time.time()) - 1_772_445_600
    house.send([log(1), log(2, seconds=tomorrow)])

    assert logs_of(house.get(start_time=at(0))) == [log(1)]


@pytest.mark.parametrize(
    ("params", "numbers"),
    [
        pytest.param({}, range(20), id="ES-25: both"),
        pytest.param({"app_type": "player"}, [n for n in range(20) if n % 4], id="ES-25: player"),
        pytest.param({"app_type": "builder"}, range(0, 20, 4), id="ES-09, ES-25: builder"),
    ],
)
def test_one_application_or_both(house, params, numbers):
    answer = house.get(start_time=at(0), **params)

    assert logs_of(answer) == [house.logs[n] for n in numbers]
    assert answer.headers["Number-Of-Results"] == str(len(numbers))


def test_where_there_is_nothing_the_array_is_empty(house):
    """ES-31, ES-32: no page, no result, and 200."""
    for params in ({"start_time": at(5_000)}, {"start_time": at(3), "end_time": at(3)}):
        answer = house.get(**params)

        assert (answer.status_code, answer.content) == (200, b"[]")
        assert answer.headers["Number-Of-Pages"] == "0"
        assert answer.headers["Number-Of-Results"] == "0"
        assert "Sealog-First-Index" not in answer.headers


def test_a_tenant_that_has_no_logs_yet_has_none(serve):
    answer = serve(tenant="somebody-new").get(start_time=at(0))

    assert (answer.status_code, answer.content) == (200, b"[]")


def test_logs_come_in_the_order_in_which_they_were_taken_in(serve):
    """Whatever their times say."""
    house = serve()
    house.send([log(3), log(1)])
    house.app.archive.cut()
    house.send([log(2), log(0)])

    assert logs_of(house.get(start_time=at(0))) == [log(3), log(1), log(2), log(0)]


def test_logs_of_other_dialects_have_the_closest_shape_and_our_own_are_left_out(serve):
    house = serve()
    house.send([log(0)])
    house.send(
        [{"@timestamp": "2026-03-02T10:00:01.000Z", "event": {"action": "x"}}], dialect="ecs"
    )
    house.record("easysend")

    found = logs_of(house.get(start_time=at(0)))

    assert [one["event"]["action"] for one in found] == ["Completed", "x"]
    assert house.app.archive.visible(house.app.tenants.get("easysend")) == 3


class TestKeys:
    @pytest.mark.parametrize("name", ["apiKey", "APIKEY", "apikey"])
    def test_the_key_comes_in_the_header_of_the_document(self, house, name):
        """ES-21: names of headers have no case."""
        answer = house.get(key=None, headers={name: KEY}, start_time=at(0))

        assert len(logs_of(answer)) == 20

    @pytest.mark.parametrize("name", ["X-API-Key", "api-key", "Authorization"])
    def test_it_comes_in_no_other(self, house, name):
        """ES-21, ES-26."""
        answer = house.get(key=None, headers={name: f"Bearer {KEY}"}, start_time=at(0))

        assert problem(answer) == (401, "no-key", "send the key in the header apiKey")

    def test_a_wrong_key_opens_nothing(self, house):
        """ES-26: before anything else is looked at."""
        answer = house.get(key="wrong")

        assert problem(answer)[:2] == (401, "wrong-key")
        assert "wrong" not in answer.json()["detail"].split()

    def test_the_key_is_nobody_elses(self, house):
        """It opens this one door, not ours."""
        answer = httpx.get(
            f"{house.url}/v1/events", headers={"Authorization": f"Bearer {KEY}", "apiKey": KEY}
        )

        assert answer.status_code == 401

    def test_a_key_of_ours_reads_its_own_tenant_and_no_other(self, house):
        house.send([log(7)], tenant="acme")
        house.send([log(8)], tenant="globex")

        assert logs_of(house.get(key=house.key_for("acme"), start_time=at(0))) == [log(7)]
        assert logs_of(house.get(key=house.key_for("globex"), start_time=at(0))) == [log(8)]
        assert len(logs_of(house.get(key=house.secret, start_time=at(0)))) == 20
        answer = house.get(key=house.key_for("acme", "globex"), start_time=at(0))
        assert problem(answer)[:2] == (401, "wrong-key")

    def test_the_variable_of_the_document_holds_the_key(self, serve, monkeypatch):
        """ES-21: it wins over the file."""
        monkeypatch.setenv("EASYSEND_SECURITY_LOGS_API_KEY", "of-the-variable")
        house = serve(key="of-the-file")

        assert house.get(key="of-the-variable", start_time=at(0)).status_code == 200
        assert house.get(key="of-the-file", start_time=at(0)).status_code == 401


@pytest.mark.parametrize(
    ("params", "says"),
    [
        pytest.param({}, "start_time is missing", id="ES-27: no start_time"),
        pytest.param({"start_time": "yesterday"}, "YYYYMMDDHHMMSS", id="ES-27: bad time"),
        pytest.param(
            {"start_time": at(0), "app_type": "x"}, "player or builder", id="ES-27: bad app_type"
        ),
        pytest.param(
            {"start_time": at(1), "end_time": at(0)}, "before start_time", id="a range backwards"
        ),
        pytest.param({"start_time": at(0), "limit": "5"}, "there is no 'limit'", id="unknown"),
    ],
)
def test_what_is_wrong_with_the_parameters_is_said(house, params, says):
    status, code, detail = problem(house.get(**params))

    assert (status, code) == (400, "bad-parameter")
    assert says in detail


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_there_is_no_other_method(house, method):
    """ES-20."""
    answer = house.get(method=method, start_time=at(0))

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"


def test_a_request_is_counted_and_limited_as_every_other(house):
    answer = house.get(headers={"X-Request-Id": "r-4711"}, start_time=at(0))

    assert answer.headers["x-request-id"] == "r-4711"
    assert answer.headers["ratelimit"].startswith('"requests";r=')
    metrics = httpx.get(f"{house.url}/metrics").text
    assert f'sealog_requests_total{{method="GET",route="{PATH}",status="200"}}' in metrics


def test_reading_is_recorded_under_the_key_that_read(serve):
    house = serve()
    house.send([log(n) for n in range(9)])
    house.get(start_time=at(2), end_time=at(5))
    house.get(start_time=at(100))

    ((key, kinds, events, first, last),) = house.reads()
    assert key == "key_of_easysend"
    assert (kinds[Kind.COMPAT], sum(kinds)) == (2, 2)
    assert (events, first, last) == (3, 2, 4)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Three pages of logs, most at rest, some waiting; two seconds for an answer."""
    with serving(tmp_path_factory.mktemp("large") / "data", seconds_max=2.0) as house:
        house.send([log(n) for n in range(20_000)])
        house.app.archive.cut()
        house.send([log(n) for n in range(20_000, 25_000)])
        yield house


def test_pages_hold_ten_thousand_logs_and_the_head_says_how_many(large):
    """ES-30 to ES-34: counted and given from one moment."""
    answer = large.get(start_time=at(0), end_time=at(24_999))

    assert [page["pageNumber"] for page in answer.json()] == [1, 2, 3]
    assert [page["results"] for page in answer.json()] == [10_000, 10_000, 4_999]
    assert [one["label"]["rid"] for one in logs_of(answer)] == [f"r-{n}" for n in range(24_999)]
    assert answer.headers["Number-Of-Pages"] == "3"
    assert answer.headers["Number-Of-Results"] == "24999"


class Slow:
    """Writing takes so long a pack; the event says that it goes on."""

    def __init__(self, monkeypatch):
        self.pack_s = 0.0
        self.packs = 0
        self.fails_at = None
        real = Renderer.lines

        def lines(renderer, *args):
            self.packs += 1
            if self.packs == self.fails_at:
                raise Altered("a file")
            time.sleep(self.pack_s)
            return real(renderer, *args)

        monkeypatch.setattr(Renderer, "lines", lines)


@pytest.fixture
def slow(monkeypatch):
    return Slow(monkeypatch)


def test_a_range_that_cannot_end_is_divided_into_ranges_that_do(large, slow):
    """ES-28: 0.4 ms a log leave room for some thousand."""
    slow.pack_s = 0.05

    answer = large.get(start_time=at(0), end_time=at(6_000))

    assert problem(answer)[:2] == (408, "range-too-long")
    suggested = answer.json()["suggested"]
    found = []
    for one in suggested:
        found += logs_of(large.get(**one))
    assert len(suggested) > 2
    assert [one["label"]["rid"] for one in found] == [f"r-{n}" for n in range(6_000)]


@contextmanager
def connection(house, **params):
    """A request on a connection that takes little at once, answered as far as its head."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        sock.connect((urlsplit(house.url).hostname, urlsplit(house.url).port))
        asked = http.client.HTTPConnection("127.0.0.1")
        asked.sock = sock
        asked.request("GET", f"{PATH}?{urlencode(params)}", headers={"apiKey": KEY})
        with asked.getresponse() as answer:
            yield answer


class TestBrokenOff:
    """ES-28: whoever is cut off MUST see an error, and holds no JSON."""

    def test_who_takes_too_long_is_cut_off(self, large):
        with connection(large, start_time=at(0)) as answer:
            assert (answer.status, answer.getheader("Number-Of-Results")) == (200, "25000")
            begun = answer.read(1_000)
            time.sleep(2.2)
            with pytest.raises(http.client.IncompleteRead) as error:
                answer.read()

        with pytest.raises(msgspec.DecodeError):
            msgspec.json.decode(begun + error.value.partial)
        assert len(error.value.partial) < 20 << 20

    def test_what_takes_us_too_long_is_cut_off(self, large, slow):
        """The first page was quick, and then the disk was not."""
        params = {"start_time": at(0)}
        with httpx.stream(
            "GET", large.url + PATH, params=params, headers={"apiKey": KEY}
        ) as answer:
            assert answer.status_code == 200
            slow.pack_s = 0.2
            with pytest.raises(httpx.RemoteProtocolError):
                answer.read()

    def test_what_is_damaged_ends_it_too(self, large, slow):
        slow.fails_at = 120

        with pytest.raises(httpx.RemoteProtocolError):
            large.get(start_time=at(0))

    def test_what_is_damaged_before_the_head_is_an_error_of_ours(self, large, slow):
        """ES-29: and nothing is told of it."""
        slow.fails_at = 3

        answer = large.get(start_time=at(0))

        assert problem(answer)[:2] == (500, "internal")
        assert "file" not in answer.text


class TestSlowClients:
    """ES-30: they hold neither memory nor threads."""

    def test_who_does_not_read_is_written_no_further(self, large, slow):
        with connection(large, start_time=at(0)) as answer:
            until(lambda: is_still(slow))

            assert answer.status == 200
            assert slow.packs < 100

    def test_whoever_else_asks_is_answered(self, large):
        with ExitStack() as several:
            heads = [
                several.enter_context(connection(large, start_time=at(0))).getheader(name)
                for name in ["Number-Of-Results"] * 12
            ]

            answer = large.get(start_time=at(0), end_time=at(10))

        assert heads == ["25000"] * 12
        assert len(logs_of(answer)) == 10

    def test_who_goes_is_not_worked_for(self, large, slow):
        slow.pack_s = 0.005
        with connection(large, start_time=at(0)):
            pass

        until(lambda: is_still(slow))

        assert slow.packs < 100


def is_still(slow):
    """Nothing was written for a while."""
    before = slow.packs
    time.sleep(0.1)
    return before == slow.packs


def test_more_answers_than_fit_at_once_are_told_to_come_back(large, monkeypatch):
    """ES-29: there is no 503 in the document."""
    monkeypatch.setattr(easysend, "OPEN_MAX", 0)

    answer = large.get(start_time=at(0))

    assert problem(answer)[:2] == (500, "busy")
    assert answer.headers["retry-after"] == "10"


def test_logs_are_kept_for_48_hours_from_their_creation(serve, monkeypatch):
    """ES-35: from then on they are returned by nothing, whenever they happened."""
    real, later = app.clock_us, [0]
    monkeypatch.setattr(app, "clock_us", lambda: real() + later[0])
    house = serve()
    house.send([log(0), log(1)])
    house.app.archive.cut()

    later[0] = (48 * 3_600 - 60) * 1_000_000
    house.send([log(2)])
    before = logs_of(house.get(start_time=at(0)))
    later[0] = 48 * 3_600 * 1_000_000
    after = house.get(start_time=at(0))

    assert before == [log(0), log(1), log(2)]
    assert logs_of(after) == [log(2)]
    assert after.headers["Number-Of-Results"] == "1"
