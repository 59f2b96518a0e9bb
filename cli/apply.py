"""`registry apply`."""

from pathlib import Path

import click

from cli.options import LocalPath, database_option, follow, json_option

PLANNED = ("ingest", "merge", "move", "split", "withdraw")  # what has --save; of anything else a file is no plan


@click.command()
@click.argument("plan", type=LocalPath())
@database_option
@json_option
@click.pass_context
def apply(context: click.Context, plan: Path, database: str | None, as_json: bool) -> int:
    """Do what a saved plan says, exactly, or refuse if the registry has moved on.

    A plan is what --save of ingest, merge, split, move or withdraw writes.

    \b
    Example: registry apply plan.json
    """
    from registry.corrections.plan import load
    from registry.errors import PlanUnreadable

    loaded = load(plan)
    command, *rest = loaded.arguments or ("",)
    if command not in PLANNED:
        raise PlanUnreadable(path=plan, cause=f"it is of none of the commands {', '.join(PLANNED)}")
    options = [*(["--database", database] if database else []), *(["--json"] if as_json else [])]
    with follow(loaded):
        root = context.find_root().command
        return int(root.main([command, *options, *rest], prog_name="registry", standalone_mode=False))
