"""`registry replace`."""

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from cli.effects import print_effects
from cli.ingest import as_document, print_report
from cli.options import Address, author, database_option, json_option, work_options
from cli.output import print_json, say
from cli.progress import shown

if TYPE_CHECKING:
    from registry.input.remote import AnyPath


@click.command()
@click.argument("folders", nargs=-1, required=True, type=Address(), metavar="FOLDER...")
@click.option(
    "--of", metavar="GROUP", help="The group whose place FOLDER takes, where it got another name: andaiafm_F20201105."
)
@click.option("--as-named", is_flag=True, help="Take broadcasters' names that look garbled for what they are.")
@click.option("--remove", "may_shrink", is_flag=True, help="Go on where less than half of a group would be left.")
@click.option("--plan", "plan_only", is_flag=True, help="Show what would change and change nothing.")
@work_options
@database_option
@json_option
def replace(
    folders: "tuple[AnyPath, ...]",
    of: str | None,
    may_shrink: bool,
    plan_only: bool,
    database: str | None,
    as_json: bool,
    **asked: Any,
) -> int:
    """Let the registry's groups become what their folders hold now.

    Another recording under a known name takes its place; clips whose files are gone are taken out; what is new is
    taken in. A recording keeps its speaker, and what people said about it, under whatever name it comes. So a night
    that was cut anew, or a folder that was dated wrongly, is put right without a number lost. FOLDER is a group, or
    holds groups.

    \b
    Example: registry replace /data/nights/andaiafm_F20201106 --of andaiafm_F20201105
    """
    from registry.database.reach import reach
    from registry.database.store.addresses import named_group
    from registry.ingest.options import IngestOptions
    from registry.ingest.planned import at_once
    from registry.ingest.replace import replace as run

    instead_of = None if of is None else named_group(of)
    with reach(database) as opened, shown(quiet=as_json) as progress:
        act = partial(
            run,
            folders=folders,
            author=author(),
            instead_of=instead_of,
            may_shrink=may_shrink or plan_only,
            options=IngestOptions(**asked),
            progress=progress,
        )
        planned = at_once(opened.engine, act) if plan_only else None
        report = act(opened.engine) if planned is None else planned.report
    if as_json:
        print_json(as_document(report) | ({} if planned is None else {"effects": asdict(planned.effects)}))
        return report.exit_code
    print_report(report)
    if planned is not None:
        print_effects(planned.effects)
        click.echo("nothing was changed")
        return report.exit_code
    for group in report.groups:
        if group.operation_id is not None:
            taken_out = f"{group.replaced} clips were taken out of what was there; " if group.replaced else ""
            say(f"{group.group}: {taken_out}to take it back: registry undo {group.operation_id}")
    return report.exit_code
