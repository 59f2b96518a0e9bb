"""`registry apply`."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from cli.options import LocalPath, database_option, follow, json_option

if TYPE_CHECKING:
    from registry.corrections.plan import Plan


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

    loaded = load(plan)
    root = context.find_root().command
    command = root.get_command(context, loaded.command) if isinstance(root, click.Group) else None
    assert command is not None  # noqa: S101 - of these commands alone plans are loaded
    with follow(loaded):
        return int(context.invoke(command, **_parameters(loaded), database=database, as_json=as_json))


def _parameters(plan: "Plan") -> dict[str, object]:
    """Make of the task what the command's own options would have made of it."""
    from registry.input.remote import to_path

    task: dict[str, object] = dict(plan.task)
    if plan.command == "ingest":
        task["indirs"] = tuple(map(to_path, cast("tuple[str, ...]", task["indirs"])))
    return task
