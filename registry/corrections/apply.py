"""Do what a saved plan of a correction says."""

from typing import cast

from sqlalchemy import Engine

from registry.corrections.change import Outcome
from registry.corrections.merge import merge
from registry.corrections.move import move
from registry.corrections.saved_plans import Plan
from registry.corrections.split import split
from registry.corrections.withdraw import withdraw
from registry.database.store.operations import Author


def apply(engine: Engine, plan: Plan, author: Author) -> Outcome:
    """Do exactly what was planned of a merge, move, split or withdraw.

    Raises:
        PlanOutdated: The registry has moved on since, or the plan's effects are not what comes out.
        Also what the command of the plan raises.
    """
    task = plan.task
    if plan.command == "merge":
        return merge(engine, (_text(task["one"]), *_texts(task["others"])), author, plan=plan)
    if plan.command == "move":
        return move(engine, _texts(task["clips"]), _text(task["speaker"]), author, plan=plan)
    if plan.command == "split":
        return split(engine, _text(task["speaker"]), _texts(task["clips"]), author, plan=plan)
    return withdraw(engine, _texts(task["what"]), author, plan=plan)


def _text(value: object) -> str:
    return cast("str", value)  # as `plan_forms` has checked


def _texts(value: object) -> tuple[str, ...]:
    return cast("tuple[str, ...]", value)  # the same
