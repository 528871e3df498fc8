"""Whether events of a type are recorded, for whoever prepares: quick, and small enough to be sent."""

from sealog.policy.settings import Recording, TenantSettings

KNOWN_MAX = 4_096
"""So many types are remembered; then they are judged anew."""


class Recorded:
    """One tenant's choice. Asked of every event of a tenant that switched something off."""

    def __init__(self, rules: tuple[Recording, ...]) -> None:
        self.rules = rules
        self._settings = TenantSettings(recorded=rules)
        self._known: dict[tuple[str, str, str], bool] = {}

    def __call__(self, dialect: str, action: str, alias: str) -> bool:
        """Whether an event of this type is recorded."""
        asked = (dialect, action, alias)
        found = self._known.get(asked)
        if found is None:
            # The names are the sender's: there may be any number of them.
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
            found = self._known[asked] = self._settings.records(*asked)
        return found
