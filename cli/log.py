"""`registry log` and `registry show`."""

from dataclasses import asdict

import click

from cli.effects import print_effects
from cli.options import database_option, json_option
from cli.output import print_facts, print_json, print_table


@click.command()
@click.option("--speaker", help="Only what touched this speaker.")
@database_option
@json_option
def log(speaker: str | None, database: str | None, as_json: bool) -> int:
    """List what was done to the registry, newest first.

    \b
    Example: registry log --speaker F0003
    """
    from registry.database import reach
    from registry.store import addresses, journal

    with reach(database, reading=True) as opened, opened.engine.connect() as connection:
        speaker_id = addresses.find_speaker(connection, speaker).speaker_id if speaker else None
        entries = journal.entries(connection, speaker_id)
    if as_json:
        print_json([asdict(entry) for entry in entries])
    else:
        columns = ("operation", "at (UTC)", "kind", "user", "command")
        rows = [(e.operation_id, f"{e.at:%Y-%m-%d %H:%M}", e.kind, e.user_name, e.command) for e in entries]
        print_table(columns, rows)
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
    from registry.database import reach
    from registry.errors import UnknownOperation
    from registry.store import journal

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
    print_facts(entry.summary, indent="  ")
    print_effects(effects)
    return 0
