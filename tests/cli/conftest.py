import pytest
from tests.cli.made import Ran, Served
from typer.testing import CliRunner

from sealog.cli.main import app


@pytest.fixture
def sealog(tmp_path, monkeypatch):
    """Run a command in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    for name in ("SEALOG_DATA", "SEALOG_SERVER", "SEALOG_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*args, stdin=None):
        result = CliRunner().invoke(app, list(map(str, args)), input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server for the whole module; each test uses a tenant of its own."""
    server = Served(tmp_path_factory.mktemp("served") / "data")
    yield server
    assert server.stop() == 0
