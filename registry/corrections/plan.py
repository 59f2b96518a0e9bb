"""Plans: what a command would change, saved, and held to when it is applied."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from registry.errors import PlanOutdated, PlanUnreadable
from registry.store.journal import Effects

VERSION = 1


@dataclass(frozen=True)
class Plan:
    """A command line with what it changes, and the operation that the registry was at."""

    arguments: tuple[str, ...]  # of the command, without --plan and --save
    based_on: int
    effects: Effects

    def insist_on_base(self, based_on: int) -> None:
        """Refuse to begin if the registry has moved on.

        Raises:
            PlanOutdated: It has.
        """
        if based_on != self.based_on:
            raise PlanOutdated(cause=f"it was made after operation {self.based_on}, the last one now is {based_on}")

    def insist_on_effects(self, effects: Effects) -> None:
        """Refuse to finish with anything but what was planned.

        Raises:
            PlanOutdated: The outcome is another.
        """
        if effects != self.effects:
            raise PlanOutdated(cause="the input is not what it was")


def save(path: Path, arguments: Sequence[str], based_on: int, effects: Effects) -> None:
    """Write a plan down as JSON."""
    document = {"version": VERSION, "arguments": list(arguments), "based_on": based_on, "effects": asdict(effects)}
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def load(path: Path) -> Plan:
    """Read a plan.

    Raises:
        PlanUnreadable: The file is missing, or no plan of this version.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["version"] != VERSION:
            raise PlanUnreadable(path=path, cause=f"it is of version {document['version']}, expected {VERSION}")
        effects = Effects.from_json(document["effects"])
        return Plan(tuple(document["arguments"]), document["based_on"], effects)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PlanUnreadable(path=path, cause=error) from error
