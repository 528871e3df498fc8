"""What changed: a new configuration held against the one before it (CV-33).

Only the new configuration is sent. A plugin is known by its name in it, settings by their section,
so that a change of one is not held against another.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

CHANGES = ("PLUGIN_CHANGE", "SETTINGS_CHANGE")
"""Types that send a new configuration and nothing of the old one."""
PATHS_MAX = 200
"""So many differences are listed of one event."""

_NAMES = ("plugin", "pluginId", "pluginID", "id", "name", "type")
_ABSENT = object()


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """One object's new configuration against its last."""

    object: str
    previous: dict[str, Any] | None
    """Which event it is held against: its index and time; None where there is none."""
    changed: list[dict[str, Any]] = []
    """By JSON pointer, `old` and `new`; one of them is not there where it was added or removed."""
    more: bool = False
    """Whether there are further differences than are listed."""


def objects(native: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Which objects an event configures: name → configuration. Empty where it says none."""
    configuration = data.get("configuration", data)
    if native == "SETTINGS_CHANGE" and isinstance(configuration, dict):
        return {str(section): value for section, value in configuration.items()}
    if native not in CHANGES or not isinstance(configuration, dict):
        return {}
    for place in (configuration, data):
        for name in _NAMES:
            if isinstance(place.get(name), str | int):
                return {f"{name} {place[name]}": configuration}
    return {"": configuration} if configuration else {}


def change(name: str, new: Any, old: Any, previous: dict[str, Any] | None) -> Change:
    """How one object changed. `previous`: the event that `old` stood in, None where there is none."""
    if previous is None:
        return Change(name, None)
    found: list[dict[str, Any]] = []
    for difference in _differences(old, new, ""):
        if len(found) == PATHS_MAX:
            return Change(name, previous, found, more=True)
        found.append(difference)
    return Change(name, previous, found)


def _differences(old: Any, new: Any, path: str) -> Iterator[dict[str, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *[key for key in new if key not in old]]:
            inner = f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}"
            yield from _differences(old.get(key, _ABSENT), new.get(key, _ABSENT), inner)
        return
    if old == new and type(old) is type(new):
        return
    found: dict[str, Any] = {"path": path}
    if old is not _ABSENT:
        found["old"] = old
    if new is not _ABSENT:
        found["new"] = new
    yield found
