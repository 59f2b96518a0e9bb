"""`registry sql`."""

import csv
import itertools
import sys
from collections.abc import Sequence

import click

from cli.options import database_option, json_option
from cli.output import as_text, print_json_list, print_table
from registry import settings


@click.command()
@click.argument("query")
@database_option
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV with a header line.")
@click.option(
    "--timeout",
    "timeout_s",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=settings.QUERY_TIMEOUT_S,
    show_default=True,
    help="How long the query may take; 0 for as long as it needs.",
)
def sql(query: str, database: str | None, as_json: bool, as_csv: bool, timeout_s: float) -> int:
    """Ask the database; it can only be read from here.

    The views are speakers, clips and speaker_nights; the functions similar_speakers(speaker_id, k) and
    similar_clips(clip_id, k). A table shows the first 1,000 characters of a value; --csv and --json give all of it.

    \b
    Example: registry sql "SELECT number, clips FROM speakers WHERE broadcaster = 'andaiafm'"
    """
    from registry.database.query import ask
    from registry.database.reach import reach

    with reach(database, reading=True) as opened, ask(opened, query, timeout_s) as answer:
        if as_json:
            names = distinct(answer.columns)
            print_json_list(dict(zip(names, row, strict=True)) for row in answer.rows)
        elif as_csv:
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(answer.columns)
            writer.writerows(map(as_text, row) for row in answer.rows)
        else:
            print_table(answer.columns, answer.rows)
    return 0


def distinct(columns: Sequence[str]) -> list[str]:
    """Number columns of the same name, of which a JSON object would keep the last only."""
    names: list[str] = []
    for column in columns:
        taken = {*columns, *names} if column in names else set(names)
        candidates = (f"{column}_{number}" for number in itertools.count(2))
        names.append(next(name for name in itertools.chain([column], candidates) if name not in taken))
    return names
