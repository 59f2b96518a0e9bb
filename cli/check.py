"""`registry check`."""

from dataclasses import asdict

import click

from cli.options import database_option, json_option
from cli.output import print_broken, print_json


@click.command()
@database_option
@json_option
def check(database: str | None, as_json: bool) -> int:
    """Verify that the registry is sound: every clip one speaker, numbers unique, profiles exact.

    Exits with 1 and names the rows if an invariant is broken.

    \b
    Example: registry check
    """
    from registry.database.check import ALL
    from registry.database.check import check as run
    from registry.database.reach import reach

    with reach(database, reading=True) as opened:
        violations = run(opened.engine)
    if as_json:
        broken = [asdict(violation) for violation in violations]
        print_json({"sound": not broken, "invariants": len(ALL), "broken": broken})
    else:
        print_broken(violations)
        click.echo(f"{len(ALL) - len(violations)} of {len(ALL)} invariants hold")
    return 1 if violations else 0
