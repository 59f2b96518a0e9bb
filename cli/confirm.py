"""`registry confirm`."""

import click

from cli.effects import print_outcome
from cli.options import author, database_option, json_option


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="SPEAKER|CLIP...")
@database_option
@json_option
def confirm(what: tuple[str, ...], database: str | None, as_json: bool) -> int:
    """Note that speakers are one voice each, or clips where they belong: nothing automatic will move them.

    A clip is its key, GROUP/NAME, or a wav file, an exported one say.

    \b
    Example: registry confirm F0003
    """
    from registry.corrections.move import confirm as run
    from registry.database.reach import reach

    with reach(database) as opened:
        outcome = run(opened.engine, what, author())
    print_outcome(outcome, as_json=as_json)
    return 0
