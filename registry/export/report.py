"""What an export did."""

from dataclasses import dataclass, field

from registry.core.records import Rejected


@dataclass
class ExportReport:
    """What an export did, counted in files (two for a clip)."""

    clips: int
    written: int = 0
    unchanged: int = 0
    removed: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    to_write: tuple[str, ...] = ()  # of a plan: paths below the top
    to_remove: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 if the tree is whole, 1 if some of it could not be written."""
        return 1 if self.rejected else 0
