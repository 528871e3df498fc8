"""`sealog settings` and `sealog retention`."""

import msgspec
import pytest
from tests.cli.made import hit, lines


@pytest.fixture
def acme(sealog):
    """A tenant in a data folder of its own."""
    assert sealog("tenants", "create", "acme").code == 0
    return sealog


def settings(sealog, verb, *options):
    return sealog("settings", verb, "--tenant", "acme", *options)


def retention(sealog, verb, *options):
    return sealog("retention", verb, "--tenant", "acme", *options)


def test_who_chose_nothing_sees_the_defaults(acme):
    assert settings(acme, "show").out == "recorded: everything\ndelivery: api\n"
    assert retention(acme, "show").out == "easysend=48h (default)\n*=forever (default)\n"


def test_settings_are_changed_by_options_and_the_others_stay(acme):
    """ES-12, LH-Q12."""
    settings(acme, "set", "--rule", "easysend:Page*=no", "--rule", "closer=yes")
    changed = settings(acme, "set", "--month-first", "--json").value

    assert changed["version"] == 2
    assert changed["recorded"] == [
        {"dialect": "easysend", "action": "Page*", "record": False},
        {"dialect": "closer", "record": True},
    ]
    assert changed["dialects"] == {"logichub": {"day_first": False}}
    assert settings(acme, "show").out.splitlines()[1:] == [
        "recorded: easysend:Page*=no",
        "recorded: closer=yes",
        "delivery: api",
        "logichub dates: month first",
    ]


def test_a_service_is_named_and_its_secret_is_told_once(acme, tmp_path):
    """ES-13."""
    hook = {"kind": "webhook", "url": "https://siem.example/in", "signing": "hmac-sha256"}
    (tmp_path / "wanted.json").write_bytes(msgspec.json.encode({"version": 0, "service": hook}))

    made = settings(acme, "set", "wanted.json", "--delivery", "api-and-service")
    again = settings(acme, "set", "--rule", "easysend:Page*=no")

    assert "secret: whsec_" in made.out
    assert made.err == "the secret is not shown again\n"
    assert "delivery: api-and-service" in again.out
    assert "service: webhook https://siem.example/in\n" in again.out
    assert again.err == ""
    elsewhere = settings(acme, "set", "--webhook", "https://other.example/in")
    assert "service: webhook https://other.example/in\n" in elsewhere.out


def test_what_is_printed_as_json_can_be_sent_back_from_a_file(acme, tmp_path):
    settings(acme, "set", "--rule", ":agent_login=no")
    shown = settings(acme, "show", "--json").value
    (tmp_path / "wanted.json").write_bytes(msgspec.json.encode(shown | {"recorded": []}))

    changed = settings(acme, "set", "wanted.json", "--json").value

    assert (changed["version"], changed["recorded"]) == (2, [])
    again = settings(acme, "set", "-", "--json")
    assert (again.code, again.err) == (
        2,
        "sealog: - is not one JSON object: Input data was truncated\n",
    )


def test_a_file_that_is_based_on_an_old_version_is_refused(acme, tmp_path):
    shown = settings(acme, "show", "--json").value
    settings(acme, "set", "--rule", ":agent_login=no")
    (tmp_path / "old.json").write_bytes(msgspec.json.encode(shown | {"delivery": "api"}))

    ran = settings(acme, "set", "old.json", "--rule", "=yes")

    assert ran.code == 1
    assert "version 1 is in force, not 0" in ran.err


def test_retention_is_changed_by_rules_in_their_order(acme):
    rules = ("--rule", "closer:agent_login*=90d", "--rule", "easysend=P7D", "--rule", "=forever")

    changed = retention(acme, "set", *rules, "--confirm", "--json").value

    assert changed["rules"] == [
        {"dialect": "closer", "action": "agent_login*", "keep": "90d"},
        {"dialect": "easysend", "keep": "7d"},
        {"keep": None},
    ]
    assert retention(acme, "show").out.splitlines()[1:] == [
        "closer:agent_login*=90d",
        "easysend=7d",
        "*=forever",
        "easysend=48h (default)",
        "*=forever (default)",
    ]


def test_the_history_is_lines_or_json(acme):
    settings(acme, "set", "--rule", "easysend=no")
    settings(acme, "set", "--rule", "easysend=yes")

    told = settings(acme, "history")
    listed = settings(acme, "history", "--json").value

    assert told.out.splitlines()[1:3] == ["  recorded: easysend=yes", "  delivery: api"]
    assert [one["version"] for one in listed["versions"]] == [2, 1]
    assert listed["versions"][0]["changed_by"] == "key_of_the_folder"
    assert retention(acme, "history", "--json").value == {"versions": []}


@pytest.mark.parametrize(
    ("verb", "options", "said"),
    [
        ("settings", (), "say what to change: a file, --rule, --delivery …; see --help"),
        ("settings", ("--folder", "/nowhere"), "/service/path: this is in none of the folders"),
        ("settings", ("--rule", "easysend"), "a rule is [DIALECT][:ACTION]=HOW, not 'easysend'"),
        ("settings", ("--rule", "easysend=maybe"), "a type is recorded, yes or no, not 'maybe'"),
        ("settings", ("--delivery", "fax"), "/delivery: delivery is one of api, api-and-service"),
        ("retention", (), "say how long: --rule, or a file"),
        ("retention", ("x.json", "--rule", "=1h"), "a file or --rule, not both"),
        ("retention", ("--rule", "=59m"), "/rules/0/keep: nothing is kept for less than an hour"),
        ("retention", ("--rule", "=7y"), "/rules/0/keep: months and years differ in length"),
    ],
)
def test_what_cannot_be_is_said(acme, verb, options, said):
    ran = acme(verb, "set", "--tenant", "acme", *options)

    assert ran.code == 2
    assert ran.err.startswith(f"sealog: {said}")


def test_what_is_not_recorded_is_told_apart_from_what_is_refused(acme, tmp_path):
    settings(acme, "set", "--rule", "closer:agent_login=no")
    (tmp_path / "x.ndjson").write_bytes(lines(hit(1), hit(2)))

    ran = acme("ingest", "x.ndjson", "--dialect", "closer", "--tenant", "acme")
    counted = acme("ingest", "x.ndjson", "--dialect", "closer", "--tenant", "acme", "--json").value

    assert (ran.code, ran.out) == (0, "0 new, 0 already there, 0 refused, 2 not recorded\n")
    assert (counted["accepted"], counted["not_recorded"]) == (0, 2)


def test_a_dry_run_says_what_would_go_and_when(acme, tmp_path):
    (tmp_path / "x.ndjson").write_bytes(lines(hit(1), hit(2)))
    acme("ingest", "x.ndjson", "--dialect", "closer", "--tenant", "acme")

    told = retention(acme, "dry-run", "--rule", "closer=90d")
    counted = retention(acme, "dry-run", "--rule", "closer=90d", "--json").value
    in_force = retention(acme, "dry-run", "--json").value

    assert told.out.startswith("at once: 0 events\n20")
    assert told.out.endswith(": 2 events\n")
    assert [one["events"] for one in counted["later"]] == [2]
    assert in_force["later"] == []
    assert retention(acme, "show", "--json").value["version"] == 0


def test_what_is_chosen_on_a_server_holds_for_small_and_large_requests(served, sealog):
    """ES-12, in whichever process a request is prepared."""
    where = ("--tenant", "picky", "--server", served.url, "--key", served.key)
    sealog("tenants", "create", "picky", "--server", served.url, "--key", served.key)
    sealog("settings", "set", "--rule", "closer:agent_login=no", *where)
    other = {"_index": "i", "_id": "x", "_source": {"message": {"event.action": "agent_logout"}}}

    with served.client() as client:
        for count in (1, 200):
            body = lines(*[hit(nth) for nth in range(count)], other)
            answer = client.post("/v1/ingest/closer?tenant=picky", content=body)

            *left_out, kept = answer.json()["results"]
            type_ = {"tenant": "picky", "dialect": "closer", "action": "agent_login"}
            assert left_out == [{"not_recorded": type_}] * count
            assert kept["tenant"] == "picky"


def test_it_works_on_a_server_too(served, sealog):
    where = ("--tenant", "chooser", "--server", served.url, "--key", served.key)
    sealog("tenants", "create", "chooser", "--server", served.url, "--key", served.key)

    made = sealog("settings", "set", "--rule", "easysend:Page*=no", *where, "--json").value

    assert made["tenant"] == "chooser"
    assert sealog("settings", "show", *where, "--json").value == made
