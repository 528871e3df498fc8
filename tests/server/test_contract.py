"""The OpenAPI document is pinned, and the API keeps to it."""

from pathlib import Path

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.delivery.fakes import Office
from tests.exports.made import Port
from tests.server.house import House, opened

from sealog.delivery.destination import Parsed
from sealog.errors import Refused
from sealog.server.settings import Settings

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
GOLDEN = Path(__file__).parents[1] / "golden" / "http" / "openapi.json"


def test_the_document_is_the_one_we_agreed_on(house, golden):
    """A change here is a change for every client."""
    text = house.ask("GET", "/openapi.json").content

    golden("http/openapi.json", msgspec.json.format(text, indent=2) + b"\n")


def test_every_operation_has_its_faults_and_a_summary(house):
    document = house.ask("GET", "/openapi.json").json()

    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            assert "application/problem+json" in operation["responses"]["default"]["content"]


class Anywhere:
    """Streams whose destination is a fake, whatever was asked for."""

    def __init__(self, streams):
        self.streams = streams

    def destination(self, body, before=None):
        del before
        if not isinstance(body, dict):
            raise Refused("no", code="bad-destination", pointer="/destination")
        return Parsed({"kind": "fake", "at": "here"}, {}, {"secret": "whsec_x"})


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory):
    """A house with a few events, and a key for everything."""
    port = Port(tmp_path_factory.mktemp("contract") / "data")
    office = Office(None, home=port.home)
    office.start()
    # A tail would never end.
    house = House(
        port.home.store,
        settings=Settings(tail_seconds_max=0.0, wait_seconds_max=1),
        exports=port.exports,
        delivery=Anywhere(office.streams),
    )
    house.tenants.make(["acme", "globex"])
    for name in ("acme", "globex"):
        tenant = house.tenants.get(name)
        house.archive.put(tenant, *[opened(event={"id": f"{name}-{n}"}) for n in range(3)])
        house.ledger.notes[name] = b"log.example/x\n3\nAAAA\n"
    house.secret = house.key("ingest", "read", "export", "admin", "erase")
    house.schema = schemathesis.openapi.from_asgi("/openapi.json", house.app)
    yield house
    office.streams.stop()
    house.close()
    port.close()


# What takes nothing can be sent nothing wrong.
CASES = [
    pytest.param(method.upper(), path, mode, id=f"{method} {path} {mode.value}")
    for path, operations in msgspec.json.decode(GOLDEN.read_bytes())["paths"].items()
    for method, operation in operations.items()
    for mode in GenerationMode
    if mode.is_positive or operation.get("parameters") or operation.get("requestBody")
]
EXAMPLES = 20


@pytest.mark.parametrize(("method", "path", "mode"), CASES)
def test_no_request_makes_the_api_break_its_word(lived_in, method, path, mode):
    """Requests made from the document, and others that go against it, are answered as it says."""
    cases = lived_in.schema[path][method].as_strategy(generation_mode=mode)

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=HealthCheck
    )
    @given(cases)
    def holds(case):
        # No key but ours: its revocation would end the test early.
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {lived_in.secret}"}
        case.call_and_validate(checks=CHECKS)

    holds()
