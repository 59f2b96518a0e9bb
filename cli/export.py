"""`registry export`."""

import datetime as dt
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from cli.options import database_option, json_option
from cli.output import print_json, print_rejected
from cli.progress import shown

if TYPE_CHECKING:
    from registry.export import ExportReport
    from registry.export.files import LinkMode

DATE = click.DateTime(formats=["%Y%m%d", "%Y-%m-%d"])


@click.command()
@click.argument("outdir", type=click.Path(path_type=Path))
@click.option(
    "--link",
    "mode",
    type=click.Choice(["copy", "hardlink", "symlink"]),
    default="copy",
    show_default=True,
    help="Copy the files, or link to where they came from.",
)
@click.option("--broadcaster", help="Only this broadcaster's groups; what is there of others stays.")
@click.option("--from", "first", type=DATE, metavar="DATE", help="Only nights from this one on: 20201105.")
@click.option("--to", "last", type=DATE, metavar="DATE", help="Only nights up to this one.")
@database_option
@json_option
def export(
    outdir: Path,
    mode: str,
    broadcaster: str | None,
    first: dt.datetime | None,
    last: dt.datetime | None,
    database: str | None,
    as_json: bool,
) -> int:
    """Write the numbered speaker folders from the database.

    OUTDIR gets andaiafm20201105/andaiafm20201105-F0001/andaiafm20201105F0001_000000.{wav,txt} and so on; F0001
    is the same voice on every night. Only what differs is written; files of others in OUTDIR are never touched.

    \b
    Example: registry export /data/speakers --link hardlink
    """
    from registry.database import reach
    from registry.export import export as run
    from registry.store.tree import Extent

    extent = Extent(broadcaster, first and first.date(), last and last.date())
    with reach(database) as opened, shown(quiet=as_json) as progress:
        report = run(opened.engine, outdir, extent, cast("LinkMode", mode), progress)
    print_report(report, outdir, as_json=as_json)
    return report.exit_code


def print_report(report: "ExportReport", outdir: Path, *, as_json: bool = False) -> None:
    """Print what was done to the tree, and name what could not be exported."""
    if as_json:
        print_json({"outdir": outdir, **asdict(report)})
        return
    print_rejected(report.rejected)
    click.echo(
        f"{report.clips} clips in {outdir}: {report.written} files written, {report.unchanged} unchanged,"
        f" {report.removed} removed, {len(report.rejected)} rejected"
    )
