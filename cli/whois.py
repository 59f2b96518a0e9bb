"""`registry whois`."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cli.options import Address, database_option, json_option
from cli.output import print_json, print_table

if TYPE_CHECKING:
    from registry.remote import AnyPath

LIKELY = 0.5


@click.command()
@click.argument("file", type=Address())
@click.option("--most", type=click.IntRange(min=1), default=10, show_default=True, help="How many speakers to list.")
@database_option
@json_option
def whois(file: "AnyPath", most: int, database: str | None, as_json: bool) -> int:
    """Rank the speakers by how well a wav file fits them; it need not be in the registry. It may be a URL.

    \b
    Example: registry whois interview.wav
    """
    from registry.corrections.whois import whois as run
    from registry.database import reach

    with reach(database) as opened:
        candidates = run(opened.engine, file, most=most)
    if as_json:
        print_json([asdict(candidate) for candidate in candidates])
        return 0
    columns = ("speaker", "name", "probability", "score", "clips")
    print_table(columns, [(c.label, c.name, c.probability, c.score, c.clips) for c in candidates])
    if not candidates or candidates[0].probability < LIKELY:
        click.echo("probably nobody the registry knows")
    return 0
