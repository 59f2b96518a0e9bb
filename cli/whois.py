"""`registry whois`."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cli.options import Address, database_option, json_option
from cli.output import print_json, print_rejected, print_table, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from registry.input.remote import AnyPath
    from registry.whois import Whois

LIKELY = 0.5
MOST, MOST_OF_SEVERAL = 10, 3


@click.command()
@click.argument("files", nargs=-1, required=True, type=Address(), metavar="FILE...")
@click.option(
    "--most",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"How many speakers to list of a file.  [default: {MOST}, of several files {MOST_OF_SEVERAL}]",
)
@database_option
@json_option
def whois(files: "tuple[AnyPath, ...]", most: int | None, database: str | None, as_json: bool) -> int:
    """Rank the speakers by how well they fit audio files, which need not be in the registry.

    FILE is wav, flac, ogg, opus, mp3, or m4a where the program ffmpeg is; it may be a URL. One that cannot be used is
    named, the others are answered.

    \b
    Example: registry whois interview.wav caller.mp3
    """
    from registry.database.reach import reach
    from registry.whois import whois as run

    most = most or (MOST if len(files) == 1 else MOST_OF_SEVERAL)
    with reach(database) as opened:
        answers = run(opened.engine, files, most=most)
    rejected = [answer.rejected for answer in answers if answer.rejected is not None]
    if as_json:
        print_json([asdict(answer) for answer in answers])
    else:
        print_rejected(rejected)
        _print_answers([answer for answer in answers if answer.rejected is None], are_several=len(files) > 1)
    return 1 if rejected else 0


def _print_answers(answers: "Sequence[Whois]", *, are_several: bool) -> None:
    columns = ("file",) * are_several + ("speaker", "name", "probability", "score", "clips")
    rows = [
        (answer.file,) * are_several + (one.label, one.name, one.probability, one.score, one.clips)
        for answer in answers
        for one in answer.candidates
    ]
    if answers:
        print_table(columns, rows)
    for answer in answers:
        if not answer.candidates or answer.candidates[0].probability < LIKELY:
            which = f"{shown(answer.file)}: " if are_several else ""
            click.echo(f"{which}probably nobody the registry knows")
