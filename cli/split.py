"""`registry split`."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.effects import from_anywhere, print_outcome, save_plan
from cli.listening import playlist_option, print_files, write_playlist
from cli.options import author, database_option, json_option, plan_options
from cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from registry.corrections.split import Proposal

SIGN_OF_TWO = 0.5  # probability of one voice below which there is one


@click.command()
@click.argument("speaker")
@click.argument("clips", nargs=-1, metavar="[CLIP...]")
@click.option("--yes", is_flag=True, help="Without clips: make the cut that is proposed.")
@playlist_option
@plan_options
@database_option
@json_option
def split(
    speaker: str,
    clips: tuple[str, ...],
    yes: bool,
    playlist: Path | None,
    plan_only: bool,
    save: Path | None,
    database: str | None,
    as_json: bool,
) -> int:
    """Give some clips of a speaker a new speaker, since they are another voice.

    Without clips a cut is proposed and nothing changed; with --yes the proposed cut is made.

    \b
    Example: registry split F0003
    """
    from registry.corrections.split import propose_split
    from registry.corrections.split import split as run
    from registry.database.reach import reach

    with reach(database) as opened:
        if not clips:
            proposal = propose_split(opened.engine, speaker)
            clips = tuple(str(clip.clip_id) for clip in proposal.clips)
            if not (yes or plan_only or save):
                write_playlist(playlist, _files(proposal))
                _print_proposal(proposal, as_json=as_json)
                return 0
        outcome = run(opened.engine, speaker, clips, author(), plan_only=plan_only or bool(save))
    save_plan(outcome.based_on, outcome.effects, "split", {"speaker": speaker, "clips": from_anywhere(clips)}, save)
    print_outcome(outcome, as_json=as_json)
    return 0


def _files(proposal: "Proposal") -> list[tuple[str, tuple[str, ...]]]:
    leaving = tuple(clip.file for clip in proposal.clips)
    return [(f"{proposal.label}, leaving", leaving), (f"{proposal.label}, staying", proposal.staying)]


def _print_proposal(proposal: "Proposal", *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(proposal))
        return
    print_table(("clip", "file", "transcript"), [(clip.clip_id, clip.file, clip.transcript) for clip in proposal.clips])
    say(f"{proposal.label} would lose these {len(proposal.clips)} clips and keep {proposal.stay}, such as:")
    print_files([(proposal.label, proposal.staying)])
    say(
        f"probability that all are one voice {proposal.probability:.3f}, mean cosine between the parts"
        f" {proposal.cosine:.2f}"
    )
    if proposal.probability >= SIGN_OF_TWO:
        say("There is no sign of two voices: this is only where they would fall apart first.")
    else:
        say(f"Listen, then: registry split {shlex.quote(proposal.label.split(' ')[0])} --yes")
