"""What the API needs of retention: whether it believes the clock, and how to tell it to."""

from typing import Protocol


class Judgement(Protocol):
    """See `lifecycle.trust.Judgement`."""

    @property
    def now_us(self) -> int:
        """What the clock says."""
        ...

    @property
    def expected_us(self) -> int:
        """What it should say; 0 where nothing tells."""
        ...

    @property
    def is_trusted(self) -> bool:
        """Whether events are deleted by it."""
        ...


class Trust(Protocol):
    """Retention's judge of the clock; see `lifecycle.retaining.Retainer`. It blocks."""

    def judge(self) -> Judgement:
        """What is to be thought of the clock now."""
        ...

    def held(self) -> int:
        """Tenants of which something should go, and does not for the clock's sake."""
        ...

    def confirm(self) -> Judgement:
        """Believe the clock as it is."""
        ...
