"""What a catalog file must obey, and the one sentence that says where it does not."""

import re
from typing import Any, NoReturn

import msgspec

from sealog.catalog import ecs
from sealog.catalog.entries import CatalogFile, EventType, Field, fold
from sealog.errors import Misconfigured
from sealog.event.parts import ACTOR_PATHS, FACT_PATHS, TARGET_PATHS

# Sealing stamps these, or they are derived on the way out: no dialect may put data there.
FORBIDDEN_ROOTS = frozenset({"@timestamp", "ecs", "event", "organization", "related", "sealog"})
# What Sealog records by itself stands under its own object.
OWN_FILE = "sealog.toml"
# ECS leaves these to the sender, so that a dialect may say which part each child belongs to.
FREE_ROOTS = frozenset({"labels"})
# A fact is a scalar or an array of scalars (docs/formats/parts.md).
FACT_TYPES = frozenset({"string", "integer", "number", "boolean", "array"})

_ALIAS = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)+")


def read(name: str, text: bytes) -> CatalogFile:
    """The catalog file `name` (`<dialect>.toml`), checked, its common fields added to every type.

    Raises `Misconfigured` naming file, type and field.
    """
    try:
        file = msgspec.toml.decode(text, type=CatalogFile)
    except msgspec.ValidationError as error:
        where, why = _located(text, str(error))
        _fail(name, where, why)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _fail(name, "", f"not TOML: {error}")
    types = [
        msgspec.structs.replace(each, fields={**file.fields, **each.fields}) for each in file.types
    ]
    file = msgspec.structs.replace(file, types=tuple(types))
    _check_file(name, file)
    return file


def _fail(file: str, where: str, why: str) -> NoReturn:
    raise Misconfigured(f"catalog file {file}{where}: {why}")


def _located(text: bytes, why: str) -> tuple[str, str]:
    """Where the decoder's complaint belongs: it counts types, and people know them by name."""
    loose = msgspec.toml.decode(text)
    for each in _tables(loose.get("types")):
        where = f", type {each.get('native', 'without a name')}"
        fault = _fault_in_fields(each.get("fields"), where) or _fault(each, EventType, where)
        if fault:
            return fault
    return _fault_in_fields(loose.get("fields"), "") or ("", why)


def _tables(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _fault_in_fields(fields: Any, where: str) -> tuple[str, str] | None:
    if not isinstance(fields, dict):
        return None
    faults = (_fault(field, Field, f"{where}, field {key}") for key, field in fields.items())
    return next((fault for fault in faults if fault), None)


def _fault(value: Any, shape: Any, where: str) -> tuple[str, str] | None:
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        return where, str(error)
    return None


def _check_file(name: str, file: CatalogFile) -> None:
    if name != f"{file.dialect}.toml":
        _fail(name, "", f"it says it is of the dialect {file.dialect}")
    natives: set[tuple[str, str]] = set()
    aliases: set[str] = set()
    for each in file.types:
        where = f", type {each.native}"
        for native in (each.native, *each.natives_seen):
            key = (each.group, fold(native) if file.fold else native)
            if key in natives:
                _fail(name, where, f"the name {native} stands twice in its group")
            natives.add(key)
        if each.action in aliases:
            _fail(name, where, f"the alias {each.action} is taken by another type")
        aliases.add(each.action)
        _check_names(name, where, each)
        _check_ecs(name, where, each)
        _check_fields(name, where, file.dialect, each)


def _check_names(name: str, where: str, each: EventType) -> None:
    if not each.native:
        _fail(name, where, "the name is empty")
    if _ALIAS.fullmatch(each.action) is None:
        _fail(name, where, f"the alias {each.action!r} is not lower case and dotted")
    is_own = name == OWN_FILE
    if any(one.startswith("sealog.") is not is_own for one in (each.native, each.action)):
        _fail(name, where, "names that begin with sealog. are Sealog's own")
    if not each.description or not each.section:
        _fail(name, where, "the description or the section is empty")


def _check_ecs(name: str, where: str, each: EventType) -> None:
    odd = ecs.lint(each.kind, list(each.category), list(each.type), None)
    if odd:
        _fail(name, where, odd[0][1])
    for category in each.category:
        if not ecs.EXPECTED_TYPES[category].intersection(each.type):
            _fail(name, where, f"no event.type is expected beside category {category}")
    if each.type and not each.category:
        _fail(name, where, "event.type stands without a category")


def _check_fields(name: str, where: str, dialect: str, each: EventType) -> None:
    taken: list[str] = []
    for key, field in each.fields.items():
        here = f"{where}, field {key}"
        if not field.description:
            _fail(name, here, "the description is empty")
        if field.part == "facts" and field.type not in FACT_TYPES:
            _fail(name, here, f"facts cannot hold the type {field.type}")
        why = _path_fault(dialect, field)
        if why:
            _fail(name, here, why)
        for other in taken:
            if _within(field.path, other) or _within(other, field.path):
                _fail(name, here, f"the path {field.path} meets another field's, {other}")
        taken.append(field.path)


def _path_fault(dialect: str, field: Field) -> str | None:
    """Why a path may not stand: data belongs under the dialect's own object or where ECS says."""
    root = field.path.partition(".")[0]
    if root in FORBIDDEN_ROOTS and root != dialect:
        return f"the path {field.path} is under {root}, which only Sealog writes"
    if _PATH.fullmatch(field.path) is None:
        return f"the path {field.path!r} is not dotted"
    if root == dialect or root in FREE_ROOTS:
        return None
    if field.part != _routed(field.path):
        return f"the path {field.path} stands in {_routed(field.path)}, not in {field.part}"
    return None


def _routed(path: str) -> str:
    """The part in which a path stands in every event, declared or not."""
    if path in FACT_PATHS:
        return "facts"
    if any(_within(path, parent) for parent in TARGET_PATHS):
        return "target"
    return "actor" if any(_within(path, parent) for parent in ACTOR_PATHS) else "rest"


def _within(path: str, parent: str) -> bool:
    return path == parent or path.startswith(parent + ".")
