import pytest
from tests.server.house import opened

NOTE = "log.example/x\n1\nAAAA\n\n— log.example/x AAAA\n".encode()


@pytest.fixture
def sealed(house):
    """acme has a checkpoint, a tile, a partial tile and a bundle."""
    house.ledger.notes["acme"] = NOTE
    house.ledger.tiles = {
        ("acme", "tile/0/000"): b"full",
        ("acme", "tile/1/x001/234.p/17"): b"part",
        ("acme", "tile/entries/000.p/5"): b"entries",
    }
    house.archive.put(house.tenants.get("acme"), opened(event={"id": "a"}))
    return house


def log_of(house, name="acme"):
    return f"/logs/{house.tenants.get(name).log_id}"


def test_a_checkpoint_is_text_that_is_asked_for_anew_each_time(sealed):
    answer = sealed.ask("GET", log_of(sealed) + "/checkpoint", key=sealed.key("read"))

    assert answer.status_code == 200
    assert answer.content == NOTE
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/tile/0/000", b"full"),
        ("/tile/1/x001/234.p/17", b"part"),
        ("/tile/entries/000.p/5", b"entries"),
    ],
)
def test_a_tile_is_bytes_that_never_change(sealed, path, content):
    answer = sealed.ask("GET", log_of(sealed) + path, key=sealed.key("export"))

    assert answer.status_code == 200
    assert answer.content == content
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "path",
    [
        "/tile/0/001", "/tile/00/000", "/tile/64/000", "/tile/0/1", "/tile/0/000.p/0",
        "/tile/0/000.p/256", "/tile/0/x000/000", "/tile/entries/000", "/tile/data/000", "/checkpoints",
        "/", "/tile/0/%2e%2e/0/000", "/entries", "/hashes-1",
    ],
)  # fmt: skip
def test_what_is_not_there_is_a_404_and_nothing_else(sealed, path):
    """tlog-tiles clients take only 404 for "does not exist"."""
    answer = sealed.ask("GET", log_of(sealed) + path, key=sealed.key("read"))

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_log_without_entries_has_no_checkpoint(sealed):
    answer = sealed.ask("GET", log_of(sealed, "globex") + "/checkpoint", key=sealed.key("read"))

    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/no-checkpoint"


def test_a_log_is_behind_its_tenants_key(sealed):
    path = log_of(sealed) + "/checkpoint"
    nowhere = "/logs/" + "0" * 32 + "/checkpoint"
    others = sealed.key("read", tenants=["globex"])

    assert sealed.ask("GET", path).status_code == 401
    assert sealed.ask("GET", nowhere).status_code == 401
    assert sealed.ask("GET", path, key=others).status_code == 404
    assert sealed.ask("GET", nowhere, key=others).status_code == 404
    assert sealed.ask("GET", path, key=sealed.key("read", tenants=["acme"])).status_code == 200


def test_a_public_log_needs_no_key(sealed):
    sealed.tenants.set_public("acme", public=True)

    note = sealed.ask("GET", log_of(sealed) + "/checkpoint")
    tile = sealed.ask("GET", log_of(sealed) + "/tile/0/000")

    assert (note.status_code, note.content) == (200, NOTE)
    assert note.headers["cache-control"] == "public, no-cache"
    assert tile.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert sealed.ask("GET", log_of(sealed, "globex") + "/checkpoint").status_code == 401


def test_head_answers_as_get_does_without_the_body(sealed):
    answer = sealed.ask("HEAD", log_of(sealed) + "/tile/0/000", key=sealed.key("read"))

    assert answer.status_code == 200
    assert answer.headers["content-length"] == "4"
    assert answer.content == b""


def test_a_proof_is_a_file(sealed):
    path = "/v1/tenants/acme/events/0/proof"

    answer = sealed.ask("GET", path, key=sealed.key("read"))

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"tenant": "acme", "index": 0, "parts": 1}
    name = f"sealog-proof-{sealed.tenants.get('acme').log_id[:8]}-0.json"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'


def test_there_is_no_proof_of_what_is_not_there(sealed):
    answer = sealed.ask("GET", "/v1/tenants/acme/events/1/proof", key=sealed.key("read"))

    assert answer.status_code == 404


def test_a_consistency_proof_is_its_hashes(sealed):
    path = "/v1/tenants/acme/consistency?old=3&new=7"

    answer = sealed.ask("GET", path, key=sealed.key("read"))

    assert answer.json() == {
        "old": 3,
        "new": 7,
        "hashes": [
            "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=",
            "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
        ],
    }


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("old=3", 422), ("new=3", 422), ("old=7&new=3", 422), ("old=x&new=3", 422),
        ("old=1&new=2&more=3", 422), ("old=1&new=10", 404),
    ],
)  # fmt: skip
def test_a_consistency_proof_needs_two_sizes_that_are_signed(sealed, query, status):
    path = f"/v1/tenants/acme/consistency?{query}"

    assert sealed.ask("GET", path, key=sealed.key("read")).status_code == status
