"""The fields that a search can name, and the names that people know them by."""

from enum import Enum

import msgspec


class Kind(Enum):
    """How a field's values are compared."""

    TEXT = "text"
    """As written; `*` stands for any characters."""
    NAME = "name"
    """Whatever the case; `*` stands for any characters."""
    ADDRESS = "address"
    """An IP address in any spelling, a network (CIDR), or text with `*`."""
    NUMBER = "number"
    """A whole number, or a range of them."""
    FLAG = "flag"
    """Only whether there is one."""
    ID = "id"
    """One value, as written."""


class Field(msgspec.Struct, frozen=True):
    """One field of the search."""

    name: str
    kind: Kind
    about: str
    also: tuple[str, ...] = ()
    """Other names of it: the ECS field, and what people would try."""


FIELDS: dict[str, Field] = {
    one.name: one
    for one in (
        Field(
            "action",
            Kind.TEXT,
            "what happened: the product's own name or the dotted alias",
            ("event.action", "sealog.action", "event"),
        ),
        Field("category", Kind.TEXT, "ECS category", ("event.category",)),
        Field("type", Kind.TEXT, "ECS type", ("event.type",)),
        Field("outcome", Kind.TEXT, "success, failure or unknown", ("event.outcome", "result")),
        Field("actor", Kind.NAME, "who did it: id, name or e-mail", ("user", "by")),
        Field("actor.id", Kind.NAME, "the actor's id", ("user.id",)),
        Field("actor.name", Kind.NAME, "the actor's name", ("user.name",)),
        Field("actor.email", Kind.NAME, "the actor's e-mail", ("user.email",)),
        Field("actor.kind", Kind.TEXT, "user, key, system …", ("kind", "sealog.actor.kind")),
        Field("ip", Kind.ADDRESS, "where it came from", ("address", "source.ip", "client.ip")),
        Field("target", Kind.NAME, "to whom it was done: id, name or e-mail", ("user.target",)),
        Field("session", Kind.TEXT, "the session's id", ("session.id",)),
        Field("dialect", Kind.TEXT, "whose vocabulary it came in", ("sealog.dialect",)),
        Field(
            "status",
            Kind.NUMBER,
            "HTTP status code",
            ("status_code", "http.response.status_code"),
        ),
        Field("findings", Kind.FLAG, "something odd was found about the record", ("finding",)),
        Field("id", Kind.ID, "the event's id", ("event.id",)),
        Field("index", Kind.NUMBER, "the place in the tenant's sealed log", ("sealog.index",)),
    )
}
"""Name → field, in the order in which they are listed to people."""

NAMES: dict[str, Field] = {
    name: field for field in FIELDS.values() for name in (field.name, *field.also)
}
"""Every name under which a field is known."""
