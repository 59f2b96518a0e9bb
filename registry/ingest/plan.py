"""An ingest as one transaction: to see what it would do, or to do exactly what was planned."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from registry import settings
from registry.corrections.plan import Plan
from registry.ingest.report import IngestReport
from registry.ingest.run import ingest
from registry.progress import Progress
from registry.remote import AnyPath
from registry.runtimes import Runtime
from registry.store import journal, operations
from registry.store.journal import Effects, Unsure
from registry.store.operations import Author
from registry.store.transactions import OneTransaction


@dataclass(frozen=True)
class PlannedIngest:
    """What an ingest would change."""

    report: IngestReport
    based_on: int  # the last operation before it
    effects: Effects
    unsure: tuple[Unsure, ...]  # decisions that were close, the closest first


def ingest_at_once(
    engine: Engine,
    indirs: Sequence[AnyPath],
    author: Author,
    *,
    plan: Plan | None = None,
    model: str | None = None,
    scope: str | None = None,
    false_merge_rate: float | None = None,
    runtime: Runtime | None = None,
    workers: int | None = None,
    ray: str | None = None,
    strict: bool = False,
    as_named: bool = False,
    progress: Progress | None = None,
) -> PlannedIngest:
    """Ingest in one transaction: without a plan only to see what would happen, with one to do just that.

    Raises:
        PlanOutdated: The registry has moved on since the plan was made, or the input is not what it was.
        Also what `ingest` raises.
    """
    with engine.connect() as connection, connection.begin() as transaction:
        operations.lock_registry(connection)
        based_on = operations.last_operation(connection)
        if plan is not None:
            plan.insist_on_base(based_on)
        steps = OneTransaction(connection)
        report = ingest(
            *(steps, indirs, author),
            model=model,
            scope=scope,
            false_merge_rate=false_merge_rate,
            runtime=runtime,
            workers=workers,
            ray=ray,
            strict=strict,
            as_named=as_named,
            progress=progress,
        )
        effects = journal.effects_after(connection, based_on)
        unsure = tuple(journal.unsure_after(connection, based_on, *settings.UNSURE))
        if plan is None:
            transaction.rollback()
        else:
            plan.insist_on_effects(effects)
    return PlannedIngest(report, based_on, effects, unsure)
