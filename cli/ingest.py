"""`registry ingest`."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.effects import print_effects, save_plan
from cli.options import (
    MODEL_HELP,
    Address,
    author,
    database_option,
    json_option,
    new_option,
    plan_options,
    say_begun,
    work_options,
)
from cli.output import print_json, print_rejected, print_table, say
from cli.progress import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from registry.corrections.saved_plans import Plan
    from registry.database.store.journal import Unsure
    from registry.database.store.operations import Author
    from registry.ingest import IngestReport
    from registry.ingest.options import IngestOptions
    from registry.ingest.planned import PlannedIngest
    from registry.input.remote import AnyPath

ALWAYS = ("clips", "new")  # counts that are shown also where they are all 0
COUNTS = {
    "clips": "clips",
    "new": "new",
    "known": "known",
    "updated": "updated",
    "forgotten": "forgotten",
    "withdrawn": "withdrawn",
    "replaced": "taken out",
    "rejected": "rejected",
    "speakers_matched": "known voices",
    "speakers_new": "new voices",
    "speakers_joined": "joined",
}


@click.command()
@click.argument("indirs", nargs=-1, required=True, type=Address(), metavar="INDIR...")
@click.option("--strict", is_flag=True, help="Change nothing at all if any of the input is broken.")
@click.option("--as-named", is_flag=True, help="Take a station's name that looks garbled (rÃ¡dio) for what it is.")
@click.option("--model", metavar="NAME", help=MODEL_HELP)
@click.option(
    "--scope",
    type=click.Choice(["registry", "broadcaster"]),
    help="Compare a voice to all speakers of its gender, or to those of its broadcaster only.",
)
@click.option(
    "--false-merge-rate",
    type=click.FloatRange(0, 0.5, min_open=True),
    metavar="RATE",
    help="Accepted share of automatic joins that put two voices together; stays until changed.  [default: 0.02]",
)
@new_option
@work_options
@click.option(
    "--ray",
    metavar="ADDRESS",
    help="Read and embed on the nodes of a Ray cluster, where INDIR must be at the same path or URL: HOST:PORT, auto"
    " for the one that runs here, local for one of this machine alone. Needs pip install '.[ray]'.",
)
@plan_options
@database_option
@json_option
def ingest(
    indirs: "tuple[AnyPath, ...]",
    new: bool,
    plan_only: bool,
    save: Path | None,
    database: str | None,
    as_json: bool,
    **asked: Any,
) -> int:
    """Take nightly groups of clips in and tell whose voices they are.

    INDIR holds groups such as andaiafm_F20201105/, or folders of nights that do, each with pairs NAME.wav (or flac,
    ogg, opus, mp3, m4a) and NAME.txt. It may be a URL: s3://BUCKET/FOLDER, which needs pip install '.[s3]'. What is in
    the registry already is left as it is, so a run can be repeated or taken up again at any time. The first night needs
    --new; leave it out of what runs every night, so that a registry that cannot be found is an error and never another
    registry. The model and the scope are chosen with the first ingest of a registry; registry switch-model changes the
    model.

    \b
    Example: registry ingest /data/nights/2020-11-05
    """
    from registry.database.reach import reach
    from registry.ingest import ingest as run
    from registry.ingest.options import IngestOptions

    options = IngestOptions(**asked)
    if plan_only or save:
        return _plan(indirs, options, save, database, as_json, new=new)
    with reach(database, new=new) as opened, shown(quiet=as_json) as progress:
        say_begun(opened)
        report = run(opened.engine, indirs, author(), options, progress)
    print_report(report, as_json=as_json)
    return report.exit_code


def _plan(
    indirs: "tuple[AnyPath, ...]",
    options: "IngestOptions",
    save: Path | None,
    database: str | None,
    as_json: bool,
    *,
    new: bool,
) -> int:
    """Show what an ingest would do."""
    from registry.input.model_names import recorded_name

    planned = _at_once(indirs, options, database, author(), None, quiet=as_json, new=new)
    task = asdict(options)
    del task["ray"]  # an address at which programs are run
    task["model"] = None if options.model is None else recorded_name(options.model)
    task |= {"indirs": tuple(str(indir.absolute()) for indir in indirs), "new": new}
    save_plan(planned.based_on, planned.effects, "ingest", task, save)
    _print_planned(planned, "nothing was changed", as_json=as_json)
    return planned.report.exit_code


def apply_planned(plan: "Plan", database: str | None, *, as_json: bool) -> int:
    """Do what a plan of an ingest says."""
    from registry.ingest.options import IngestOptions
    from registry.input.remote import to_path

    task: dict[str, Any] = dict(plan.task)
    indirs, new = tuple(map(to_path, task.pop("indirs"))), task.pop("new")
    planned = _at_once(indirs, IngestOptions(**task), database, author(plan.words()), plan, quiet=as_json, new=new)
    _print_planned(planned, "done as planned", as_json=as_json)
    return planned.report.exit_code


def _at_once(
    indirs: "tuple[AnyPath, ...]",
    options: "IngestOptions",
    database: str | None,
    author: "Author",
    plan: "Plan | None",
    *,
    quiet: bool,
    new: bool,
) -> "PlannedIngest":
    """Ingest in one transaction: what a plan says, or, without one, only to see what would happen."""
    from registry.database.reach import reach
    from registry.ingest import ingest as run
    from registry.ingest.planned import at_once

    with reach(database, new=new) as opened, shown(quiet=quiet) as progress:
        say_begun(opened)
        act = partial(run, indirs=indirs, author=author, options=options, progress=progress)
        return at_once(opened.engine, act, plan)


def _print_planned(planned: "PlannedIngest", end: str, *, as_json: bool) -> None:
    if as_json:
        unsure = [asdict(decision) for decision in planned.unsure]
        print_json(as_document(planned.report) | {"effects": asdict(planned.effects), "unsure": unsure})
        return
    print_report(planned.report)
    print_effects(planned.effects)
    print_unsure(planned.unsure)
    say(end)


def print_unsure(unsure: "Sequence[Unsure]") -> None:
    """Print the decisions that were close."""
    if unsure:
        say("unsure, since a little more or less likeness would have turned it:")
        columns = ("speaker", "reason", "clips", "probability", "runner-up", "its probability")
        rows = [(u.label, u.reason, u.clips, u.probability, u.runner_up, u.runner_up_probability) for u in unsure]
        print_table(columns, rows)


def print_report(report: "IngestReport", *, as_json: bool = False) -> None:
    """Print a row per group and a total, and name what was rejected."""
    from registry.input.scan import listed

    if as_json:
        print_json(as_document(report))
        return
    print_rejected(report.rejected)
    for one in report.overlooked:
        say(f"left alone in {one.group}, neither audio nor .txt: {listed(one.endings)}", err=True)
    total = report.total
    counts = {count: head for count, head in COUNTS.items() if count in ALWAYS or total[count]}
    rows = [(str(group.group), *(getattr(group, count) or "" for count in counts)) for group in report.groups]
    print_table(("group", *counts.values()), rows, footer=("total", *(total[count] or "" for count in counts)))
    print_moved(report)


def print_moved(report: "IngestReport") -> None:
    """Say how many clips, of whatever night, have another speaker since a young registry was decided afresh."""
    if report.moved:
        moved = f"{report.moved} have another speaker now"
        say(f"the registry is young, so all its clips were clustered anew: {moved}")


def as_document(report: "IngestReport") -> dict[str, object]:
    """Make a report a JSON document."""
    groups = [asdict(group) | {"group": str(group.group)} for group in report.groups]
    return {
        "groups": groups,
        "total": report.total,
        "moved": report.moved,
        "rejected": [asdict(one) for one in report.rejected],
        "overlooked": [asdict(one) | {"group": str(one.group)} for one in report.overlooked],
    }
