from sealog.server import operations
from sealog.server.settings import Settings


def test_a_get_needs_a_key_and_tells_its_faults():
    operation = operations.got("events", "One", operations.json_of({"type": "object"}), [])

    assert operation["security"] == [{"bearer": []}, {"basic": []}]
    assert operation["responses"]["200"]["content"] == {
        "application/json": {"schema": {"type": "object"}}
    }
    assert "application/problem+json" in operation["responses"]["default"]["content"]


def test_a_parameter_says_where_it_stands():
    text = operations.some_text()

    assert operations.in_path("id", text)["required"]
    assert "required" not in operations.in_query("q", text, "…")
    assert operations.in_query("old", text, "…", required=True)["required"]
    assert operations.in_header("Last-Event-ID", text, "…")["in"] == "header"


def test_a_page_has_the_limits_of_the_settings():
    schema = operations.limit(Settings(page_max=7, page_default=3))["schema"]

    assert (schema["minimum"], schema["maximum"], schema["default"]) == (1, 7, 3)
