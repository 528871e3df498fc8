import msgspec

from sealog.compat.elastic_errors import Rejected, body, encoded, no_index, unsupported


def test_an_error_has_the_shape_that_clients_of_elasticsearch_read():
    assert body(no_index("nowhere")) == {
        "error": {
            "root_cause": [
                {"type": "index_not_found_exception", "reason": "no such index [nowhere]"}
            ],
            "type": "index_not_found_exception",
            "reason": "no such index [nowhere]",
        },
        "status": 404,
    }


def test_what_is_not_supported_is_named():
    error = unsupported("fuzzy", "ask for a prefix")

    assert error.status == 400
    assert error.detail == "[fuzzy] is not supported by Sealog; ask for a prefix"


def test_an_error_can_be_sent():
    assert msgspec.json.decode(encoded(Rejected("no"))) == body(Rejected("no"))
