"""One operation from lock to commit: what every correction is wrapped in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy import Connection, Engine

from registry.corrections.judge import judge_left, judge_touched
from registry.corrections.saved_plans import Plan
from registry.database.store import clip_certainty, history, journal, operations, speakers
from registry.database.store.journal import Effects
from registry.database.store.operations import Author

FINAL = ("forget",)  # kinds of operation that erase: what is gone cannot come back


@dataclass(frozen=True)
class Change:
    """An operation under way; nothing of it is seen by others before it ends."""

    connection: Connection
    operation_id: int


@dataclass(frozen=True)
class Outcome:
    """What an operation changed, or planned would change."""

    operation_id: int | None  # None for a plan, and where there was nothing to change
    kind: str
    based_on: int  # the last operation before it, 0 for none
    summary: Mapping[str, object]  # what the journal says about it
    effects: Effects

    @property
    def is_final(self) -> bool:
        """Tell whether it cannot be undone."""
        return self.kind in FINAL


Act = Callable[[Change], Mapping[str, object]]
Found = TypeVar("Found")
FindingAct = Callable[[Change], tuple[Mapping[str, object], Found]]


def change(
    engine: Engine, author: Author, kind: str, act: Act, *, plan_only: bool = False, plan: Plan | None = None
) -> Outcome:
    """Run one operation under the registry's lock: all of it, or nothing; what changes nothing is not journalled.

    Args:
        engine: The registry's database.
        author: Who runs it.
        kind: What it is, for the journal.
        act: Makes the changes and returns what the journal is to say about them.
        plan_only: Take everything back and only tell what would change.
        plan: A saved plan that this has to follow exactly.

    Raises:
        PlanOutdated: The registry has moved on since the plan was made, or the outcome is another.
    """
    return change_finding(engine, author, kind, lambda under_way: (act(under_way), None), plan_only, plan)[0]


def change_finding(
    engine: Engine,
    author: Author,
    kind: str,
    act: FindingAct[Found],
    plan_only: bool = False,
    plan: Plan | None = None,
) -> tuple[Outcome, Found]:
    """Run one operation as `change` does; `act` also returns what it found, which is given beside the outcome."""
    with engine.connect() as connection, connection.begin() as transaction:
        operations.lock_registry(connection)
        if plan is not None:
            plan.insist_on_base(operations.last_operation(connection))
        outcome, found = carry_out_finding(connection, author, kind, act)
        if plan is not None:
            plan.insist_on_effects(outcome.effects)
        if plan_only or outcome.operation_id is None:
            transaction.rollback()
            return replace(outcome, operation_id=None), found
    return outcome, found


def carry_out(connection: Connection, author: Author, kind: str, act: Act) -> Outcome:
    """Run one operation in a transaction that holds the registry's lock already."""
    return carry_out_finding(connection, author, kind, lambda under_way: (act(under_way), None))[0]


def carry_out_finding(
    connection: Connection, author: Author, kind: str, act: FindingAct[Found]
) -> tuple[Outcome, Found]:
    """Run one operation as `carry_out` does, and give beside its outcome what `act` found."""
    based_on = operations.last_operation(connection)
    operation_id = operations.begin_operation(connection, kind, author)
    summary, found = act(Change(connection, operation_id))
    touched = history.speakers_touched(connection, operation_id)
    if kind not in FINAL:  # what is erased leaves retired numbers behind, which never held again
        history.drop_passing(connection, operation_id)
    speakers.refresh_profiles(connection, touched)
    if history.changed_model(connection, operation_id) or history.changed_constants(connection, operation_id):
        clip_certainty.drop_judgements(connection)
        judge_left(connection)
    else:
        judge_touched(connection, touched, operation_id)
    operations.sum_up(connection, operation_id, summary)
    is_needed = kind in FINAL or history.changed_anything(connection, operation_id)
    effects = journal.effects(connection, [operation_id])
    return Outcome(operation_id if is_needed else None, kind, based_on, summary, effects), found
