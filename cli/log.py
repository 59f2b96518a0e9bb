"""`registry log` and `registry show`."""

import datetime as dt
from dataclasses import asdict

import click

from cli.effects import print_effects
from cli.options import DATE, database_option, json_option
from cli.output import in_words, print_facts, print_json, print_table


@click.command()
@click.option("--speaker", help="Only what touched this speaker.")
@click.option(
    "--since",
    type=DATE,
    metavar="DATE",
    help="Only what was done on this day or later, in UTC; not the night of a recording.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The newest N at most.")
@database_option
@json_option
def log(speaker: str | None, since: dt.datetime | None, limit: int | None, database: str | None, as_json: bool) -> int:
    """List what was done to the registry, newest first.

    \b
    Example: registry log --speaker F0003
    """
    from registry.core.journal_words import in_short
    from registry.database.reach import reach
    from registry.database.store import addresses, journal

    with reach(database, reading=True) as opened, opened.engine.connect() as connection:
        speaker_id = addresses.find_speaker(connection, speaker).speaker_id if speaker is not None else None
        entries = journal.entries(connection, speaker_id, since=since and since.date(), limit=limit)
    if as_json:
        print_json([asdict(entry) for entry in entries])
    else:
        columns = ("operation", "at (UTC)", "kind", "what", "user", "command")
        rows = [
            (e.operation_id, f"{e.at:%Y-%m-%d %H:%M}", e.kind, in_short(e.kind, e.summary), e.user_name, e.command)
            for e in entries
        ]
        print_table(columns, rows, spare=("command", "user"))
    return 0


@click.command()
@click.argument("operation", type=int)
@database_option
@json_option
def show(operation: int, database: str | None, as_json: bool) -> int:
    """Tell what an operation changed.

    \b
    Example: registry show 12
    """
    from registry.database.reach import reach
    from registry.database.store import journal
    from registry.errors import UnknownOperation

    with reach(database, reading=True) as opened, opened.engine.connect() as connection:
        entry = journal.entry(connection, operation)
        if entry is None:
            raise UnknownOperation(operation=operation)
        effects = journal.effects(connection, [operation])
    if as_json:
        print_json({**asdict(entry), "effects": asdict(effects)})
        return 0
    when_and_who = f"{entry.at:%Y-%m-%d %H:%M:%S} UTC, {entry.user_name}"
    print_facts({f"operation {entry.operation_id}, {when_and_who}": entry.command})
    print_facts(in_words(entry.summary), indent="  ")
    print_effects(effects)
    return 0
