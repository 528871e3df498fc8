"""Synthetic history for the demo: weeks of five products' records, the same for the same seed.

Nobody in it exists: accounts are named after what they do. Each product's week has its rhythm (office
hours, quiet weekends) and one incident that is worth finding.
"""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from sealog.cli.cast import PEOPLE, Cast, moments

Record = dict[str, Any]

DIALECTS = ("closer", "easysend", "chatvisor", "supsis", "logichub")


def history(dialect: str, until: datetime, *, count: int, seed: int) -> Iterator[bytes]:
    """About `count` records of one product's tenant, as JSON, oldest first, ending at `until`."""
    dice = random.Random(f"{seed}/{dialect}")  # noqa: S311 - synthetic, and the same every time
    cast = Cast(f"{dialect}.example", dice)
    make = _MAKERS[dialect]
    when = sorted(moments(until, count, dice))
    incident_at = len(when) * 2 // 3
    for nth, at in enumerate(when):
        records = _INCIDENTS[dialect](cast, at) if nth == incident_at else [make(cast, at)]
        yield from map(msgspec.json.encode, records)


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _closer(
    cast: Cast, at: datetime, action: str | None = None, account: str | None = None, status: int = 0
) -> Record:
    account = account or cast.anyone()
    action = (
        action
        or cast.dice.choices(
            (
                "agent_login",
                "agent_logout",
                "agent_skills_change",
                "agent_preferences_change",
                "agent_profile_change",
                "tag_mapping_config_change",
                "widget_form_config_change",
                "org_config_change",
                "agent_invitation",
                "proactive_messages_config_creation",
            ),
            weights=(30, 22, 12, 9, 6, 5, 5, 3, 4, 4),
        )[0]
    )
    status = status or cast.dice.choices((200, 204, 400, 401), weights=(50, 44, 3, 3))[0]
    message: Record = {
        "event.kind": ["event"],
        "event.category": ["configuration"],
        "event.type": ["change"],
        "event.action": action,
        "event.outcome": "success" if status < 400 else "failure",
        "http.request.method": "POST" if "log" in action else "PUT",
        "http.response.status_code": status,
        "source.ip": "/" + cast.address(account),
        "url.full": f"https://api.closer.example/api/{action.replace('_', '/')}",
        "ecs.version": "1.9",
    }
    if status != 401:
        message |= {
            "user.id": f"00000000-0000-4000-8000-{PEOPLE.index(account):012d}",
            "user.roles": ["ADMIN" if account == "admin" else "AGENT"],
        }
    return {
        "_index": "closer",
        "_type": "entry",
        "_id": f"{cast.dice.getrandbits(96):024x}",
        "_version": 1,
        "_score": 0,
        "_source": {"@timestamp": _iso(at).replace("Z", "+0000"), "message": message},
    }


def _closer_incident(cast: Cast, at: datetime) -> list[Record]:
    """Failed logins at night, a success, and a role given away."""
    night = at.replace(hour=2, minute=13)
    failed = [
        _closer(cast, night + timedelta(seconds=7 * n), "agent_login", "admin", 401)
        for n in range(9)
    ]
    taken = [("agent_login", 80), ("agent_role_change", 140), ("oauth_config_change", 190)]
    return failed + [
        _closer(cast, night + timedelta(seconds=after), action, "admin", 200)
        for action, after in taken
    ]


def _easysend(
    cast: Cast, at: datetime, action: str | None = None, status: str | None = None
) -> Record:
    dice = cast.dice
    action = (
        action
        or dice.choices(
            (
                "LinkSent",
                "Opened",
                "CheckAuthResponseAuthenticationSucceed",
                "StepCompleted",
                "DataSubmitted",
                "Completed",
                "CheckAuthResponseAuthenticationFailed",
            ),
            weights=(16, 15, 12, 30, 14, 9, 4),
        )[0]
    )
    page = f"forms.easysend.example/flow/{dice.randrange(6)}"
    return {
        "ecs": {"version": "8.11"},
        "@timestamp": _iso(at),
        "organization": {"name": "Demo Insurance"},
        "user_agent": {
            "os": {
                "browser_language": dice.choice(("en-GB", "de-DE", "fr-FR")),
                "browser_platform": "Win32",
                "is_mobile_device": dice.random() < 0.4,
                "is_verified_bot": False,
            },
            "name": "Chrome",
            "device": {"name": "Other"},
            "original": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/129.0 Safari/537.36",
        },
        "os": {"family": "Windows", "full": "Windows 10"},
        "client": {"ip": f"192.0.2.{dice.randrange(1, 255)}"},
        "event": {"action": action, "timezone": "UTC"},
        "geo": {
            "country_name": dice.choice(("Germany", "France", "United Kingdom")),
            "region_name": "",
        },
        "url": {
            "full": f"https://{page}",
            "domain": "forms.easysend.example",
        },
        "service": {"environment": "production"},
        "label": _label(cast, action, status),
    }


def _label(cast: Cast, action: str, status: str | None) -> Record:
    dice = cast.dice
    step = dice.randrange(6)
    request = cast.uuid()
    asked = action.startswith("Check")
    return {
        "app_type": "player",
        "customer_id": f"c-{dice.randrange(400):04d}",
        "is_co_browsing_on": dice.random() < 0.1,
        "page_index": str(step),
        "page_name": f"page-{step}",
        "process_id": f"p-{dice.randrange(4000):05d}",
        "request_id": request,
        "rid": request[:8],
        "master_rid": request[:4],
        "step_id": f"s-{step}",
        "step_index": str(step),
        "web_flow_name": dice.choice(("claim-intake", "address-change", "new-policy")),
        "webflow_id": str(dice.randrange(3)),
        "authentication_method": "otp" if asked else "",
        "authentication_status": status or ("passed" if action.endswith("Succeed") else ""),
        "auth_page": "otp" if asked else "",
    }


def _easysend_incident(cast: Cast, at: datetime) -> list[Record]:
    """One-time codes tried until they fit."""
    failed = [
        _easysend(
            cast, at + timedelta(seconds=3 * n), "CheckAuthResponseAuthenticationFailed", "failed"
        )
        for n in range(12)
    ]
    done = _easysend(cast, at + timedelta(seconds=40), "CheckAuthResponseAuthenticationSucceed")
    return [*failed, done]


def _chatvisor(
    cast: Cast, at: datetime, kind: str | None = None, data: Record | None = None
) -> Record:
    dice = cast.dice
    session = f"cb-{dice.randrange(60):03d}"
    customer = f"customer-{dice.randrange(150):03d}"
    kind = kind or dice.choices(
        ("MESSENGER_SEND", "STATUS_CHANGE", "LOGGED_IN", "ONLINE_STATUS_ONLINE",
         "ONLINE_STATUS_OFFLINE", "START_CALL", "LIVE_VIEW", "CLICK", "SCROLL", "INPUT",
         "PAGECHANGE", "FORM"),
        weights=(22, 9, 6, 6, 6, 5, 6, 16, 9, 6, 6, 3),
    )[0]  # fmt: skip
    if kind in _ON_PAGE:
        return {
            "timestamp": _iso(at),
            "type": kind,
            "sessionId": session,
            "agent": dice.random() < 0.3,
            "data": data or _ON_PAGE[kind],
        }
    general: dict[str, Record] = {
        "START_CALL": {"callId": cast.uuid(), "customerId": customer},
        "MESSENGER_SEND": {"customerId": customer},
        "LIVE_VIEW": {"sessionId": session},
        "STATUS_CHANGE": {
            "customerId": customer,
            "status": dice.choice(("Unresolved", "Done")),
            "messageId": cast.uuid(),
        },
    }
    return {
        "id": cast.uuid(),
        "timestamp": _iso(at),
        "type": kind,
        "tenantUserId": cast.anyone(),
        "data": data or general.get(kind, {}),
    }


_ON_PAGE: dict[str, Record] = {
    "CLICK": {"element": "button#continue"},
    "SCROLL": {"position": 640, "element": "page"},
    "INPUT": {"element": "input#iban", "text": "typed by a customer"},
    "PAGECHANGE": {"page": "checkout"},
    "FORM": {"form": "order"},
}


def _chatvisor_incident(cast: Cast, at: datetime) -> list[Record]:
    """A role widened for ten minutes, with a look at a recording between."""
    wide = {"roleName": "support", "permissions": ["chat", "recordings"]}
    narrow = {"roleName": "support", "permissions": ["chat"]}
    return [
        _chatvisor(cast, at, "PERMISSION_CHANGE", wide),
        _chatvisor(cast, at + timedelta(minutes=4), "CONFERENCE_RECORDING"),
        _chatvisor(cast, at + timedelta(minutes=10), "PERMISSION_CHANGE", narrow),
    ]


def _supsis(
    cast: Cast, at: datetime, activity: str | None = None, account: str | None = None
) -> Record:
    activity = (
        activity
        or cast.dice.choices(
            (
                "chat-opened",
                "chat-assigned-to-user",
                "user-joined-to-chat",
                "chat-closed",
                "login",
                "logout",
            ),
            weights=(26, 22, 20, 24, 5, 5),
        )[0]
    )
    by_system = activity == "chat-assigned-to-user" and account is None
    account = account or cast.anyone()
    record = {
        "dateTime": _iso(at),
        "user": "system" if by_system else cast.mail(account),
        "activity": activity,
    }
    if not by_system:
        record["ip"] = "" if cast.dice.random() < 0.2 else cast.address(account)
    return record


def _supsis_incident(cast: Cast, at: datetime) -> list[Record]:
    """One account closes everything it can."""
    return [_supsis(cast, at + timedelta(seconds=n), "chat-closed", "sales-2") for n in range(15)]


def _logichub(
    cast: Cast, at: datetime, name: str | None = None, more: Record | None = None
) -> Record:
    dice = cast.dice
    name = name or dice.choices(tuple(_LOGICHUB), weights=(20, 18, 3, 14, 6, 5, 9, 4, 4))[0]
    category, details = _LOGICHUB[name]
    status = "FAILURE" if name.endswith("Failed") else "SUCCESS"
    return {
        "time": _iso(at),
        "category": category,
        "actor": cast.mail(cast.anyone()),
        "type": name,
        "details": {**details, **(more or {}), "status": status},
    }


_LOGICHUB: dict[str, tuple[str, Record]] = {
    "UserLoginSuccess": (
        "UserAccounts",
        {"needsPasswordReset": False, "actorRole": "user", "authenticationType": "password"},
    ),
    "UserLogoutSuccess": ("UserAccounts", {"actorRole": "user", "authenticationType": "password"}),
    "UserLoginFailed": ("UserAccounts", {"message": "Incorrect Password"}),
    "HumanTriggeredFlow": ("FlowExecutions", {"flowId": "flow-12", "nodeId": "node-4"}),
    "FlowPublished": ("Flow", {"flowId": "flow-12", "version": 23}),
    "FlowModified": ("Flow", {"flowId": "flow-12", "modifiedType": "FlowContentChanged"}),
    "CaseCreated": ("CaseManagement", {"caseId": "283", "title": "Unexpected access"}),
    "CaseClosed": (
        "CaseManagement",
        {"caseId": "283", "title": "Unexpected access", "timeTaken": "17588929"},
    ),
    "CustomListDataEdited": ("CustomLists", {"name": "blocked-senders", "action": "APPENDED"}),
}


def _logichub_incident(cast: Cast, at: datetime) -> list[Record]:
    """An account locked, and its privileges changed an hour later."""
    failed = [_logichub(cast, at + timedelta(seconds=9 * n), "UserLoginFailed") for n in range(6)]
    locked = _logichub(cast, at + timedelta(minutes=1), "UserLoginFailed")
    locked |= {
        "type": "UserAccountLocked",
        "details": {
            "message": "Excessive failed login attempts. Account locked",
            "status": "FAILED",
        },
    }
    changed = _logichub(cast, at + timedelta(hours=1), "UserLoginSuccess")
    changed |= {
        "type": "UserPrivilegeChange",
        "details": {
            "editedUsername": "night-shift",
            "oldRole": "user",
            "newRole": "admin",
            "status": "SUCCESS",
        },
    }
    return [*failed, locked, changed]


_MAKERS: dict[str, Callable[[Cast, datetime], Record]] = {
    "closer": _closer,
    "easysend": _easysend,
    "chatvisor": _chatvisor,
    "supsis": _supsis,
    "logichub": _logichub,
}
_INCIDENTS: dict[str, Callable[[Cast, datetime], list[Record]]] = {
    "closer": _closer_incident,
    "easysend": _easysend_incident,
    "chatvisor": _chatvisor_incident,
    "supsis": _supsis_incident,
    "logichub": _logichub_incident,
}
