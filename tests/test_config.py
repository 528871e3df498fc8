import pytest

from sealog import config
from sealog.errors import Misconfigured


def test_without_a_file_every_setting_has_a_safe_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    settings = config.load()

    assert settings.server.listen == "127.0.0.1:8321"
    assert settings.server.behind_proxy is False
    assert settings.dialects.logichub.day_first is True


def test_a_file_says_what_differs(tmp_path):
    file = tmp_path / "sealog.toml"
    file.write_text('[server]\nlisten = "127.0.0.1:9000"\n[dialects.logichub]\nday_first = false\n')

    settings = config.load(file)

    assert settings.server.listen == "127.0.0.1:9000"
    assert settings.dialects.logichub.day_first is False
    assert settings.ledger.sign_every_s == 1.0


def test_a_variable_wins_over_the_file(tmp_path, monkeypatch):
    file = tmp_path / "sealog.toml"
    file.write_text('[server]\nlisten = "127.0.0.1:9000"\nrequests_per_s = 7\n')
    monkeypatch.setenv("SEALOG_SERVER__LISTEN", "127.0.0.1:9001")

    settings = config.load(file)

    assert settings.server.listen == "127.0.0.1:9001"
    assert settings.server.requests_per_s == 7


def test_the_command_lines_own_variables_are_no_settings(tmp_path, monkeypatch):
    """Whoever follows the first steps has SEALOG_SERVER set, and starts a server all the same."""
    monkeypatch.chdir(tmp_path)
    for name, value in (("SERVER", "http://127.0.0.1:8321"), ("KEY", "slk_x"), ("DATA", "here")):
        monkeypatch.setenv(f"SEALOG_{name}", value)

    assert config.load().server.listen == "127.0.0.1:8321"


def test_a_list_in_a_variable_that_does_not_read_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEALOG_DELIVERY__FOLDERS", "/srv/drop")

    with pytest.raises(Misconfigured, match=r"a list is written as JSON.*delivery"):
        config.load()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[server]\nlisen = 'x'\n", "server.lisen"),
        ("[ledgre]\nsign_every_s = 1\n", "ledgre"),
        ("[ledger]\nsign_every_s = 0\n", "ledger.sign_every_s"),
        ("[server\n", "sealog.toml"),
        ("[server]\nbehind_proxy = 'maybe'\n", "server.behind_proxy"),
        ("[server]\ntrusted_proxies = ['10.0.0.1/8']\n", "server.trusted_proxies.0"),
        ("[server]\nproxy_header = 'x-real-ip'\n", "server.proxy_header"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path, text, named):
    file = tmp_path / "sealog.toml"
    file.write_text(text)

    with pytest.raises(Misconfigured, match=named.replace(".", r"\.")):
        config.load(file)


def test_proxies_are_addresses_and_networks(tmp_path, monkeypatch):
    file = tmp_path / "sealog.toml"
    file.write_text('[server]\ntrusted_proxies = ["10.0.0.0/8", "2001:db8::1"]\n')

    networks = config.load(file).server.trusted_proxies
    monkeypatch.setenv("SEALOG_SERVER__TRUSTED_PROXIES", '["192.0.2.1"]')

    assert [str(network) for network in networks] == ["10.0.0.0/8", "2001:db8::1/128"]
    assert str(config.load(file).server.trusted_proxies[0]) == "192.0.2.1/32"


def test_a_file_that_is_named_must_be_there(tmp_path):
    with pytest.raises(Misconfigured, match="there is no"):
        config.load(tmp_path / "missing.toml")


def test_the_written_file_is_loadable_and_says_nothing_new(tmp_path):
    """Every line of it that sets something is commented out."""
    file = tmp_path / "sealog.toml"
    file.write_text(config.written())

    assert config.load(file) == config.Settings()
