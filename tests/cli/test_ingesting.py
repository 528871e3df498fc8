import gzip

import msgspec
import pytest
import zstandard
from tests.cli.made import ecs, hit, lines

TEN = [ecs(number) for number in range(10)]


def put(folder, name, content):
    (folder / name).write_bytes(content)
    return name


def test_a_file_of_lines_is_taken_in_and_sealed(sealog, tmp_path):
    put(tmp_path, "a.ndjson", lines(*TEN))

    ran = sealog("ingest", "a.ndjson", "--tenant", "acme")

    assert ran == (0, "10 new, 0 already there, 0 refused\n", "")
    [tenant] = sealog("tenants", "list", "--json").value["tenants"]
    assert (tenant["name"], tenant["size"]) == ("acme", 10)
    assert sealog("verify").code == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("lines.ndjson", lines(*TEN)),
        ("lines-without-a-last-newline", lines(*TEN)[:-1]),
        ("array.json", msgspec.json.encode(TEN)),
        ("pretty.json", msgspec.json.format(msgspec.json.encode(TEN), indent=2)),
        ("concatenated.txt", b"".join(map(msgspec.json.encode, TEN))),
        ("page.txt", b"Example 1\n" + b"\n\nAnd:\n".join(
            msgspec.json.format(msgspec.json.encode(one), indent=2) for one in TEN)),
        ("lines.ndjson.gz", gzip.compress(lines(*TEN), mtime=0)),
        ("lines.ndjson.zst", zstandard.compress(lines(*TEN))),
        ("two-frames.zst", zstandard.compress(lines(*TEN[:5])) + zstandard.compress(lines(*TEN[5:]))),
        ("array.json.gz", gzip.compress(msgspec.json.encode(TEN), mtime=0)),
        ("with-a-mark.ndjson", b"\xef\xbb\xbf" + lines(*TEN)),
    ],
    ids=str,
)  # fmt: skip
def test_every_framing_gives_the_same_records(sealog, tmp_path, name, content):
    put(tmp_path, name, content)

    ran = sealog("ingest", name, "--tenant", "acme", "--json")

    assert ran.code == 0
    assert ran.value == {
        "accepted": 10, "repeated": 0, "refused": 0, "not_recorded": 0, "refusals": [], "newest": {"acme": 9},
    }  # fmt: skip


def test_a_hits_envelope_is_one_record_a_hit(sealog, tmp_path):
    envelope = {"took": 3, "hits": {"total": 4, "hits": [hit(number) for number in range(4)]}}
    put(tmp_path, "closer.json", msgspec.json.encode(envelope))

    ran = sealog("ingest", "closer.json", "--dialect", "closer", "--tenant", "acme", "--json")

    assert ran.code == 0
    assert ran.value["newest"] == {"acme": 3}
    found = sealog("search", "--action", "agent.login", "--json").value["events"]
    assert [event["event"]["id"] for event in found] == ["hit-3", "hit-2", "hit-1", "hit-0"]


def test_standard_input_is_a_file_too(sealog):
    ran = sealog("ingest", "-", "--tenant", "acme", stdin=lines(*TEN))

    assert ran.out == "10 new, 0 already there, 0 refused\n"


def test_several_files_are_taken_in_the_order_given(sealog, tmp_path):
    put(tmp_path, "b", lines(ecs(1)))
    put(tmp_path, "a", lines(ecs(2)))

    sealog("ingest", "b", "a", "--tenant", "acme")

    exported = sealog("export", "--tenant", "acme").out.splitlines()
    assert [msgspec.json.decode(line)["event"]["id"] for line in exported] == ["e-1", "e-2"]


def test_a_file_taken_in_again_adds_nothing(sealog, tmp_path):
    without_ids = [{"event": {"action": f"a-{number}"}} for number in range(5)]
    put(tmp_path, "a", lines(*TEN, *without_ids))
    sealog("ingest", "a", "--tenant", "acme")

    again = sealog("ingest", "a", "--tenant", "acme")

    assert again == (0, "0 new, 15 already there, 0 refused\n", "")


def test_a_grown_file_adds_what_is_new(sealog, tmp_path):
    put(tmp_path, "a", lines({"event": {"action": "one"}}))
    sealog("ingest", "a", "--tenant", "acme")
    put(tmp_path, "a", lines({"event": {"action": "one"}}, {"event": {"action": "two"}}))

    grown = sealog("ingest", "a", "--tenant", "acme")

    assert grown.out == "1 new, 1 already there, 0 refused\n"


def test_true_duplicates_in_a_file_stay(sealog, tmp_path):
    """More of them than one request holds, so that they are counted over the whole file."""
    same = {"event": {"action": "pressed"}}
    put(tmp_path, "a", lines(*[same] * 2_500))

    first = sealog("ingest", "a", "--tenant", "acme")
    again = sealog("ingest", "a", "--tenant", "acme")
    put(tmp_path, "a", lines(*[same] * 2_501))
    grown = sealog("ingest", "a", "--tenant", "acme")

    assert first.out == "2500 new, 0 already there, 0 refused\n"
    assert again.out == "0 new, 2500 already there, 0 refused\n"
    assert grown.out == "1 new, 2500 already there, 0 refused\n"


def test_a_bad_record_is_refused_by_name_and_its_neighbours_are_kept(sealog, tmp_path):
    """The number is the file's, not the request's; the exit code says that some were refused."""
    records = [ecs(number) for number in range(1_500)]
    put(tmp_path, "a", lines(*records[:1_200]) + b'{"broken"\n' + lines(*records[1_200:]))

    ran = sealog("ingest", "a", "--tenant", "acme")
    as_json = sealog("ingest", "a", "--tenant", "acme", "--json")

    assert ran.code == 3
    assert ran.out == "1500 new, 0 already there, 1 refused\n"
    assert ran.err.startswith("a record 1200: not JSON: ")
    assert ran.err.count("\n") == 1
    assert as_json.code == 3
    [refusal] = as_json.value["refusals"]
    assert (refusal["file"], refusal["record"], refusal["status"]) == ("a", 1200, 422)
    assert refusal["errors"][0]["detail"].startswith("not JSON: ")


def test_only_the_first_refusals_are_shown(sealog, tmp_path):
    put(tmp_path, "a", lines(ecs(0)) + b'{"broken"\n' * 30 + lines(ecs(1)) * 40)

    ran = sealog("ingest", "a", "--tenant", "acme")

    assert ran.code == 3
    assert len(ran.err.splitlines()) == 21
    assert ran.err.splitlines()[-1] == "and 10 more; --json lists them"


def test_all_refused_is_some_refused(sealog, tmp_path):
    put(tmp_path, "a", lines(ecs(0), ecs(1)))

    ran = sealog("ingest", "a")

    assert ran.code == 3
    assert "no tenant: name one in the request" in ran.err


def test_a_body_without_any_record_is_no_success(sealog, tmp_path):
    put(tmp_path, "a", b"nothing of use\n")

    ran = sealog("ingest", "a", "--tenant", "acme")

    assert ran.code == 1
    assert ran.err.startswith("sealog: a: ")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.gz", gzip.compress(lines(*TEN) * 100, mtime=0)[:-30]),
        ("a.zst", zstandard.compress(lines(*TEN) * 100)[:-30]),
        ("a.gz", b"not compressed"),
    ],
    ids=["gz cut short", "zst cut short", "no gz"],
)
def test_a_compressed_file_that_is_not_whole_is_said(sealog, tmp_path, name, content):
    """An import that ends early without a word would be a gap nobody knows of."""
    put(tmp_path, name, content)

    ran = sealog("ingest", name, "--tenant", "acme")

    assert ran.code == 1
    assert f"{name} is truncated or corrupt" in ran.err


def test_a_missing_file_is_a_failure_in_one_sentence(sealog):
    ran = sealog("ingest", "nowhere.ndjson", "--tenant", "acme")

    assert ran.code == 1
    assert "nowhere.ndjson" in ran.err
    assert "Traceback" not in ran.err


def test_an_unknown_dialect_is_named_with_those_there_are(sealog, tmp_path):
    put(tmp_path, "a", lines(ecs(0)))

    ran = sealog("ingest", "a", "--tenant", "acme", "--dialect", "klingon")

    assert ran.code == 2
    assert "'klingon'" in ran.err
    assert "closer" in ran.err


def test_a_name_that_no_tenant_may_have_is_a_wrong_command(sealog, tmp_path):
    put(tmp_path, "a", lines(ecs(0)))

    ran = sealog("ingest", "a", "--tenant", "a/b")

    assert ran == (2, "", "sealog: a tenant id is 1 to 128 of A-Z a-z 0-9 . _ : @ -\n")


def test_a_server_takes_files_over_the_network_and_seals_them(sealog, served, tmp_path):
    """It ends when the log is signed beyond the last index given."""
    put(tmp_path, "a", lines(*TEN))

    at = ("--server", served.url, "--key", served.key)
    ran = sealog("ingest", "a", "--tenant", "far", "--json", *at)

    assert ran.code == 0
    assert ran.value["newest"] == {"far": 9}
    with served.client() as client:
        path = client.get("/v1/tenants/far").json()["checkpoint"]
        assert client.get(path).text.splitlines()[1] == "10"
    assert not (tmp_path / "sealog-data").exists()


def test_a_key_that_may_only_ingest_is_enough(sealog, served, tmp_path):
    put(tmp_path, "a", lines(*TEN))
    at = ("--server", served.url, "--key")
    sealog("tenants", "create", "narrow", *at, served.key)
    made = sealog(
        "keys", "create", "--tenant", "narrow", "--scope", "ingest", "--json", *at, served.key
    )

    ran = sealog("ingest", "a", "--json", *at, made.value["key"])

    assert ran.code == 0
    assert ran.value["newest"] == {"narrow": 11}
