"""`registry consolidate`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.effects import as_document, print_outcome
from cli.listening import playlist_option, print_files, write_playlist
from cli.options import author, database_option, json_option
from cli.output import print_json, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from registry.corrections.consolidate import Doubt, Question


@click.command()
@click.option("--full", is_flag=True, help="Cluster all clips anew first; the speakers live on in what comes out.")
@click.option("--plan", "plan_only", is_flag=True, help="Show what would change and change nothing.")
@playlist_option
@database_option
@json_option
def consolidate(full: bool, plan_only: bool, playlist: Path | None, database: str | None, as_json: bool) -> int:
    """Join speakers that are one voice, part those that are two, and list those that may be, for you to decide.

    Every ingest joins the voices it hears; this looks at all. With --full, and always while the registry is young, the
    clips themselves are clustered anew, as if all had come in one night: each cluster keeps the number with which it
    shares the most clips. A young registry is then asked about only. What people confirmed, named or corrected is not
    touched.

    \b
    Example: registry consolidate --plan
    """
    from registry.corrections.consolidate import consolidate as run
    from registry.database.reach import reach

    with reach(database) as opened:
        found = run(opened.engine, author(), full=full, plan_only=plan_only)
    write_playlist(playlist, [*_questioned(found.questions), *_doubted(found.doubts)])
    if as_json:
        review = {"review": [asdict(question) for question in found.questions]}
        review |= {"may_be_two": [asdict(doubt) for doubt in found.doubts]}
        print_json(as_document(found.outcome) | review | ({"gap": asdict(found.gap)} if found.gap else {}))
        return 0
    print_outcome(found.outcome, as_json=False)
    if found.gap:
        say(
            f"incremental gap: {found.gap.moved} of {found.gap.clips} clips are another speaker's when all are"
            f" clustered at once; B-cubed F1 of before and after {found.gap.agreement:.3f}"
        )
    if found.questions:
        say("may be one voice; listen, then registry merge or registry different:")
    for question in found.questions:
        say(f"  {question.one} and {question.other}, probability {question.probability:.3f}")
        print_files(_questioned([question]))
    if found.doubts:
        say("may be two voices or more; listen, then registry split or registry confirm:")
    for doubt in found.doubts:
        many = ", many clips that are little alike" if doubt.is_black_hole else ""
        say(
            f"  {doubt.speaker}{many}, of whom {doubt.clips} would leave, probability of one voice"
            f" {doubt.probability:.3f}"
        )
        print_files(_doubted([doubt]))
    return 0


def _questioned(questions: "Iterable[Question]") -> list[tuple[str, tuple[str, ...]]]:
    pairs = (((q.one, q.one_files), (q.other, q.other_files)) for q in questions)
    return [files for pair in pairs for files in pair]


def _doubted(doubts: "Iterable[Doubt]") -> list[tuple[str, tuple[str, ...]]]:
    parts = (((f"{d.speaker}, leaving", d.leaving_files), (f"{d.speaker}, staying", d.staying_files)) for d in doubts)
    return [files for pair in parts for files in pair]
