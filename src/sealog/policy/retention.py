"""How long events are kept: rules per tenant and type. Plain values; lifecycle acts on them.

The first rule that fits decides, then the defaults: what EasySend documents for its own dialect
(48 hours from `event.ingested`), and for ever for every other.
"""

import msgspec

from sealog.event.parts import STATEMENT_ACTIONS
from sealog.policy.matching import fits

KEEP_MIN_S = 3_600
KEEP_MAX_S = 100 * 366 * 86_400
"""What is kept for longer is kept for ever."""
RULES_MAX = 100


class Rule(msgspec.Struct, frozen=True):
    """For some types, how long."""

    dialect: str | None = None
    """None: every dialect."""
    action: str | None = None
    """A native name or an alias, `*` for anything; None: every type."""
    keep_s: int | None = None
    """Whole seconds from `event.ingested`; None: for ever."""


DEFAULTS = (Rule(dialect="easysend", keep_s=172_800), Rule())
"""What holds where no rule of a tenant fits."""


class Retention(msgspec.Struct, frozen=True):
    """One version of a tenant's rules, in their order. Version 0 is that of who chose nothing."""

    version: int = 0
    rules: tuple[Rule, ...] = ()

    def keep_s(self, dialect: str, action: str, alias: str) -> int | None:
        """How long an event of this type is kept, in seconds from `event.ingested`; None: for ever.

        Sealog's own statements never expire, whatever the rules say.
        """
        if action in STATEMENT_ACTIONS:
            return None
        for rule in (*self.rules, *DEFAULTS):
            if fits((rule.dialect, rule.action), dialect, action, alias):
                return rule.keep_s
        return None

    def shortest_s(self) -> int | None:
        """The shortest that any event may be kept by these rules; None: none ever expires."""
        found: list[int] = []
        settled: set[str | None] = set()
        for rule in (*self.rules, *DEFAULTS):
            # What stands behind a rule for all of a dialect's types decides none of them.
            if rule.dialect in settled:
                continue
            if rule.keep_s is not None:
                found.append(rule.keep_s)
            if rule.action is None:
                if rule.dialect is None:
                    break
                settled.add(rule.dialect)
        return min(found, default=None)
