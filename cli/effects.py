"""Print what an operation changed, or would change."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import own_name
from cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from registry.corrections.change import Outcome
    from registry.corrections.plan_forms import Value
    from registry.database.store.journal import Effects


def print_outcome(outcome: "Outcome", *, as_json: bool) -> None:
    """Print an operation's number and effects."""
    if as_json:
        print_json(as_document(outcome))
        return
    print_effects(outcome.effects)
    say_operation(outcome)


def say_operation(outcome: "Outcome") -> None:
    """Say the number of an operation and how to take it back, or that there was none."""
    if outcome.operation_id is None:
        say("nothing was changed")
    elif not outcome.is_final:
        say(f"operation {outcome.operation_id}; to take it back: registry undo {outcome.operation_id}")


def as_document(outcome: "Outcome") -> dict[str, object]:
    """Make an outcome a JSON document."""
    return {
        "operation": outcome.operation_id,
        "based_on": outcome.based_on,
        "summary": dict(outcome.summary),
        "effects": asdict(outcome.effects),
    }


def print_effects(effects: "Effects") -> None:
    """Print a table for every kind of thing that changed; a number given to whom clips went is named there."""
    _print(("clips from", "to", "reason", "clips"), _once_each(effects.clips))
    named = {label for _, to, _, _ in effects.clips for label in to.split(" ")}
    _print(("number", "is", "of"), [row for row in effects.numbers if row[1] != "given" or row[0] not in named])
    _print(("speaker", "name before", "name after"), effects.names)
    _print(("verdict", "kind", "speaker", "on"), effects.verdicts)
    _print(("model", "role before", "role after"), effects.models)
    _print(("model", "constant", "before", "after"), effects.constants)


def _once_each(clips: "Sequence[tuple[str, str, str, int]]") -> list[tuple[str, str, str, int]]:
    """Name whose clips go to whom once, also where some are matched and some are new."""
    alike: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for was, now, reason, count in clips:
        alike.setdefault((was, now), []).append((reason, count))
    return [
        (was, now, ", ".join(reason for reason, _ in found), sum(count for _, count in found))
        for (was, now), found in alike.items()
    ]


def _print(columns: "Sequence[str]", rows: "Sequence[Sequence[object]]") -> None:
    if rows:
        print_table(columns, rows)


def save_plan(based_on: int, effects: "Effects", command: str, task: "Mapping[str, Value]", path: Path | None) -> None:
    """Save a plan, if a path for it is given, and say how to apply it."""
    if path is None:
        return
    from registry.corrections import saved_plans
    from registry.database.reach import without_password

    try:
        saved_plans.save(path, saved_plans.Plan(command, task, based_on, effects))
    except OSError as error:
        raise click.ClickException(f"cannot save the plan to {path}: {error.strerror}") from error
    database = click.get_current_context().params.get("database")
    elsewhere = ["--database", without_password(database)] if database else []
    say(f"saved; to do just this: {own_name()} {shlex.join(['apply', str(path), *elsewhere])}", err=True)


def from_anywhere(clips: "Sequence[str]") -> tuple[str, ...]:
    """Make the paths of files absolute, for a plan that may be applied from another folder."""
    return tuple(str(Path(clip).absolute()) if not clip.isdigit() and Path(clip).is_file() else clip for clip in clips)
