import pytest
from tests.dialects.samples import GOLDEN, at, codes, draft_of, sent_of

from sealog.catalog.shelf import load
from sealog.dialects import registry
from sealog.dialects.dialect import Settings
from sealog.errors import Refused
from sealog.wire import framing


def event(type_="FlowCreated", details=None, *, category="Flow", **over):
    sent = {
        "time": "2019-09-25T23:40:02.695Z",
        "category": category,
        "type": type_,
        "actor": "vivian@example.com",
        "details": {"status": "SUCCESS", **(details or {})},
        **over,
    }
    return draft_of("logichub", sent)


def sample(name):
    return draft_of("logichub", (GOLDEN / "logichub" / f"{name}.in.json").read_bytes())


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(
            "UserLoginSuccess UserLoginFailed UserLogoutSuccess UserPasswordResetSuccess"
            " UserPasswordResetFailed UserCreateSuccess UserCreateFailed UserDeleteSuccess"
            " UserDeleteFailed UserPrivilegeChange UserEmailChanged UserGroupsChanged"
            " UserGroupCreateSuccess UserGroupCreateFailed UserGroupDeleteSuccess"
            " UsersAdditionToGroupSuccess UserGroupUsersChanged UserGroupNameChanged"
            " UserGroupPermissionChanged UserAccountLocked",
            id="LH-10-LH-11",
        ),
        pytest.param("FlowPublished FlowCreated FlowModified FlowDeleted", id="LH-20"),
        pytest.param("PythonScriptAdded PythonScriptDeleted", id="LH-30"),
        pytest.param(
            "BatchExecuted EventsIngested AlertTriageNodeExecuted NodeDeleted NodeAdded"
            " HumanTriggeredFlow FlowExported",
            id="LH-40",
        ),
        pytest.param("CaseCreated CaseClosed CaseCurrentStatus CaseModified", id="LH-50"),
        pytest.param(
            "IntegrationCurrentStatus IntegrationConnectionDeleted IntegrationConnectionCreated",
            id="LH-60",
        ),
        pytest.param(
            "CustomListCreated CustomListDeleted CustomListRowEdited CustomListDataEdited",
            id="LH-70",
        ),
    ],
)
def test_every_sample_is_known_and_its_details_stand_to_the_letter(names):
    """LH-01, LH-02, X-01."""
    for name in names.split():
        draft = sample(name)

        assert draft.known
        assert draft.action == name
        assert draft.at_us is not None
        assert isinstance(at(draft, "logichub.category"), str)
        assert "status" in at(draft, "logichub.details")
        assert at(draft, "event.provider") == "logichub"


def test_every_type_has_an_alias_of_its_own():
    """The document has 44 of them."""
    names = {path.name.partition(".")[0] for path in (GOLDEN / "logichub").glob("*.in.json")}
    drafts = [sample(name) for name in sorted(names)]

    assert len(drafts) == 48
    assert len({draft.action for draft in drafts}) == len({draft.alias for draft in drafts}) == 44


def test_the_structure_printed_first_is_a_login():
    """LH-01: it repeats the first sample in another order of keys."""
    assert at(sample("structure"), "logichub") == at(sample("UserLoginSuccess"), "logichub")


@pytest.mark.parametrize(
    ("status", "outcome", "found"),
    [
        ("SUCCESS", "success", []),
        ("FAILURE", "failure", []),
        ("FAILED", "failure", []),
        ("failed", "failure", []),
        ("PENDING", "unknown", ["unknown-status"]),
        (None, "unknown", []),
        (7, "unknown", ["unknown-status"]),
        ({"code": 1}, "unknown", ["unknown-status"]),
    ],
)
def test_status_words_become_outcomes(status, outcome, found):
    """LH-03, LH-Q1, X-04: three words for two outcomes."""
    draft = event(details={"status": status})

    assert at(draft, "event.outcome") == outcome
    assert at(draft, "logichub.details.status") == status
    assert codes(draft) == found


@pytest.mark.parametrize(
    ("type_", "category"),
    [
        ("PythonScriptAdded", "UserAccounts"),
        ("PythonScriptAdded", "Script"),
        ("BatchExecuted", "FlowExecutions"),
        ("BatchExecuted", "FlowExecution"),
        ("CustomListCreated", "CustomLists"),
        ("CustomListCreated", "CustomList"),
    ],
)
def test_a_category_may_be_spelled_as_printed_or_as_seen(type_, category):
    """LH-Q2."""
    draft = event(type_, category=category)

    assert draft.known
    assert at(draft, "logichub.category") == category
    assert codes(draft) == []


@pytest.mark.parametrize("category", ["Integration", "", None, 7])
def test_a_category_that_the_type_never_had_is_found(category):
    """LH-Q2."""
    draft = event("FlowCreated", category=category)

    assert draft.known
    assert at(draft, "logichub.category") == category
    assert codes(draft) == ["unknown-category"]


@pytest.mark.parametrize(
    ("type_", "key"),
    [
        pytest.param("UserCreateSuccess", "newUsernameCreated", id="LH-Q3-documented"),
        pytest.param("UserCreateSuccess", "newUserNameCreated", id="LH-Q3-seen"),
        pytest.param("UserDeleteSuccess", "deletedUserName", id="LH-Q4-documented"),
        pytest.param("UserDeleteFailed", "deleteUserName", id="LH-Q4-seen"),
        pytest.param("UserCreateFailed", "newUserName", id="LH-Q5-documented"),
        pytest.param("UserCreateFailed", "newUsername", id="LH-Q5-seen"),
        pytest.param("UserPasswordResetSuccess", "resetUsername", id="reset"),
        pytest.param("UserPrivilegeChange", "editedUsername", id="edited"),
        pytest.param("UserGroupsChanged", "username", id="groups"),
    ],
)
def test_the_person_it_was_done_to_is_the_target_in_every_spelling(type_, key):
    status = "FAILED" if type_.endswith("Failed") else "SUCCESS"

    draft = event(type_, {key: "hlee", "status": status}, category="UserAccounts")

    assert at(draft, "user.target") == {"name": "hlee"}
    assert at(draft, f"logichub.details.{key}") == "hlee"
    assert codes(draft) == []


def test_a_target_with_an_e_mail_address_has_it_twice():
    draft = event("UserGroupsChanged", {"username": "h@example.com"}, category="UserAccounts")

    assert at(draft, "user.target") == {"name": "h@example.com", "email": "h@example.com"}


def test_a_changed_e_mail_address_stands_before_and_after():
    """LH-10."""
    draft = event(
        "UserEmailChanged",
        {"oldEmail": "old@example.com", "newEmail": "new@example.com", "editedUsername": "ritesh"},
        category="UserAccounts",
    )

    assert at(draft, "user.target") == {"name": "ritesh", "email": "old@example.com"}
    assert at(draft, "user.changes") == {"email": "new@example.com"}


@pytest.mark.parametrize("key", ["countToDo", "countTodo"])
def test_a_count_stays_under_the_name_it_came_with(key):
    """LH-Q6."""
    draft = event("CaseCurrentStatus", {key: "95"}, category="CaseManagement")

    assert at(draft, f"logichub.details.{key}") == "95"
    assert (f"logichub.details.{key}", 0) in draft.declared


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("UserPasswordResetSuccess", "resetRole", "user"),
        ("UserCreateSuccess", "newUserNameCreated", "hlee"),
        ("UserCreateSuccess-2", "newUsernameCreated", "hlee"),
        ("UserCreateFailed", "newUsername", "hlee"),
        ("CaseClosed", "timeTaken", "17588929"),
        ("CaseCurrentStatus", "countProgress", "10"),
    ],
)
def test_the_samples_that_are_no_json_are_understood_once_repaired(name, key, value):
    """LH-Q7: values without quotes, commas missing; the wire repairs, the dialect reads."""
    assert at(sample(name), f"logichub.details.{key}") == value


def test_a_value_printed_without_quotes_is_understood_and_said_to_be_repaired():
    """LH-Q7: as it comes over the wire."""
    (record,) = framing.split(
        b'{"category":"UserAccounts","type":"UserPasswordResetSuccess","actor":"admin",'
        b'"details":{"resetUsername": h@example.com,"status":"SUCCESS"}}'
    )

    draft = registry.of("logichub", load()).translate(record, Settings())

    assert at(draft, "user.target") == {"name": "h@example.com", "email": "h@example.com"}
    assert codes(draft) == ["repaired-unquoted-value", "no-time"]


def test_of_equal_keys_the_first_stands_and_all_are_kept():
    """LH-Q8: the second was meant as `newPermissions`; most parsers would keep only that."""
    draft = sample("UserGroupPermissionChanged")

    assert at(draft, "logichub.details.oldPermissions") == ["User Management => List"]
    assert sent_of(draft)["logichub.details.oldPermissions"] == [
        ["User Management => List"],
        ["Playbook => Admin"],
    ]


def test_a_new_name_under_the_wrong_key_stays_there():
    """LH-Q9."""
    assert at(sample("UserGroupNameChanged"), "logichub.details.newUsers") == "coder"


def test_lists_under_the_wrong_keys_stay_there_and_name_no_target():
    """LH-Q10: groups under `oldUsers`, users under `groups`."""
    changed, added = sample("UserGroupsChanged"), sample("UsersAdditionToGroupSuccess")

    assert at(changed, "logichub.details.oldUsers") == ["ritesh", "admin"]
    assert at(added, "logichub.details.groups") == ["ritesh", "rakesh"]
    assert at(added, "user.target") is None


def test_a_status_that_contradicts_the_type_counts_and_is_found():
    """LH-Q11, X-04."""
    draft = sample("UserCreateSuccess-2")

    assert at(draft, "event.outcome") == "failure"
    assert codes(draft) == ["outcome-contradicts-type"]


def test_without_a_status_the_types_name_tells_the_outcome():
    draft = event("UserLoginFailed", {"status": None}, category="UserAccounts")

    assert at(draft, "event.outcome") == "failure"


@pytest.mark.parametrize(
    ("written", "day_first", "text", "found"),
    [
        ("2019-09-25T23:40:02.695Z", True, "2019-09-25T23:40:02.695Z", []),
        ("11/03/2020 12:10:59+05:30", True, "2020-03-11T06:40:59.000Z", ["ambiguous-date"]),
        ("11/03/2020 12:10:59+05:30", False, "2020-11-03T06:40:59.000Z", ["ambiguous-date"]),
        ("25/03/2020 12:10:59+05:30", True, "2020-03-25T06:40:59.000Z", []),
        ("06/10/2020 06:28:42 +05.5:30", True, "2020-10-06T00:58:42.000Z",
         ["ambiguous-date", "bad-offset"]),
        ("06/10/2020 06:28:42 +05.5:30", False, "2020-06-10T00:58:42.000Z",
         ["ambiguous-date", "bad-offset"]),
    ],
)  # fmt: skip
def test_times_are_read_by_the_setting_and_kept_as_sent(written, day_first, text, found):
    """LH-Q12, X-05: an order of day and month that only a setting can tell, and half an offset."""
    sent = {"time": written, "category": "Flow", "type": "FlowCreated", "details": {}}

    draft = draft_of("logichub", sent, day_first=day_first)

    assert draft.at_text == text
    assert sent_of(draft).get("@timestamp", written) == written
    assert codes(draft) == found


@pytest.mark.parametrize("case_id", ["283", 12])
def test_numbers_stay_the_tokens_they_are(case_id):
    """LH-Q13: an id as a string here and a number there, metrics as strings, a version not."""
    draft = event("CaseModified", {"caseId": case_id}, category="CaseManagement")

    assert at(draft, "logichub.details.caseId") == case_id
    assert at(sample("FlowPublished"), "logichub.details.version") == 23
    assert at(sample("BatchExecuted"), "logichub.details.noOfResults") == "15278"


@pytest.mark.parametrize(
    ("end", "took", "found"),
    [
        ("1569575400206", "10830", ["inconsistent-duration"]),
        ("1569575411036", "10830", []),
        (1569575411036, 10830, []),
        ("later", "10830", []),
    ],
)
def test_a_duration_that_its_times_contradict_is_found(end, took, found):
    """LH-Q14: documented as the difference of the two."""
    draft = event(
        "BatchExecuted",
        {"batchStartTime": "1569575400206", "batchEndTime": end, "executionTime": took},
        category="FlowExecutions",
    )

    assert codes(draft) == found


@pytest.mark.parametrize(
    ("over", "user", "kind"),
    [
        ({"actor": "vivian@example.com"},
         {"name": "vivian@example.com", "email": "vivian@example.com"}, "user"),
        ({"actor": "admin"}, {"name": "admin"}, "user"),
        ({"actor": None}, None, "absent"),
        ({"actor": {"username": "admin", "shift": 2}}, {"name": "admin"}, "user"),
        ({"actor": [1]}, None, "absent"),
    ],
)  # fmt: skip
def test_an_actor_may_be_an_address_a_name_or_nobody(over, user, kind):
    """LH-Q15, X-02."""
    draft = event(**over)

    assert at(draft, "user") == user
    assert at(draft, "sealog.actor.kind") == kind


def test_an_actor_who_is_no_string_is_kept_with_a_finding():
    draft = event(actor={"username": "admin", "shift": 2})

    assert at(draft, "logichub.actor") == {"username": "admin", "shift": 2}
    assert codes(draft) == ["wrong-type"]


def test_the_samples_of_lists_have_no_actor():
    """LH-Q15."""
    draft = sample("CustomListCreated")

    assert at(draft, "sealog.actor.kind") == "absent"
    assert "user" not in draft.tree


def test_a_deletion_that_carries_old_and_new_data_is_found():
    """LH-Q16."""
    assert codes(sample("IntegrationConnectionDeleted")) == []
    assert codes(sample("IntegrationConnectionDeleted-2")) == ["type-contradicts-data"]


def test_a_sample_printed_twice_is_the_same_event_twice():
    """LH-Q17."""
    assert sample("CaseModified") == sample("CaseModified-2")


@pytest.mark.parametrize(
    ("type_", "details", "found"),
    [
        pytest.param("CustomListRowEdited", {"action": "EDITED"}, ["undocumented-value"],
                     id="LH-Q18"),
        pytest.param("CustomListDataEdited", {"action": "REPLACED"}, [], id="listed"),
        pytest.param("FlowModified", {"modifiedType": "FlowRename"}, [], id="LH-Q19"),
        pytest.param("FlowModified", {"modifiedType": "flowRename"}, [], id="LH-Q19-prose"),
        pytest.param("FlowModified", {"modifiedType": "FlowMoved"}, ["undocumented-value"],
                     id="unlisted"),
        pytest.param("FlowModified", {"modifiedType": ["FlowRename"]}, ["undocumented-value"],
                     id="array"),
    ],
)  # fmt: skip
def test_a_value_outside_a_documented_list_is_found(type_, details, found):
    category = "Flow" if type_.startswith("Flow") else "CustomLists"

    assert codes(event(type_, details, category=category)) == found


@pytest.mark.parametrize(
    ("name", "key"),
    [("NodeAdded", "nodeId"), ("NodeDeleted", "nodeIds"), ("PythonScriptAdded", "name"),
     ("PythonScriptDeleted", "names"), ("FlowExported", "flowIds")],
)  # fmt: skip
def test_singular_and_plural_stay_apart(name, key):
    """LH-Q19."""
    assert key in at(sample(name), "logichub.details")


def test_rows_keep_their_values_whatever_the_schema_calls_them():
    """LH-Q20: `bigint` in the schema, a string in the rows."""
    draft = sample("CustomListRowEdited")

    assert at(draft, "logichub.details.before.__lhub_inserted_time__") == "1584491009298"


def test_messages_stay_as_they_are_worded():
    """LH-Q21."""
    assert at(sample("UserCreateFailed"), "logichub.details.message") == "user"
    assert at(sample("UserLoginFailed"), "logichub.details.message") == "Incorrect Password"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("CaseCurrentStatus", "state"),
        ("IntegrationCurrentStatus", "state"),
        ("EventsIngested", "metric"),
        ("BatchExecuted", "metric"),
    ],
)
def test_states_and_metrics_are_no_users_doing(name, kind):
    """LH-Q22, X-02: they must not count as what a person did."""
    draft = sample(name)

    assert at(draft, "event.kind") == kind
    assert at(draft, "sealog.actor.kind") == "system"


def test_a_record_has_no_id_of_its_own():
    """LH-Q23: the id is derived where the record is sealed."""
    assert all(sample(name).id is None for name in ("UserLoginSuccess", "CustomListCreated"))


@pytest.mark.parametrize("details", ["text", 7, ["a"], True])
def test_details_that_are_no_object_are_kept_with_a_finding(details):
    draft = draft_of("logichub", {"type": "FlowCreated", "category": "Flow", "details": details})

    assert at(draft, "logichub.details") == details
    assert codes(draft) == ["no-time", "wrong-type"]


def test_a_time_as_a_number_is_understood_and_found():
    draft = event(time=1569454802695)

    assert draft.at_text == "2019-09-25T23:40:02.695Z"
    assert sent_of(draft)["@timestamp"] == 1569454802695
    assert codes(draft) == ["wrong-type"]


def test_an_action_of_sealogs_own_is_refused():
    with pytest.raises(Refused) as refusal:
        event("sealog.hold")

    assert refusal.value.code == "reserved-action"
