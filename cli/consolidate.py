"""`registry consolidate`."""

from dataclasses import asdict

import click

from cli.effects import as_document, print_outcome
from cli.options import author, database_option, json_option
from cli.output import print_json, print_table


@click.command()
@click.option("--plan", "plan_only", is_flag=True, help="Show what would change and change nothing.")
@database_option
@json_option
def consolidate(plan_only: bool, database: str | None, as_json: bool) -> int:
    """Join speakers that are one voice, and list those that may be, for you to decide.

    Every ingest does so for the voices it hears; this looks at all. What people confirmed is not touched.

    \b
    Example: registry consolidate --plan
    """
    from registry.corrections.consolidate import consolidate as run
    from registry.database import reach

    with reach(database) as opened:
        found = run(opened.engine, author(), plan_only=plan_only)
    if as_json:
        print_json(as_document(found.outcome) | {"review": [asdict(question) for question in found.questions]})
        return 0
    print_outcome(found.outcome, as_json=False)
    if found.questions:
        click.echo("may be one voice; listen, then registry merge or registry different:")
        print_table(("speaker", "other", "probability"), [(q.one, q.other, q.probability) for q in found.questions])
    return 0
