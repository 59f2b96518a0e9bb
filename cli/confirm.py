"""`registry confirm`."""

import click

from cli.effects import print_outcome
from cli.options import author, database_option, json_option


@click.command()
@click.argument("address", metavar="SPEAKER|CLIP")
@database_option
@json_option
def confirm(address: str, database: str | None, as_json: bool) -> int:
    """Note that a speaker is one voice, or a clip where it belongs: nothing automatic will move it.

    A clip is its key, GROUP/NAME, or a wav file, an exported one say.

    \b
    Example: registry confirm F0003
    """
    from registry.corrections.move import confirm as run
    from registry.database import reach

    with reach(database) as opened:
        outcome = run(opened.engine, address, author())
    print_outcome(outcome, as_json=as_json)
    return 0
