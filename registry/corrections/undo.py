"""Take operations back, exactly; an undo is an operation too and can be taken back itself."""

import shlex
from collections.abc import Mapping

from sqlalchemy import Connection, Engine

from registry.core import standing
from registry.corrections.change import FINAL, Change, Outcome, carry_out
from registry.database.store import embeddings, history, journal, models, operations, profiles
from registry.database.store.journal import Entry
from registry.database.store.operations import Author
from registry.errors import UndoRefused, UnknownOperation


def undo(
    engine: Engine, operation_id: int, author: Author, *, with_later: bool = False, plan_only: bool = False
) -> list[Outcome]:
    """Bring back what held before an operation, as an operation of its own.

    With `with_later`, later operations that build on it are taken back first, newest first, all in one
    transaction; with `plan_only` everything is only shown.

    Returns:
        One outcome for every operation taken back, that of `operation_id` last.

    Raises:
        UnknownOperation: There is no such operation.
        UndoRefused: Later operations build on it, or it erased what it changed, or the model that would decide has
            not embedded every clip.
    """
    with engine.connect() as connection, connection.begin() as transaction:
        operations.lock_registry(connection)
        outcomes = _undo(connection, operation_id, author, with_later=with_later)
        if plan_only:
            transaction.rollback()
    return outcomes


def _undo(connection: Connection, operation_id: int, author: Author, *, with_later: bool) -> list[Outcome]:
    entry = journal.entry(connection, operation_id)
    if entry is None:
        raise UnknownOperation(operation=operation_id)
    if entry.kind in FINAL:
        raise UndoRefused(operation=operation_id, cause="what it erased is gone")
    if entry.erased_by is not None:
        cause = f"operation {entry.erased_by} has forgotten somebody whom it was about"
        raise UndoRefused(operation=operation_id, cause=cause)
    if undone_by := standing.undone_by(journal.undos(connection)).get(operation_id):
        cause = f"operation {undone_by} has undone it already; undo that one to have it back"
        raise UndoRefused(operation=operation_id, cause=cause)
    outcomes: list[Outcome] = []
    while later := _in_the_way(connection, operation_id, author):
        if not with_later:
            listed = ", ".join(map(str, sorted(later)))
            raise UndoRefused(operation=operation_id, cause=f"later operations build on it: {listed}; see --with-later")
        outcomes += _undo(connection, max(later), author, with_later=True)
    return [*outcomes, _take_back(connection, entry, author)]


def _take_back(connection: Connection, entry: Entry, author: Author) -> Outcome:
    def act(under_way: Change) -> Mapping[str, object]:
        history.take_back(connection, entry.operation_id, under_way.operation_id)
        _insist_on_embeddings(under_way, entry.operation_id)
        return {"undone": entry.operation_id, "kind": entry.kind}

    outcome = carry_out(connection, author, "undo", act)
    if outcome.operation_id is None:
        raise UndoRefused(operation=entry.operation_id, cause=_why_nothing(entry))
    return outcome


def _why_nothing(entry: Entry) -> str:
    if any(word.endswith(" replaced") for word in (name.replace("_", " ") for name in entry.summary)):
        return "it only noted files that hold something else now; put the former files back and ingest them"
    return "nothing of it is left to take back"


def _insist_on_embeddings(under_way: Change, operation_id: int) -> None:
    """Refuse what would leave clips without an embedding under the model that decides then.

    So it is with clips that came in after a switch, if that is undone; and with an ingest from before a switch, if
    its undo is undone.
    """
    connection = under_way.connection
    deciding = models.foundation(connection)
    if deciding is None:
        return
    has_switched = history.changed_model(connection, operation_id)
    only_of = None if has_switched else under_way.operation_id
    if count := embeddings.clips_without(connection, deciding.model_id, only_of):
        command = shlex.join(["registry", "reembed", "--model", deciding.name])
        cause = f"{count} clips have no embedding under {deciding.name}; {command} first"
        raise UndoRefused(operation=operation_id, cause=cause)
    if has_switched:
        profiles.complete(connection, deciding.model_id)


def _in_the_way(connection: Connection, operation_id: int, author: Author) -> set[int]:
    """Name the later operations that have to go first: they changed the same things, or stand on them.

    Raises:
        UndoRefused: Something is in the way that cannot be named.
    """
    found = history.operations_in_the_way(connection, operation_id) or _left_hanging(connection, operation_id, author)
    later = standing.still_counting(found, operation_id, journal.undos(connection))
    if found and not later:
        raise UndoRefused(operation=operation_id, cause="what it changed is no longer as it left it")
    return later


def _left_hanging(connection: Connection, operation_id: int, author: Author) -> set[int]:
    """Take it back on trial, and name the operations on what then no longer fits together."""
    trial = connection.begin_nested()
    by_operation = operations.begin_operation(connection, "undo", author)
    history.take_back(connection, operation_id, by_operation)
    hanging = history.operations_left_hanging(connection, by_operation)
    trial.rollback()
    return hanging - {by_operation}
