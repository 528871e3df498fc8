"""Settings and retention as JSON: read strictly, every fault by its place, and written again.

What is shown can be sent back as it is: members that only tell (`READ_ONLY`) are taken and ignored.
"""

from collections.abc import Callable, Iterator
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec

from sealog.dialects.registry import NAMES as DIALECTS
from sealog.errors import Refused
from sealog.policy import durations, retention, settings
from sealog.policy.durations import NoDuration, words_of
from sealog.policy.refusing import Faults
from sealog.policy.retention import KEEP_MAX_S, KEEP_MIN_S, Retention, Rule
from sealog.policy.settings import Delivery, Recording, TenantSettings

READ_ONLY = ("tenant", "changed", "changed_by", "defaults", "told_once")
ACTION_CHARS_MAX = 256
OWN = "sealog"
DELIVERIES = ("api", "api-and-service")


class Destination(msgspec.Struct, frozen=True):
    """A destination that was read."""

    shown: dict[str, Any]
    secrets: dict[str, Any] = {}
    told: dict[str, Any] = {}
    """What whoever asked is told this once, such as a new signing secret."""


Service = Callable[[dict[str, Any]], Destination]
"""A destination as it was sent → read; raises `Refused` with a pointer into it."""


class Asked(msgspec.Struct, frozen=True):
    """What a body asks for. Its version is 0 where the body names none."""

    wanted: TenantSettings | Retention
    has_version: bool
    confirm: bool = False
    """Of retention: what expires at once may go."""
    told: dict[str, Any] = {}
    """Of settings: what is told of a service this once."""


def read_settings(body: object, service: Service) -> Asked:
    """The settings that a body asks for. Raises `Invalid`."""
    faults = Faults()
    known = ("version", "recorded", "delivery", "service", "dialects")
    members = faults.members(body, "", known, READ_ONLY)
    destination = _service(faults, members, service)
    wanted = TenantSettings(
        version=_version(faults, members),
        recorded=tuple(
            Recording(_record(faults, one, pointer), *_type(faults, one, pointer, DIALECTS))
            for pointer, one in _rules(faults, members, "recorded", ("record",), settings.RULES_MAX)
        ),
        delivery=_delivery(faults, members),
        service=None if destination is None else destination.shown,
        secrets={} if destination is None else destination.secrets,
        day_first=_day_first(faults, members),
    )
    if wanted.delivery == "api-and-service" and members.get("service") is None:
        detail = "api-and-service needs a service: name its destination"
        faults.say("/service", "missing-member", detail)
    faults.end()
    told = {} if destination is None else destination.told
    return Asked(wanted, "version" in members, told=told)


def read_retention(body: object) -> Asked:
    """The rules that a body asks for. Raises `Invalid`."""
    faults = Faults()
    members = faults.members(body, "", ("version", "rules", "confirm"), READ_ONLY)
    if members.get("rules") is None:
        faults.say("/rules", "missing-member", "rules is a list; an empty one leaves the defaults")
    dialects = (*DIALECTS, OWN)
    rules = tuple(
        Rule(*_type(faults, one, pointer, dialects), _keep_s(faults, one, pointer))
        for pointer, one in _rules(faults, members, "rules", ("keep",), retention.RULES_MAX)
    )
    version = _version(faults, members)
    confirm = faults.typed(members, "", "confirm", bool)
    faults.end()
    return Asked(Retention(version, rules), "version" in members, confirm is True)


def shown(chosen: TenantSettings | Retention, *, whole: bool = True) -> dict[str, Any]:
    """Either as JSON, as it is read; `whole`: for who may change it.

    To others the path of a URL is nobody's business: for many receivers it is the key.
    """
    if isinstance(chosen, Retention):
        return shown_retention(chosen)
    if whole or chosen.service is None:
        return shown_settings(chosen)
    return shown_settings(msgspec.structs.replace(chosen, service=without_path(chosen.service)))


def without_path(destination: dict[str, Any]) -> dict[str, Any]:
    """A destination as whoever may not change it sees it: of a URL no more than the host."""
    if "url" not in destination:
        return destination
    url = urlsplit(destination["url"])
    return destination | {"url": f"{url.scheme}://{url.netloc.rpartition('@')[2]}/…"}


def shown_settings(chosen: TenantSettings) -> dict[str, Any]:
    """Settings as JSON, as `read_settings` takes them."""
    return {
        "version": chosen.version,
        "recorded": [{**_shown_type(rule), "record": rule.record} for rule in chosen.recorded],
        "delivery": chosen.delivery,
        "service": chosen.service,
        "dialects": {"logichub": {"day_first": chosen.day_first}},
    }


def shown_retention(chosen: Retention) -> dict[str, Any]:
    """Rules as JSON, as `read_retention` takes them."""
    return {"version": chosen.version, "rules": shown_rules(chosen.rules)}


def shown_rules(rules: tuple[Rule, ...]) -> list[dict[str, Any]]:
    """Rules in their order."""
    return [
        {**_shown_type(rule), "keep": None if rule.keep_s is None else words_of(rule.keep_s)}
        for rule in rules
    ]


def _shown_type(rule: Rule | Recording) -> dict[str, str]:
    named = {"dialect": rule.dialect, "action": rule.action}
    return {name: value for name, value in named.items() if value is not None}


def _version(faults: Faults, members: dict[str, Any]) -> int:
    version: int = faults.typed(members, "", "version", int) or 0
    if version < 0:
        faults.say("/version", "bad-value", "version is a whole number from 0")
    return version


def _rules(
    faults: Faults, members: dict[str, Any], name: str, needed: tuple[str, ...], most: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each rule with its place."""
    found = faults.typed(members, "", name, list) or []
    if len(found) > most:
        faults.say(f"/{name}", "too-many", f"there are at most {most} rules")
        return
    for nth, one in enumerate(found):
        pointer = f"/{name}/{nth}"
        known = faults.members(one, pointer, ("dialect", "action", *needed))
        if isinstance(one, dict):
            for member in needed:
                if member not in one:
                    faults.say(f"{pointer}/{member}", "missing-member", f"a rule needs {member}")
        yield pointer, known


def _type(
    faults: Faults, rule: dict[str, Any], pointer: str, dialects: tuple[str, ...]
) -> tuple[str | None, str | None]:
    dialect: str | None = faults.typed(rule, pointer, "dialect", str)
    if dialect is not None and dialect not in dialects:
        there = f"a dialect is one of {', '.join(dialects)}"
        if dialect == OWN:
            there += ": what Sealog records of itself is always recorded"
        faults.say(f"{pointer}/dialect", "bad-value", there)
    action: str | None = faults.typed(rule, pointer, "action", str)
    if action is not None and not (0 < len(action) <= ACTION_CHARS_MAX and action.isprintable()):
        detail = f"an action has 1 to {ACTION_CHARS_MAX} printable characters"
        faults.say(f"{pointer}/action", "bad-value", detail)
    # The same rule is written one way, so that what is for all types is known to be.
    return dialect, None if action is not None and not action.strip("*") else action


def _record(faults: Faults, rule: dict[str, Any], pointer: str) -> bool:
    if "record" in rule and rule["record"] is None:
        faults.say(f"{pointer}/record", "bad-type", "record is true or false")
    return faults.typed(rule, pointer, "record", bool) is True


def _keep_s(faults: Faults, rule: dict[str, Any], pointer: str) -> int | None:
    keep = rule.get("keep")
    if keep is None:
        return None
    pointer += "/keep"
    try:
        seconds = durations.seconds_of(keep)
    except NoDuration as error:
        faults.say(pointer, "bad-value", str(error))
        return None
    if seconds < KEEP_MIN_S:
        faults.say(pointer, "too-short", "nothing is kept for less than an hour")
    elif seconds > KEEP_MAX_S:
        days = KEEP_MAX_S // durations.DAY_S
        faults.say(pointer, "too-long", f"at most {days}d; null keeps for ever")
    return seconds


def _delivery(faults: Faults, members: dict[str, Any]) -> Delivery:
    found = faults.typed(members, "", "delivery", str)
    if found is None:
        return "api"
    if found not in DELIVERIES:
        faults.say("/delivery", "bad-value", f"delivery is one of {', '.join(DELIVERIES)}")
    return cast("Delivery", found)


def _service(faults: Faults, members: dict[str, Any], service: Service) -> Destination | None:
    wanted = faults.typed(members, "", "service", dict)
    if wanted is None:
        return None
    try:
        return service(wanted)
    except Refused as refusal:
        faults.say("/service" + refusal.pointer, refusal.code, refusal.detail)
        return None


def _day_first(faults: Faults, members: dict[str, Any]) -> bool | None:
    dialects = members.get("dialects")
    if dialects is None:
        return None
    logichub = faults.members(dialects, "/dialects", ("logichub",)).get("logichub")
    if logichub is None:
        return None
    chosen = faults.members(logichub, "/dialects/logichub", ("day_first",))
    found: bool | None = faults.typed(chosen, "/dialects/logichub", "day_first", bool)
    return found
