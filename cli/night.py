"""`registry night`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

import click

from cli import export as export_command
from cli import ingest as ingest_command
from cli.options import Address, author, database_option, json_option, link_option, new_option, say_begun, work_options
from cli.output import print_json, print_rejected, say
from cli.progress import shown

if TYPE_CHECKING:
    from registry.export.files import LinkMode
    from registry.input.remote import AnyPath
    from registry.night import NightReport

SHOWN = 10  # of joined speakers and of unsure decisions; --json lists all


@click.command()
@click.argument("indirs", nargs=-1, required=True, type=Address(), metavar="INDIR...")
@click.argument("outdir", type=Address())
@link_option
@click.option("--as-named", is_flag=True, help="Take broadcasters' names that look garbled for what they are.")
@new_option
@work_options
@click.option("--quiet", is_flag=True, help="Print only what a person should look at; for cron, which mails it.")
@database_option
@json_option
def night(
    indirs: "tuple[AnyPath, ...]",
    outdir: "AnyPath",
    mode: str,
    new: bool,
    quiet: bool,
    database: str | None,
    as_json: bool,
    **asked: Any,
) -> int:
    """Take a night in and export it: registry ingest and registry export in one, for every night.

    What is rejected is named and the rest is exported; a night that is due while another is at work waits for it.
    Exits with 0 if all is well, 1 if some was rejected or not exported, 2 if it could not run.

    With --quiet nothing is printed unless a person should look: at what was rejected or could not be exported, at
    speakers that were joined, at decisions that were close.

    \b
    Example: registry night /data/nights /data/speakers --quiet
    """
    from registry.database.reach import reach
    from registry.ingest.options import IngestOptions
    from registry.night import night as run

    with reach(database, new=new) as opened, shown(quiet=as_json or quiet) as progress:
        say_begun(opened)
        report = run(
            opened.engine,
            indirs,
            outdir,
            author(),
            mode=cast("LinkMode", mode),
            options=IngestOptions(**asked),
            progress=progress,
        )
    if as_json:
        print_json(_as_document(report))
    else:
        _print_report(report, outdir, quiet=quiet)
    return report.exit_code


def _as_document(report: "NightReport") -> dict[str, object]:
    refused = str(report.exported) if isinstance(report.exported, Exception) else None
    return {
        "ingested": ingest_command.as_document(report.ingested),
        "exported": None if isinstance(report.exported, Exception) else asdict(report.exported),
        "export_refused": refused,
        "joined": [asdict(one) for one in report.joined],
        "unsure": [asdict(one) for one in report.unsure],
    }


def _print_report(report: "NightReport", outdir: "AnyPath", *, quiet: bool) -> None:
    if quiet:
        print_rejected(report.ingested.rejected)
        ingest_command.print_moved(report.ingested)
    else:
        ingest_command.print_report(report.ingested)
    if isinstance(report.exported, Exception):
        say(f"registry: {report.exported}", err=True)
    elif quiet:
        export_command.print_lacking(report.exported)
    else:
        export_command.print_report(report.exported, outdir)
    _print_worth_a_look(report)


def _print_worth_a_look(report: "NightReport") -> None:
    if report.joined:
        say("speakers that were joined, since they sound as one voice; if they are two, registry split the speaker:")
    for one in report.joined[:SHOWN]:
        say(f"  {one.alias} is {one.of} from now on")
    _print_more(len(report.joined))
    ingest_command.print_unsure(report.unsure[:SHOWN])
    _print_more(len(report.unsure))


def _print_more(count: int) -> None:
    if count > SHOWN:
        say(f"  ... and {count - SHOWN} more; --json lists all")
