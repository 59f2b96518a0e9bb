"""`registry merge`."""

from pathlib import Path

import click

from cli.effects import print_outcome, save_plan
from cli.options import author, database_option, json_option, plan_options


@click.command()
@click.argument("one")
@click.argument("others", nargs=-1, required=True, metavar="OTHER...")
@plan_options
@database_option
@json_option
def merge(
    one: str, others: tuple[str, ...], plan_only: bool, save: Path | None, database: str | None, as_json: bool
) -> int:
    """Make two speakers, or more, one: the lowest number stays, the others become its aliases.

    Every later automatic step keeps them together. `registry same` is another name for it.

    \b
    Example: registry merge F0003 F0017 --plan
    """
    from registry.corrections.merge import merge as run
    from registry.database.reach import reach

    with reach(database) as opened:
        speakers = (one, *others)
        outcome = run(opened.engine, speakers, author(), plan_only=plan_only or bool(save))
    save_plan(outcome.based_on, outcome.effects, "merge", {"one": one, "others": others}, save)
    print_outcome(outcome, as_json=as_json)
    return 0
