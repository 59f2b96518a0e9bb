"""`registry undo`."""

import sys

import click

from cli.effects import as_document, print_effects
from cli.options import author, database_option, json_option
from cli.output import print_json


@click.command()
@click.argument("operation", type=int)
@click.option("--with-later", is_flag=True, help="Take later operations that build on it back too, after asking.")
@click.option("--plan", "plan_only", is_flag=True, help="Show what would change and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@database_option
@json_option
def undo(operation: int, with_later: bool, plan_only: bool, yes: bool, database: str | None, as_json: bool) -> int:
    """Take an operation back, exactly. An undo is an operation too: undo it to have it back.

    \b
    Example: registry undo 12
    """
    from registry.corrections.undo import undo as run
    from registry.database.reach import reach

    with reach(database) as opened:
        if with_later and not (yes or plan_only):
            _ask(
                [o.summary["undone"] for o in run(opened.engine, operation, author(), with_later=True, plan_only=True)]
            )
        outcomes = run(opened.engine, operation, author(), with_later=with_later, plan_only=plan_only)
    if as_json:
        print_json({"undone": [as_document(outcome) for outcome in outcomes]})
        return 0
    for outcome in outcomes:
        undone, by = outcome.summary["undone"], outcome.operation_id
        click.echo(f"would undo: operation {undone}" if plan_only else f"undone: operation {undone}, by operation {by}")
        print_effects(outcome.effects)
    if not plan_only:
        click.echo(f"to have it back: registry undo {outcomes[-1].operation_id}")
    return 0


def _ask(operations: list[object]) -> None:
    if len(operations) > 1:
        listed = ", ".join(map(str, operations))
        if not sys.stdin.isatty():
            raise click.UsageError(f"operations {listed} would be taken back, in this order; add --yes to do so")
        click.confirm(f"Take operations {listed} back, in this order?", abort=True, err=True)
