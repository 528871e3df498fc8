"""The 44 types of LogicHub's "Audit Events", with the fields that their samples print."""

import pytest

from sealog.catalog import shelf
from sealog.event.parts import FACTS, TARGET

USER_ACCOUNTS = {
    "UserLoginSuccess": ["needsPasswordReset", "actorRole", "authenticationType"],
    "UserLoginFailed": ["message"],
    "UserLogoutSuccess": ["actorRole", "authenticationType"],
    "UserPasswordResetSuccess": ["actorRole", "resetUsername", "resetRole"],
    "UserPasswordResetFailed": ["message"],
    "UserCreateSuccess": [
        "authenticationType",
        "newUsernameCreated",
        "newUserNameCreated",
        "role",
    ],
    "UserCreateFailed": [
        "authenticationType",
        "actorRole",
        "newUsername",
        "newUserName",
        "message",
    ],
    "UserDeleteSuccess": ["actorRole", "deletedUserName"],
    "UserDeleteFailed": ["actorRole", "deletedUserName", "deleteUserName"],
    "UserPrivilegeChange": ["editedUsername", "oldRole", "newRole"],
    "UserEmailChanged": ["oldEmail", "newEmail", "editedUsername"],
    "UserGroupsChanged": ["username", "oldUsers", "newUsers"],
    "UserGroupCreateSuccess": ["name", "users", "permission"],
    "UserGroupCreateFailed": ["name", "users", "permission", "message"],
    "UserGroupDeleteSuccess": ["name"],
    "UsersAdditionToGroupSuccess": ["name", "groups"],
    "UserGroupUsersChanged": ["name", "oldUsers", "newUsers"],
    "UserGroupNameChanged": ["oldName", "newUsers"],
    "UserGroupPermissionChanged": ["name", "oldPermissions"],
    "UserAccountLocked": ["message"],
}
FLOW = {
    "FlowPublished": ["flowId", "version"],
    "FlowCreated": ["flowId"],
    "FlowModified": ["flowId", "modifiedType", "oldData", "newData"],
    "FlowDeleted": ["flowId"],
}
SCRIPT = {"PythonScriptAdded": ["name"], "PythonScriptDeleted": ["names"]}
FLOW_EXECUTIONS = {
    "BatchExecuted": [
        "flowId",
        "streamId",
        "batchStartTime",
        "batchEndTime",
        "noOfResults",
        "executionTime",
        "nodeCount",
    ],
    "EventsIngested": ["size"],
    "AlertTriageNodeExecuted": [],
    "NodeDeleted": ["flowId", "nodeIds"],
    "NodeAdded": ["flowId", "nodeId"],
    "HumanTriggeredFlow": ["flowId", "nodeId"],
    "FlowExported": ["flowIds"],
}
CASE_MANAGEMENT = {
    "CaseCreated": ["caseId", "title"],
    "CaseClosed": ["caseId", "title", "timeTaken"],
    "CaseCurrentStatus": ["countDone", "countToDo", "countTodo", "countProgress"],
    "CaseModified": ["caseId"],
}
INTEGRATION = {
    "IntegrationCurrentStatus": ["integrationCount", "connectionCount"],
    "IntegrationConnectionDeleted": ["label", "oldData", "newInstanceData"],
    "IntegrationConnectionCreated": ["label", "data", "descriptorId"],
}
CUSTOM_LISTS = {
    "CustomListCreated": ["name", "schema"],
    "CustomListDeleted": ["name"],
    "CustomListRowEdited": ["name", "before", "after", "action"],
    "CustomListDataEdited": ["name", "action"],
}
GROUPS = [
    pytest.param("UserAccounts", (), USER_ACCOUNTS, id="LH-10"),
    pytest.param("Flow", (), FLOW, id="LH-20"),
    pytest.param("UserAccounts", ("Script",), SCRIPT, id="LH-30"),
    pytest.param("FlowExecutions", ("FlowExecution",), FLOW_EXECUTIONS, id="LH-40"),
    pytest.param("CaseManagement", (), CASE_MANAGEMENT, id="LH-50"),
    pytest.param("Integration", (), INTEGRATION, id="LH-60"),
    pytest.param("CustomLists", ("CustomList",), CUSTOM_LISTS, id="LH-70"),
]


@pytest.fixture(scope="module")
def catalog():
    return shelf.load()


@pytest.mark.parametrize(("group", "groups_seen", "types"), GROUPS)
def test_a_category_has_its_types_with_the_fields_of_their_samples(
    catalog, group, groups_seen, types
):
    """LH-03, LH-Q2: every type has a status; a category has every spelling that is in use."""
    for native, names in types.items():
        each = catalog.find("logichub", native, group)

        assert (each.group, each.groups_seen, each.outcome) == (group, groups_seen, "status")
        assert list(each.fields) == ["status", *names]
        assert [field.path for field in each.fields.values()] == [
            f"logichub.details.{name}" for name in each.fields
        ]
        assert each.description


def test_the_44_types_stand_in_the_order_of_the_document(catalog):
    natives = [each.native for each in catalog.dialects["logichub"].types]

    assert natives == [native for group in GROUPS for native in group.values[2]]
    assert len(natives) == 44


@pytest.mark.parametrize(
    ("native", "target"),
    [
        pytest.param("UserPasswordResetSuccess", ["resetUsername"], id="LH-10 reset"),
        pytest.param("UserCreateSuccess", ["newUsernameCreated", "newUserNameCreated"], id="LH-Q3"),
        pytest.param("UserDeleteSuccess", ["deletedUserName"], id="LH-10 deleted"),
        pytest.param("UserDeleteFailed", ["deletedUserName", "deleteUserName"], id="LH-Q4"),
        pytest.param("UserCreateFailed", ["newUsername", "newUserName"], id="LH-Q5"),
        pytest.param("UserPrivilegeChange", ["editedUsername"], id="LH-10 edited"),
        pytest.param(
            "UserEmailChanged", ["oldEmail", "newEmail", "editedUsername"], id="LH-10 mail"
        ),
        pytest.param("UserGroupsChanged", ["username"], id="LH-Q10 one person"),
        pytest.param("UsersAdditionToGroupSuccess", [], id="LH-Q10 several people"),
        pytest.param("UserGroupUsersChanged", [], id="LH-10 several people"),
        pytest.param("UserAccountLocked", [], id="LH-10 locked"),
    ],
)
def test_the_one_person_it_was_done_to_is_the_target_in_every_spelling(catalog, native, target):
    """Lists of people are several people's: they stay in the rest."""
    paths = catalog.entry_paths("logichub", native)

    assert [path for path, part in paths if part == TARGET] == [
        f"logichub.details.{name}" for name in target
    ]


@pytest.mark.parametrize(
    ("native", "facts"),
    [
        pytest.param(
            "UserLoginSuccess",
            ["status", "needsPasswordReset", "actorRole", "authenticationType"],
            id="LH-11",
        ),
        pytest.param("UserPrivilegeChange", ["status", "oldRole", "newRole"], id="LH-11 roles"),
        pytest.param("FlowPublished", ["status", "version"], id="LH-20 version"),
        pytest.param("FlowModified", ["status", "modifiedType"], id="LH-20 kind of change"),
        pytest.param(
            "CaseCurrentStatus",
            ["status", "countDone", "countToDo", "countTodo", "countProgress"],
            id="LH-Q6",
        ),
        pytest.param("CustomListRowEdited", ["status", "action"], id="LH-Q18"),
        pytest.param("UserLoginFailed", ["status"], id="LH-Q21 a message is free text"),
        pytest.param("UserEmailChanged", ["status"], id="LH-10 addresses"),
    ],
)
def test_roles_states_counts_and_versions_are_facts(catalog, native, facts):
    paths = catalog.entry_paths("logichub", native)

    assert [path for path, part in paths if part == FACTS] == [
        f"logichub.details.{name}" for name in facts
    ]


@pytest.mark.parametrize(
    ("native", "kind"),
    [
        ("CaseCurrentStatus", "state"),
        ("IntegrationCurrentStatus", "state"),
        ("EventsIngested", "metric"),
        ("BatchExecuted", "metric"),
        ("UserLoginSuccess", "event"),
        ("HumanTriggeredFlow", "event"),
    ],
)
def test_what_no_user_did_is_no_event(catalog, native, kind):
    """LH-Q22"""
    assert catalog.find("logichub", native).kind == kind


def test_only_those_four_are_no_events(catalog):
    """LH-Q22"""
    others = [each.native for each in catalog.dialects["logichub"].types if each.kind != "event"]

    assert others == [
        "BatchExecuted",
        "EventsIngested",
        "CaseCurrentStatus",
        "IntegrationCurrentStatus",
    ]


@pytest.mark.parametrize(
    ("native", "field", "type_"),
    [
        pytest.param("FlowPublished", "version", "integer", id="LH-Q13 a number"),
        pytest.param("BatchExecuted", "executionTime", "string", id="LH-Q13 digits in a string"),
        pytest.param("CaseCreated", "caseId", "any", id="LH-Q13 both"),
        pytest.param("UserLoginSuccess", "needsPasswordReset", "boolean", id="LH-11 boolean"),
        pytest.param("UserGroupsChanged", "newUsers", "array", id="LH-Q10"),
        pytest.param("UserGroupNameChanged", "newUsers", "string", id="LH-Q9"),
        pytest.param("FlowModified", "oldData", "any", id="LH-20 name or nodes"),
        pytest.param("PythonScriptDeleted", "names", "array", id="LH-Q19 names"),
        pytest.param("NodeDeleted", "nodeIds", "array", id="LH-Q19 nodeIds"),
        pytest.param("CustomListCreated", "schema", "object", id="LH-70 schema"),
    ],
)
def test_a_field_has_the_type_that_records_carry(catalog, native, field, type_):
    assert catalog.find("logichub", native).fields[field].type == type_


@pytest.mark.parametrize(
    ("native", "category", "types"),
    [
        ("UserLoginFailed", ("authentication",), ("start",)),
        ("UserLogoutSuccess", ("authentication",), ("end",)),
        ("UserCreateSuccess", ("iam",), ("user", "creation")),
        ("UserDeleteFailed", ("iam",), ("user", "deletion")),
        ("UserGroupPermissionChanged", ("iam",), ("group", "change")),
        ("FlowDeleted", ("configuration",), ("deletion",)),
        ("HumanTriggeredFlow", ("process",), ("start",)),
        ("FlowExported", ("configuration",), ("access",)),
        ("CaseCreated", ("database",), ("change",)),
    ],
)
def test_a_type_has_its_place_in_ecs(catalog, native, category, types):
    each = catalog.find("logichub", native)

    assert (each.category, each.type) == (category, types)


@pytest.mark.parametrize(
    ("native", "action"),
    [
        ("UserLoginSuccess", "user.login"),
        ("UserLoginFailed", "user.login.failed"),
        ("UserPrivilegeChange", "user.role.change"),
        ("IntegrationConnectionDeleted", "integration.connection.deletion"),
        ("CustomListRowEdited", "list.row.change"),
    ],
)
def test_a_type_has_a_dotted_alias(catalog, native, action):
    assert catalog.find("logichub", native).action == action


@pytest.mark.parametrize("category", ["Script", "UserAccounts", "Scripts", None])
def test_a_script_is_known_under_every_category_it_is_filed_under(catalog, category):
    """LH-Q2"""
    assert catalog.find("logichub", "PythonScriptDeleted", category) is not None
