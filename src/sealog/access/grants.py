"""What a key allows, apart from where keys are kept: whoever prepares needs no more."""

import msgspec


class Grant(msgspec.Struct, frozen=True):
    """What a key allows; made once per key and shared by all its requests."""

    key: str
    """The key's id, never its secret."""
    scopes: frozenset[str]
    tenants: frozenset[str] | None
    """The names it is for; None for all, those to come included."""
    may_create: bool = False
    """Whether naming a tenant that does not exist makes it."""
    is_lent: bool = False
    """Whoever has the data folder itself asks, with no key of its own."""

    def may(self, scope: str) -> bool:
        """Whether the key has the scope."""
        return scope in self.scopes

    def covers(self, tenant: str) -> bool:
        """Whether the key is for the tenant of that name."""
        return self.tenants is None or tenant in self.tenants

    @property
    def only(self) -> str | None:
        """The key's one tenant, where it has exactly one."""
        if self.tenants is None or len(self.tenants) != 1:
            return None
        return next(iter(self.tenants))
