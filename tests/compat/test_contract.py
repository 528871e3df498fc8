"""The OpenAPI document has the interfaces of the products too, and they keep to it."""

from pathlib import Path

import httpx
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from tests.compat.easysend_house import KEY, log, serving
from tests.server.test_contract import CHECKS, EXAMPLES

from sealog import app
from sealog.compat import contract
from sealog.server.settings import Settings

GOLDEN = Path(__file__).parents[1] / "golden"
ROOMS = ("easysend", "chatvisor", "supsis", "logichub", "elasticsearch")
DESCRIBED = contract.described(Settings())


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A server with a documented sample of each product's events."""
    with serving(tmp_path_factory.mktemp("contract") / "data") as house:
        house.send([log(n) for n in range(3)])
        for dialect in ("chatvisor", "supsis", "logichub", "closer"):
            sample = min((GOLDEN / "dialects" / dialect).glob("*.in.json"))
            record = msgspec.json.decode(sample.read_bytes())
            house.send([record], tenant="acme", dialect=dialect)
        house.key_of_acme = house.key_for("acme")
        house.schema = schemathesis.openapi.from_asgi("/openapi.json", app.api(house.app))
        yield house


def test_what_is_said_of_them_is_what_we_agreed_on(golden):
    """A change here is a change for every client."""
    text = msgspec.json.encode([DESCRIBED.paths, DESCRIBED.schemes])

    golden("http/openapi-products.json", msgspec.json.format(text, indent=2) + b"\n")


def test_every_interface_stands_in_the_document_that_is_served(house):
    document = httpx.get(f"{house.url}/openapi.json").json()
    named = [
        operation["operationId"]
        for operations in document["paths"].values()
        for operation in operations.values()
    ]

    for path, operations in DESCRIBED.paths.items():
        assert document["paths"][path].keys() == operations.keys()
    assert {operation["tags"][0] for path in DESCRIBED.paths for operation in document["paths"][path].values()} == set(ROOMS)  # fmt: skip
    assert len(set(named)) == len(named)
    assert {"apiKey", "bearer", "basic"} <= document["components"]["securitySchemes"].keys()


CASES = [
    pytest.param(method.upper(), path, mode, id=f"{method} {path} {mode.value}")
    for path, operations in DESCRIBED.paths.items()
    for method in operations
    for mode in GenerationMode
]


@pytest.mark.parametrize(("method", "path", "mode"), CASES)
def test_no_request_makes_an_interface_break_its_word(house, method, path, mode):
    """Requests made from the document, and others that go against it, are answered as it says."""
    cases = house.schema[path][method].as_strategy(generation_mode=mode)

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=HealthCheck
    )
    @given(cases)
    def holds(case):
        keys = {"Authorization": f"Bearer {house.key_of_acme}", "apiKey": KEY}
        case.headers = {**(case.headers or {}), **keys}
        case.call_and_validate(checks=CHECKS)

    holds()
