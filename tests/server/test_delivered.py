from tests.server.test_streaming import station

from sealog.delivery import wishes
from sealog.server import delivered
from sealog.server.settings import Settings

assert station


def test_the_document_has_every_member_that_an_answer_has(station):
    """And no other."""
    answer = station.make()

    assert set(delivered.STREAM["properties"]) == set(answer)
    assert set(delivered.STREAM["required"]) <= set(answer)


def test_the_document_has_every_member_that_may_be_wished():
    post = delivered.paths(Settings())["/v1/streams"]["post"]
    schema = post["requestBody"]["content"]["application/json"]["schema"]

    assert set(schema["properties"]) == {*wishes.MEMBERS, "tenant", "from", "paused"}
    assert not schema["additionalProperties"]


def test_every_operation_has_a_name():
    operations = {
        (method, path) for path, found in delivered.paths(Settings()).items() for method in found
    }

    assert operations == set(delivered.names())
