"""A young registry is decided afresh after every run: what its first nights could not know, later nights show."""

from collections.abc import Mapping

from sqlalchemy import Connection

from registry.core.records import GENDERS
from registry.corrections.change import Change, carry_out_finding
from registry.corrections.recluster import Reclustered, is_young, recluster
from registry.database.store import history
from registry.database.store.models import Foundation
from registry.database.store.operations import Author


def decide_afresh(connection: Connection, foundation: Foundation, author: Author) -> int:
    """Cluster all clips of a young registry anew, so that neither the order of its nights nor of their genders matters.

    Speakers keep their numbers, and those of whom a person said anything their clips. It is an operation of its own,
    and none where nothing changes. A registry that is no longer young keeps what has stood, and so does one that
    compares voices within each broadcaster only.

    Args:
        connection: In a transaction that holds the registry's lock.
        foundation: What the registry is built on.
        author: Who runs this, for the journal.

    Returns:
        How many clips another speaker has now.
    """
    if not is_young(connection, foundation):
        return 0
    with connection.begin_nested() as nested:
        moved = _recluster_all(connection, foundation, author)
        if moved is None:
            nested.rollback()
    return moved or 0


def _recluster_all(connection: Connection, foundation: Foundation, author: Author) -> int | None:
    def act(under_way: Change) -> tuple[Mapping[str, object], int]:
        moved = _moved([recluster(under_way, foundation, gender) for gender in GENDERS])
        history.drop_passing(connection, under_way.operation_id)
        return {"reclustered": True, "moved": moved}, moved

    outcome, moved = carry_out_finding(connection, author, "consolidate", act)
    return None if outcome.operation_id is None else moved


def _moved(found: list[Reclustered]) -> int:
    return sum(now != before for one in found for before, now in zip(one.before, one.after, strict=True))
