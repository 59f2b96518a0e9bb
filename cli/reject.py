"""`registry reject`."""

import click

from cli.effects import print_outcome
from cli.options import author, database_option, json_option


@click.command()
@click.argument("clip")
@click.argument("speaker")
@database_option
@json_option
def reject(clip: str, speaker: str, database: str | None, as_json: bool) -> int:
    """Note that a clip is not a speaker's voice, for good.

    If it was filed there, it gets a speaker of its own; `registry move` says whose it is.

    \b
    Example: registry reject andaiafm_F20201105/mclip-00000003 F0003
    """
    from registry.corrections.move import reject as run
    from registry.database.reach import reach

    with reach(database) as opened:
        outcome = run(opened.engine, clip, speaker, author())
    print_outcome(outcome, as_json=as_json)
    return 0
