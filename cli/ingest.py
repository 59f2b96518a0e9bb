"""`registry ingest`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.options import author, database_option, json_option
from cli.output import print_json, print_rejected, print_table
from cli.progress import shown

if TYPE_CHECKING:
    from registry.ingest import IngestReport

COUNTS = ("clips", "new", "known", "updated", "rejected", "speakers_matched", "speakers_new")


@click.command()
@click.argument("indirs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="INDIR...")
@click.option("--strict", is_flag=True, help="Change nothing at all if any of the input is broken.")
@click.option("--model", metavar="NAME", help="campplus, a Hugging Face id, or a local checkpoint.")
@click.option(
    "--scope",
    type=click.Choice(["registry", "broadcaster"]),
    help="Compare a voice to all speakers of its gender, or to those of its broadcaster only.",
)
@database_option
@json_option
def ingest(
    indirs: tuple[Path, ...],
    strict: bool,
    model: str | None,
    scope: str | None,
    database: str | None,
    as_json: bool,
) -> int:
    """Take nightly groups of clips in and tell whose voices they are.

    INDIR holds groups such as andaiafm_F20201105/, each with pairs NAME.wav and NAME.txt. What is in the
    registry already is left as it is, so a run can be repeated or taken up again at any time. The model and
    the scope are chosen with the first ingest of a registry and stay.

    \b
    Example: registry ingest /data/nights/2020-11-05
    """
    from registry.database import reach
    from registry.ingest import ingest as run

    with reach(database, create=True) as opened, shown(quiet=as_json) as progress:
        report = run(opened.engine, indirs, author(), model=model, scope=scope, strict=strict, progress=progress)
    print_report(report, as_json=as_json)
    return report.exit_code


def print_report(report: "IngestReport", *, as_json: bool = False) -> None:
    """Print a row per group and a total, and name what was rejected."""
    if as_json:
        groups = [asdict(group) | {"group": str(group.group)} for group in report.groups]
        rejected = [asdict(one) for one in report.rejected]
        print_json({"groups": groups, "total": report.total, "rejected": rejected})
        return
    print_rejected(report.rejected)
    rows = [(str(group.group), *(getattr(group, count) for count in COUNTS)) for group in report.groups]
    columns = ("group", *(count.replace("_", " ") for count in COUNTS))
    print_table(columns, rows, footer=("total", *(report.total[count] for count in COUNTS)))
