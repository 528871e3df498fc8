import os
import socket

import httpx
import pytest
from tests.cli.made import Served, ecs, free_port, lines, script

from sealog.cli.serving import address_of, workers_of
from sealog.errors import Misconfigured


@pytest.mark.parametrize("listen", ["0.0.0.0:8321", "[::]:8321", "192.0.2.7:8321", ":8321"])
def test_keys_never_cross_a_network_in_the_clear(sealog, listen):
    ran = sealog("serve", "--listen", listen)

    assert ran.code == 2
    assert "keys would cross the network in the clear" in ran.err.replace("\n", " ")
    assert "--behind-proxy" in ran.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--listen", "127.0.0.1"), "--listen is ADDRESS:PORT, not '127.0.0.1'"),
        (("--listen", "127.0.0.1:0"), "--listen is ADDRESS:PORT"),
        (("--listen", "127.0.0.1:65536"), "--listen is ADDRESS:PORT"),
        (("--tls-key", "key.pem"), "a TLS certificate and its key go together"),
        (("--tls-certificate", "a.pem", "--tls-key", "b.pem"), "there is no a.pem"),
        (("--config", "none.toml"), "there is no none.toml"),
    ],
    ids=str,
)
def test_what_cannot_be_served_is_a_matter_of_usage(sealog, options, says):
    ran = sealog("serve", *options)

    assert ran.code == 2
    assert says in ran.err


def test_an_address_in_use_is_said(sealog):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        ran = sealog("serve", "--listen", f"127.0.0.1:{port}")

    assert ran.code == 2
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in ran.err
    assert "listening" not in ran.out


def test_nothing_is_made_where_the_address_is_refused(sealog, tmp_path):
    sealog("serve", "--listen", "0.0.0.0:8321")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("listen", "bound"),
    [("127.0.0.1:8321", ("127.0.0.1", 8321)), ("[::1]:1", ("::1", 1)), ("host:80", ("host", 80))],
)
def test_an_address_is_read(listen, bound):
    assert address_of(listen) == bound


@pytest.mark.parametrize("listen", ["", "8321", "host:", "host:x", "host:-1"])
def test_what_is_no_address_is_refused(listen):
    with pytest.raises(Misconfigured):
        address_of(listen)


def test_the_first_start_shows_a_key_and_the_next_none(tmp_path):
    """The key does everything, for every tenant."""
    first = Served(tmp_path / "data")
    with first.client() as client:
        answer = client.post("/v1/events?tenant=acme", content=lines(ecs(1)))
        assert answer.status_code == 200
        assert client.get("/v1/keys").status_code == 200
    assert first.stop() == 0

    second = Served(tmp_path / "data")
    with second.client(first.key) as client:
        shown = client.get("/v1/tenants/acme/events/0").json()
    assert second.stop() == 0

    assert first.key.startswith("slk_")
    assert second.key is None
    assert shown["event"]["id"] == "e-1"


def test_a_configuration_file_says_where_it_listens_and_the_command_line_says_more(tmp_path):
    port = free_port()
    (tmp_path / "sealog.toml").write_text(f"[server]\nlisten = '127.0.0.1:{port}'\n")

    server = Served(tmp_path / "data", "--config", tmp_path / "sealog.toml")

    assert httpx.get(f"{server.url}/healthz").json() == {"status": "ok"}
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/healthz")
    assert server.stop() == 0


def test_a_checkpoint_that_the_logs_do_not_grow_from_stops_the_start(tmp_path):
    """An older copy of the whole folder looks right by itself."""
    for data in ("mine", "other"):
        ran = script(
            "ingest", "-", "--tenant", "acme", "--data", data, cwd=tmp_path, stdin=lines(ecs(1))
        )
        assert ran.code == 0
    [kept] = (tmp_path / "other" / "logs").glob("*/checkpoint")

    ran = script("serve", "--data", "mine", "--against", kept, cwd=tmp_path)

    assert ran.code == 1
    assert "the log to start against" in ran.err
    assert ran.out == ""


def test_a_server_behind_a_proxy_may_listen_everywhere(tmp_path):
    server = Served(tmp_path / "data", "--behind-proxy")

    assert httpx.get(f"{server.url}/readyz").json() == {"status": "ready"}
    assert server.stop() == 0


@pytest.mark.parametrize(
    ("wanted", "cores", "workers"),
    [(None, 1, 0), (None, 2, 3), (None, 3, 4), (None, 16, 4), (0, 16, 0), (1, 1, 1), (7, 2, 7)],
)
def test_one_process_more_than_cores_prepares_unless_a_setting_says_otherwise(
    monkeypatch, wanted, cores, workers
):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))

    assert workers_of(wanted) == workers
