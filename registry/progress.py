"""How library code tells how far it is, without knowing who listens."""

from typing import Protocol


class Progress(Protocol):
    """One piece of work after another: begun, advanced, done."""

    def begin(self, what: str, total: int) -> None:
        """Announce a piece of work of `total` steps."""

    def advance(self, steps: int) -> None:
        """Tell that some steps of it are done."""

    def done(self) -> None:
        """End it."""


class Silent:
    """Tell nobody."""

    def begin(self, what: str, total: int) -> None:
        """Ignore the start."""

    def advance(self, steps: int) -> None:
        """Ignore the steps."""

    def done(self) -> None:
        """Ignore the end."""
