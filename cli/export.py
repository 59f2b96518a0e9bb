"""`registry export`."""

import datetime as dt
from dataclasses import asdict
from typing import TYPE_CHECKING, cast

import click

from cli.options import DATE, Address, database_option, json_option, link_option
from cli.output import print_json, print_rejected, say
from cli.progress import shown

if TYPE_CHECKING:
    from registry.export import ExportReport
    from registry.export.files import LinkMode
    from registry.input.remote import AnyPath

SHOWN = 10
RENUMBERED = (
    "Renamed: a running number counts through its whole group, speaker by speaker; in these groups clips are new, or"
    " have another speaker, or left."
)
SET_ASIDE = "{count} files left the tree and have no other copy, so they were set aside:"


@click.command()
@click.argument("outdir", type=Address())
@link_option
@click.option("--broadcaster", help="Only this broadcaster's groups; what is there of others stays.")
@click.option("--from", "first", type=DATE, metavar="DATE", help="Only nights from this one on: 20201105.")
@click.option("--to", "last", type=DATE, metavar="DATE", help="Only nights up to this one.")
@click.option(
    "--as-of",
    metavar="OPERATION|DATE",
    help="The state of an earlier moment, into a folder of its own: right after an operation, 12, or at the end of a"
    " day on which the registry was changed, 2020-11-05 (UTC). Not the night of a recording; that is --to.",
)
@click.option(
    "--remove",
    "may_remove",
    is_flag=True,
    help="Go on where more would leave the tree than the journal explains; what has no other copy is set aside.",
)
@click.option("--plan", "plan_only", is_flag=True, help="Show what would change and change nothing.")
@database_option
@json_option
def export(
    outdir: "AnyPath",
    mode: str,
    broadcaster: str | None,
    first: dt.datetime | None,
    last: dt.datetime | None,
    as_of: str | None,
    may_remove: bool,
    plan_only: bool,
    database: str | None,
    as_json: bool,
) -> int:
    """Write the numbered speaker folders from the database.

    OUTDIR gets andaiafm20201105/andaiafm20201105-F0001/andaiafm20201105F0001_000000.{wav,txt} and so on; F0001
    is the same voice on every night. Only what differs is written; files of others in OUTDIR are never touched.
    What leaves the tree and has no other copy is set aside in OUTDIR/.registry/set-aside.

    \b
    Example: registry export /data/speakers --link hardlink
    """
    from registry.database.reach import reach
    from registry.database.store.tree import Extent
    from registry.export import export as run
    from registry.export.as_of import find_moment

    extent = Extent(broadcaster, first and first.date(), last and last.date())
    with reach(database) as opened, shown(quiet=as_json or plan_only) as progress:
        moment = None if as_of is None else find_moment(opened.engine, as_of)
        operation, link = moment.operation_id if moment else None, cast("LinkMode", mode)
        report = run(
            opened.engine,
            outdir,
            extent,
            link,
            progress,
            as_of=operation,
            plan_only=plan_only,
            may_remove=may_remove,
        )
    if moment is not None:
        report.as_of = str(moment)
        report.warnings += [moment.warning] if report.clips == 0 and extent.is_whole else []
    if plan_only and not as_json:
        _print_plan(report)
    else:
        print_report(report, outdir, as_json=as_json)
    return report.exit_code


def _print_plan(report: "ExportReport") -> None:
    print_rejected(report.rejected)
    print_warnings(report)
    for path in report.to_write:
        say(f"write   {path}")
    for old, new in report.to_rename:
        say(f"rename  {old} to {new}")
    for path in report.to_remove:
        say(f"remove  {path}")
    for path in report.to_set_aside:
        say(f"set aside, as there is no other copy: {path}")
    say(f"{report.unchanged} files are as they should be; nothing was changed")


def print_report(report: "ExportReport", outdir: "AnyPath", *, as_json: bool = False) -> None:
    """Print what was done to the tree, and name what could not be exported."""
    if as_json:
        print_json({"outdir": outdir, **asdict(report)})
        return
    print_rejected(report.rejected)
    print_warnings(report)
    moment = f", {report.as_of}" if report.as_of else ""
    renamed = f" {report.renamed} renamed," if report.renamed else ""
    say(
        f"{report.clips} clips in {outdir}{moment}: {report.written} files written,{renamed}"
        f" {report.unchanged} unchanged, {report.removed} removed, {len(report.rejected)} not exported"
    )
    if report.renamed:
        say(RENUMBERED)
    _print_set_aside(report)


def print_lacking(report: "ExportReport") -> None:
    """Name what could not be exported, and what has left the tree and has no other copy."""
    print_rejected(report.rejected)
    print_warnings(report)
    _print_set_aside(report)


def _print_set_aside(report: "ExportReport") -> None:
    if report.set_aside:
        say(SET_ASIDE.format(count=len(report.set_aside)))
    for path in report.set_aside[:SHOWN]:
        say(f"  {path}")


def print_warnings(report: "ExportReport") -> None:
    """Say on standard error what a person should know."""
    for warning in report.warnings:
        say(f"registry: {warning}", err=True)
