"""The names by which fields are searched."""

from sealog.query.fields import FIELDS, NAMES, Kind


def test_no_name_means_two_fields():
    given = [name for field in FIELDS.values() for name in (field.name, *field.also)]

    assert len(given) == len(set(given)) == len(NAMES)


def test_fields_are_known_by_their_ecs_names():
    found = {name: NAMES[name].name for name in ("event.action", "user.id", "source.ip")}

    assert found == {"event.action": "action", "user.id": "actor.id", "source.ip": "ip"}


def test_only_the_address_takes_networks():
    assert [field.name for field in FIELDS.values() if field.kind is Kind.ADDRESS] == ["ip"]
