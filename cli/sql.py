"""`registry sql`."""

import csv
import itertools
import sys
from collections.abc import Sequence

import click

from cli.options import database_option, json_option
from cli.output import as_text, print_json, print_table


@click.command()
@click.argument("query")
@database_option
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV with a header line.")
def sql(query: str, database: str | None, as_json: bool, as_csv: bool) -> int:
    """Ask the database; it can only be read from here.

    The views are speakers, clips and speaker_nights; the functions similar_speakers(speaker_id, k) and
    similar_clips(clip_id, k).

    \b
    Example: registry sql "SELECT number, clips FROM speakers WHERE broadcaster = 'andaiafm'"
    """
    from registry.database import reach
    from registry.query import ask

    with reach(database, reading=True) as opened:
        answer = ask(opened.engine, query)
    if as_json:
        names = distinct(answer.columns)
        print_json([dict(zip(names, row, strict=True)) for row in answer.rows])
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
