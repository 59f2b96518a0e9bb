"""Take clips out of the registry again: what should not have come in, a clip or a whole night."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Engine

from registry.corrections.addressed import find_clips
from registry.corrections.change import Change, Outcome, change
from registry.corrections.saved_plans import Plan
from registry.database.store import addresses, withdrawal
from registry.database.store.operations import Author
from registry.errors import UnknownClip


def withdraw(
    engine: Engine,
    what: Sequence[str],
    author: Author,
    *,
    plan_only: bool = False,
    plan: Plan | None = None,
) -> Outcome:
    """Take clips out, or all clips of groups; an ingest of the same files leaves them out from then on.

    Speakers keep their numbers and names, also those that have no clip left. The same sound under another name or in
    another group is taken in, and gets the speaker and the verdicts that it had.

    Args:
        engine: The registry's database.
        what: What the clips are called, see `find_clips`, or names of groups: andaiafm_F20201105.
        author: Who says so.
        plan_only: Only tell what would change.
        plan: A saved plan to follow.

    Raises:
        UnknownClip: There is no such clip or group.
        PlanOutdated: See `change`.
    """

    def act(under_way: Change) -> Mapping[str, object]:
        connection = under_way.connection
        clip_ids = sorted({clip_id for address in what for clip_id in _find(connection, address)})
        withdrawal.withdraw(connection, clip_ids, under_way.operation_id)
        return {"clips": len(clip_ids), "groups": withdrawal.groups_of(connection, clip_ids)}

    return change(engine, author, "withdraw", act, plan_only=plan_only, plan=plan)


def _find(connection: Connection, address: str) -> list[int]:
    group = addresses.as_group(address)
    if group is None:
        return find_clips(connection, [address])
    found = withdrawal.clips_of_group(connection, group)
    if not found:
        raise UnknownClip(address=address, cause="the registry has no clips of this group")
    return found
