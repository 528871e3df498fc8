from tests.exports.test_jobs import JOB
from tests.server.test_exporting import quay

from sealog.exports import jobs
from sealog.server import asking, exported
from sealog.server.settings import Settings

assert quay


def test_the_document_has_every_member_that_an_answer_has(quay):
    """And no other."""
    answer = quay.post(tenant="alpha").json()

    assert set(exported.EXPORT["properties"]) == set(answer)
    assert set(exported.EXPORT["required"]) <= set(answer)
    assert exported.EXPORT["properties"]["state"]["enum"] == list(jobs.STATES)
    assert JOB.state in jobs.STATES


def test_the_document_has_every_member_that_may_be_asked_for():
    post = exported.paths(Settings())["/v1/exports"]["post"]
    schema = post["requestBody"]["content"]["application/json"]["schema"]

    assert set(schema["properties"]) == asking.FILTERS | asking.SHAPE_NAMES | {
        "tenant",
        "format",
        "columns",
    }
    assert not schema["additionalProperties"]
