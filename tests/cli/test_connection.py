import httpx
import msgspec
import pytest
from tests.cli.made import Served, ecs, free_port, lines

from sealog import app
from sealog.cli.connection import checked
from sealog.errors import Misconfigured, Refused

READING = [
    ("search", "--json"),
    ("export", "--tenant", "acme"),
    ("tenants", "list"),
    ("keys", "list"),
    ("prove", "--tenant", "acme", "--index", "0"),
    ("verify",),
]
WRITING = [
    ("ingest", "-", "--tenant", "acme"),
    ("tenants", "create", "other"),
    ("keys", "create"),
    ("keys", "revoke", "key_1"),
    ("serve",),
]


@pytest.fixture(scope="module")
def owned(tmp_path_factory):
    """A data folder that a running server owns, with ten events of acme, signed."""
    data = tmp_path_factory.mktemp("owned") / "data"
    server = Served(data)
    with server.client() as client:
        sent = lines(*[ecs(number) for number in range(10)])
        assert client.post("/v1/events?tenant=acme", content=sent).status_code == 200
        path = client.get("/v1/tenants/acme").json()["checkpoint"]
        while not client.get(path).is_success:
            pass
    yield data
    assert server.stop() == 0


@pytest.mark.parametrize("command", READING, ids=lambda command: command[0])
def test_reading_works_beside_a_server(sealog, owned, command):
    ran = sealog(*command, "--data", owned)

    assert ran.code == 0, ran.err


def test_what_the_server_has_is_what_is_read(sealog, owned):
    exported = sealog("export", "--tenant", "acme", "--data", owned).out.splitlines()

    found = [msgspec.json.decode(line)["event"]["id"] for line in exported]
    assert found == [f"e-{number}" for number in range(10)]


@pytest.mark.parametrize("command", WRITING, ids=lambda command: " ".join(command[:2]))
def test_writing_says_who_owns_the_folder_and_what_to_do(sealog, owned, command):
    ran = sealog(*command, "--data", owned, stdin=lines(ecs(1)))

    assert ran.code == 2
    assert f"{owned} is in use by process " in ran.err
    assert "use --server with its address, or stop it" in ran.err


def test_writing_works_again_when_the_owner_is_gone(sealog, tmp_path):
    with app.running(tmp_path / "sealog-data"):
        assert sealog("tenants", "create", "acme").code == 2

    assert sealog("tenants", "create", "acme").code == 0


@pytest.mark.parametrize("command", READING[:-1], ids=lambda command: command[0])
def test_reading_does_not_make_a_folder(sealog, tmp_path, command):
    """A typing error in a path must not look like an empty trail."""
    ran = sealog(*command)

    assert ran == (2, "", "sealog: sealog-data is not a data folder: it has no FORMAT\n")
    assert list(tmp_path.iterdir()) == []


def test_a_key_goes_with_a_server(sealog):
    ran = sealog("search", "--key", "slk_x")

    assert ran == (2, "", "sealog: --key goes with --server: a data folder needs none\n")


@pytest.mark.parametrize("url", ["127.0.0.1:8321", "ftp://x", "http://"])
def test_a_server_is_named_by_its_url(sealog, url):
    ran = sealog("search", "--server", url)

    assert ran.code == 2
    assert "--server is a URL such as http://127.0.0.1:8321" in ran.err


def test_a_server_that_does_not_answer_is_a_failure(sealog):
    ran = sealog("search", "--server", f"http://127.0.0.1:{free_port()}")

    assert ran.code == 1
    assert "does not answer" in ran.err


def test_a_wrong_key_is_a_failure(sealog, served):
    ran = sealog("search", "--server", served.url, "--key", "slk_wrong")

    assert ran.code == 1
    assert "(HTTP 401)" in ran.err


def test_server_and_key_may_stand_in_variables(sealog, served, monkeypatch):
    """So that a key is in no shell's history."""
    monkeypatch.setenv("SEALOG_SERVER", served.url + "/")
    monkeypatch.setenv("SEALOG_KEY", served.key)

    assert sealog("tenants", "create", "by-variable").out == "tenant by-variable\n"
    with served.client() as client:
        assert client.get("/v1/tenants/by-variable").status_code == 200


def test_work_on_a_folder_leaves_no_key_behind(sealog):
    sealog("ingest", "-", "--tenant", "acme", stdin=lines(ecs(1)))

    assert sealog("keys", "list", "--json").value == {"keys": []}


def test_a_problem_is_told_in_its_own_words():
    problem = {"title": "No", "detail": "what is wrong", "errors": [{"pointer": "/a/0"}]}

    with pytest.raises(Misconfigured, match=r"^/a/0: what is wrong \(HTTP 422\)$"):
        checked(httpx.Response(422, json=problem))
    with pytest.raises(Refused, match=r"^/a/0: what is wrong \(HTTP 404\)$"):
        checked(httpx.Response(404, json=problem))


def test_an_answer_that_is_no_problem_document_is_shown_as_it_is():
    """A proxy in front speaks in its own way."""
    with pytest.raises(Refused, match=r"^Bad Gateway \(HTTP 502\)$"):
        checked(httpx.Response(502, text="Bad Gateway"))
