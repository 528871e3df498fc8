"""Who acts in the demo's history, from where, and when: made up, and the same for the same dice."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

WEEKS = 3

PEOPLE = (
    "support-1",
    "support-2",
    "support-3",
    "team-lead",
    "sales-1",
    "sales-2",
    "admin",
    "night-shift",
)
_OFFICE = "203.0.113."
_ELSEWHERE = "198.51.100."


class Cast(msgspec.Struct, frozen=True):
    """Who acts in a tenant's history: accounts, and the addresses they act from."""

    domain: str
    dice: random.Random

    def anyone(self) -> str:
        """An account, the busier ones more often."""
        return self.dice.choices(PEOPLE, weights=(9, 8, 7, 4, 6, 5, 2, 3))[0]

    def mail(self, account: str) -> str:
        """An account's address for mail."""
        return f"{account}@{self.domain}"

    def address(self, account: str) -> str:
        """Where an account acts from: nearly always the same place."""
        home = _OFFICE + str(10 + PEOPLE.index(account))
        return home if self.dice.random() < 0.97 else _ELSEWHERE + str(self.dice.randrange(2, 250))

    def uuid(self) -> str:
        """An id in the usual form."""
        digits = f"{self.dice.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


def moments(until: datetime, count: int, dice: random.Random) -> Iterator[datetime]:
    """Times in office hours, mostly on weekdays, over the weeks before `until`."""
    span = timedelta(weeks=WEEKS)
    made = 0
    while made < count:
        at = until - span * dice.random()
        weekend = at.weekday() >= 5
        office = 7 <= at.hour < 18
        if dice.random() < (0.06 if weekend else 1.0) * (1.0 if office else 0.12):
            made += 1
            yield at
