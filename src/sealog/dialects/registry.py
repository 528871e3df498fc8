"""Which dialects there are, by name."""

from sealog.catalog.shelf import Catalog
from sealog.dialects.chatvisor import Chatvisor
from sealog.dialects.closer import Closer
from sealog.dialects.dialect import Dialect
from sealog.dialects.easysend import EasySend
from sealog.dialects.ecs import Ecs
from sealog.dialects.logichub import LogicHub
from sealog.dialects.supsis import Supsis
from sealog.errors import Refused

NAMES = ("ecs", "closer", "easysend", "chatvisor", "supsis", "logichub")


def of(name: str, catalog: Catalog) -> Dialect:
    """The dialect of that name, with the catalog it reads; meant to be kept: it remembers.

    Raises `Refused` (`unknown-dialect`) naming all there are.
    """
    match name:
        case "ecs":
            return Ecs(catalog)
        case "closer":
            return Closer(catalog)
        case "easysend":
            return EasySend(catalog)
        case "chatvisor":
            return Chatvisor(catalog)
        case "supsis":
            return Supsis(catalog)
        case "logichub":
            return LogicHub(catalog)
        case _:
            msg = f"there is no dialect {name[:64]!r}; there are {', '.join(NAMES)}"
            raise Refused(msg, code="unknown-dialect")
