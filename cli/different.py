"""`registry different`."""

import click

from cli.effects import print_outcome
from cli.options import author, database_option, json_option


@click.command()
@click.argument("one")
@click.argument("other")
@database_option
@json_option
def different(one: str, other: str, database: str | None, as_json: bool) -> int:
    """Note that two speakers are two people: nothing will ever join them, also not through others.

    \b
    Example: registry different F0003 F0008
    """
    from registry.corrections.merge import different as run
    from registry.database.reach import reach

    with reach(database) as opened:
        outcome = run(opened.engine, one, other, author())
    print_outcome(outcome, as_json=as_json)
    return 0
