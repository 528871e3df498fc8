import pytest
from tests.cli.made import script

TENANTS = ["demo-chatvisor", "demo-closer", "demo-easysend", "demo-logichub", "demo-supsis"]


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The demo's first run, in a folder of its own."""
    folder = tmp_path_factory.mktemp("demo")
    return folder, script("demo", "--once", cwd=folder)


def test_it_makes_five_tenants_with_history_and_verifies_them(shown):
    _, ran = shown

    assert ran.code == 0, ran.err
    assert all(tenant in ran.out for tenant in TENANTS)
    assert "verified" in ran.out.splitlines()
    assert "UNEXPLAINED 0" in ran.out


def test_it_says_that_nobody_in_it_exists(shown):
    _, ran = shown

    assert "synthetic" in ran.out
    assert "nobody in it exists" in ran.out


def test_a_second_run_shows_the_same_history(shown):
    folder, first = shown

    ran = script("demo", "--once", cwd=folder)

    assert ran.code == 0
    assert "sealog-demo has a history already; it is shown as it is." in ran.out
    rows = [line for line in first.out.splitlines() if "demo-" in line]
    assert len(rows) == 5
    assert all(row in ran.out for row in rows)


def test_what_it_made_is_an_ordinary_folder(shown):
    folder, _ = shown

    ran = script("search", "--data", "sealog-demo", "--tenant", "demo-closer",
                 "--action", "agent.login", "--outcome", "failure", "--json", cwd=folder)  # fmt: skip

    assert ran.code == 0
    assert len(ran.value["events"]) >= 9


def test_it_listens_no_wider_than_serve(sealog, tmp_path):
    ran = sealog("demo", "--listen", "0.0.0.0:8321")

    assert ran.code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("uv", "typed"), [("/usr/bin/uv", "uv run sealog"), (None, "sealog")])
def test_what_it_says_to_type_works_where_it_was_typed(sealog, monkeypatch, uv, typed):
    """In a checkout the command is not on the path."""
    if uv is None:
        monkeypatch.delenv("UV", raising=False)
    else:
        monkeypatch.setenv("UV", uv)

    shown = sealog("demo", "--once").out

    assert f"Look again: {typed} search --data sealog-demo" in shown
