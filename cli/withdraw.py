"""`registry withdraw`."""

from pathlib import Path

import click

from cli.effects import from_anywhere, print_outcome, save_plan
from cli.options import author, database_option, json_option, plan_options


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="CLIP|GROUP...")
@plan_options
@database_option
@json_option
def withdraw(what: tuple[str, ...], plan_only: bool, save: Path | None, database: str | None, as_json: bool) -> int:
    """Take clips, or all clips of a group, out of the registry; an ingest of the same files leaves them out.

    A clip is its key, GROUP/NAME, or a wav file, an exported one say; a group is named as its folder is. Speakers
    keep their numbers and names. The same sound in another group, or under another name, is taken in and gets the
    speaker that it had. The next export takes the clips out of the tree.

    \b
    Example: registry withdraw andaiafm_F20201105/mclip-00000003
    """
    from registry.corrections.withdraw import withdraw as run
    from registry.database.reach import reach

    with reach(database) as opened:
        outcome = run(opened.engine, what, author(), plan_only=plan_only or bool(save))
    save_plan(outcome.based_on, outcome.effects, "withdraw", {"what": from_anywhere(what)}, save)
    print_outcome(outcome, as_json=as_json)
    return 0
