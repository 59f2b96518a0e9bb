"""`registry rename`."""

import click

from cli.effects import print_outcome
from cli.options import author, database_option, json_option


@click.command()
@click.argument("speaker")
@click.argument("name")
@click.option("--notes", help="Anything to remember; kept as it is if left out.")
@database_option
@json_option
def rename(speaker: str, name: str, notes: str | None, database: str | None, as_json: bool) -> int:
    """Give a speaker a human name; the number stays. An empty name takes it away.

    \b
    Example: registry rename F0003 "Maria Silva" --notes "reads the news at six"
    """
    from registry.corrections.rename import rename as run
    from registry.database.reach import reach

    with reach(database) as opened:
        outcome = run(opened.engine, speaker, name, author(), notes=notes)
    print_outcome(outcome, as_json=as_json)
    return 0
