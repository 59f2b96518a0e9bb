"""An ingest as one transaction: to see what it would do, or to do exactly what was planned."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from registry import settings
from registry.corrections.saved_plans import Plan
from registry.database.store import journal, operations
from registry.database.store.journal import Effects, Unsure
from registry.database.store.transactions import OneTransaction, Transactions
from registry.ingest.report import IngestReport


@dataclass(frozen=True)
class PlannedIngest:
    """What an ingest would change."""

    report: IngestReport
    based_on: int  # the last operation before it
    effects: Effects
    unsure: tuple[Unsure, ...]  # decisions that were close, the closest first


def at_once(engine: Engine, act: Callable[[Transactions], IngestReport], plan: Plan | None = None) -> PlannedIngest:
    """Take in, or replace, in one transaction: without a plan only to see what would happen, else to do just that.

    Raises:
        PlanOutdated: The registry has moved on since the plan was made, or the input is not what it was.
        Also what `act` raises.
    """
    with engine.connect() as connection, connection.begin() as transaction:
        operations.lock_registry(connection)
        based_on = operations.last_operation(connection)
        if plan is not None:
            plan.insist_on_base(based_on)
        report = act(OneTransaction(connection))
        effects = journal.effects_after(connection, based_on)
        unsure = tuple(journal.unsure_after(connection, based_on, *settings.UNSURE))
        if plan is None:
            transaction.rollback()
        else:
            plan.insist_on_effects(effects)
    return PlannedIngest(report, based_on, effects, unsure)
