"""Plans: what a command would change, saved as data, and held to when it is applied."""

import json
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from registry.corrections.plan_forms import FORMS, Value, check_form
from registry.database.store.journal import Effects
from registry.errors import PlanOutdated, PlanUnfit, PlanUnreadable
from registry.files import private_files

VERSION = 2
MOST_BYTES = 64 * 2**20  # a night of a million clips makes a plan of a few; more is no plan
KEYS = {"version", "command", "task", "based_on", "effects"}
BY_PLACE = ("one", "speaker")  # what no option names in a command line
HIGHEST_KEY = 2**63 - 1  # of an operation, in the database


@dataclass(frozen=True)
class Plan:
    """What a command is to do and what that changes, and the operation that the registry was at."""

    command: str
    task: Mapping[str, Value]  # as `FORMS` says of the command
    based_on: int
    effects: Effects

    def words(self) -> list[str]:
        """Say it as a line of words, for the journal."""
        return [self.command, *(word for name in FORMS[self.command] for word in _words(name, self.task[name]))]

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


def _words(name: str, value: Value) -> list[str]:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, str) and name in BY_PLACE:
        return [value]
    option = f"--{name.replace('_', '-')}"
    return [] if value in (None, False) else [option] if value is True else [option, str(value)]


def save(path: Path, plan: Plan) -> None:
    """Write a plan down as JSON, for this user alone.

    Raises:
        PlanUnfit: `load` would refuse it.
        SourceUnnamed, ModelUnnamed: It names a URL, or a model, that nobody of this machine named.
        OSError: It cannot be written, or there is a link or a folder of that name.
    """
    content = json.dumps({"version": VERSION, **asdict(plan)}, indent=2) + "\n"
    try:
        _checked(json.loads(content))
    except (ValueError, KeyError, TypeError) as error:
        raise PlanUnfit(cause=error) from error
    private_files.write(path, content.encode())


def load(path: Path) -> Plan:
    """Read a plan, which may come from anybody: it says what is to be done, and nothing of it is run.

    Raises:
        PlanUnreadable: The file is missing, or no plan of this version.
        SourceUnnamed, ModelUnnamed: It names a URL, or a model, that nobody of this machine named.
    """
    try:
        document = json.loads(_read(path), parse_constant=_refuse_constant)
        return _checked(document)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        cause = "its parts are nested too deep" if isinstance(error, RecursionError) else error
        raise PlanUnreadable(path=path, cause=cause) from error


def _read(path: Path) -> str:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:
        raise ValueError(f"it is no file, or larger than {MOST_BYTES >> 20} MB")
    return path.read_text(encoding="utf-8")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _checked(document: object) -> Plan:
    if not isinstance(document, dict):
        raise TypeError("it is no JSON object")
    if document["version"] != VERSION:
        raise ValueError(f"it is of version {document['version']!r:.20}, expected {VERSION}: make it anew")
    if set(document) != KEYS:
        raise ValueError(f"it has to hold {', '.join(sorted(KEYS))}, and nothing else")
    command, based_on = document["command"], document["based_on"]
    if not isinstance(command, str) or command not in FORMS:
        raise ValueError(f"it is of none of the commands {', '.join(FORMS)}")
    if type(based_on) is not int or not 0 <= based_on <= HIGHEST_KEY:
        raise ValueError("based_on is not the number of an operation")
    return Plan(command, check_form(command, document["task"]), based_on, Effects.from_json(document["effects"]))
