"""`registry apply`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.effects import print_outcome
from cli.ingest import apply_planned
from cli.options import LocalPath, author, database_option, json_option

if TYPE_CHECKING:
    from registry.corrections.saved_plans import Plan


@click.command()
@click.argument("plan", type=LocalPath())
@database_option
@json_option
def apply(plan: Path, database: str | None, as_json: bool) -> int:
    """Do what a saved plan says, exactly, or refuse if the registry has moved on.

    A plan is what --save of ingest, merge, split, move or withdraw writes.

    \b
    Example: registry apply plan.json
    """
    from registry.corrections.saved_plans import load

    loaded = load(plan)
    if loaded.command == "ingest":
        return apply_planned(loaded, database, as_json=as_json)
    return _correct(loaded, database, as_json=as_json)


def _correct(plan: "Plan", database: str | None, *, as_json: bool) -> int:
    from registry.corrections.apply import apply as run
    from registry.database.reach import reach

    with reach(database) as opened:
        outcome = run(opened.engine, plan, author(plan.words()))
    print_outcome(outcome, as_json=as_json)
    return 0
