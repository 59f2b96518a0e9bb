"""`registry move`."""

from pathlib import Path

import click

from cli.effects import from_anywhere, print_outcome, save_plan
from cli.options import author, database_option, json_option, plan_options


@click.command()
@click.argument("clips", nargs=-1, required=True, metavar="CLIP...")
@click.argument("speaker", metavar="SPEAKER|new")
@plan_options
@database_option
@json_option
def move(
    clips: tuple[str, ...], speaker: str, plan_only: bool, save: Path | None, database: str | None, as_json: bool
) -> int:
    """Give clips the speaker they have, for good.

    A clip is its key, GROUP/NAME, or a wav file, an exported one say.

    \b
    Example: registry move andaiafm_F20201105/mclip-00000003 F0002
    """
    from registry.corrections.move import move as run
    from registry.database.reach import reach

    with reach(database) as opened:
        outcome = run(opened.engine, clips, speaker, author(), plan_only=plan_only or bool(save))
    save_plan(outcome.based_on, outcome.effects, "move", {"speaker": speaker, "clips": from_anywhere(clips)}, save)
    print_outcome(outcome, as_json=as_json)
    return 0
