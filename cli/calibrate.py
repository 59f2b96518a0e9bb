"""`registry calibrate`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.effects import as_document, say_operation
from cli.options import LocalPath, author, database_option, json_option
from cli.output import print_facts, print_json, print_rejected, print_table, say

if TYPE_CHECKING:
    from registry.evaluation.calibrate import Measured

NOTHING_ANEW = (
    "no clip was given another speaker: registry consolidate --full --plan shows what would be decided otherwise;"
    " a young registry is decided afresh with its next night"
)
WORSE = "by what was measured even these clips are linked worse: are the labels right, and of one kind of recording?"
POOR = "even these clips are linked poorly by what was measured: are the labels right?"
POOR_F1 = 0.5  # of clips that are labelled at random it is below


@click.command()
@click.argument("labels", type=LocalPath(), metavar="LABELS.csv")
@click.option("--plan", "plan_only", is_flag=True, help="Show what was measured and change nothing.")
@database_option
@json_option
def calibrate(labels: Path, plan_only: bool, database: str | None, as_json: bool) -> int:
    """Learn from labelled clips what the embeddings of the registry's model are like, for all that is decided next.

    The constants by which voices are told apart ship for the default model; with another model, measure them once.
    LABELS.csv is as for `registry evaluate`: columns clip and speaker. At least 4 speakers with two clips each are
    needed; some 20 of each gender, heard as they are on your nights, tell it well. It is shown what the constants were
    and are, and how well the labelled clips alone would be linked by both, as if they had come in one night: they are
    the clips that were learned from, so label others to see how good it is.

    \b
    Example: registry calibrate labels.csv --plan
    """
    from registry.database.reach import reach
    from registry.evaluation.calibrate import calibrate as run

    with reach(database) as opened:
        done = run(opened.engine, labels, author(), plan_only=plan_only)
    if as_json:
        rejected = [asdict(one) for one in done.rejected]
        print_json(as_document(done.outcome) | asdict(done.measured) | {"rejected": rejected})
        return done.exit_code
    print_rejected(done.rejected)
    _print_measured(done.measured)
    if done.outcome.operation_id is not None:
        say(NOTHING_ANEW)
    say_operation(done.outcome)
    return done.exit_code


def _print_measured(measured: "Measured") -> None:
    several = f"{measured.speakers_of_several} of them with two clips or more"
    print_facts(
        {"model": measured.model, "labelled clips": measured.clips, "speakers": f"{measured.speakers}, {several}"}
    )
    before, after = asdict(measured.before.constants), asdict(measured.after.constants)
    rows = [(name.replace("_", " "), f"{before[name]:.4f}", f"{after[name]:.4f}") for name in before]
    print_table(("constant", "before", "after"), rows)
    say("the labelled clips alone, as if they had come in one night:")
    stages = (("before", measured.before.bcubed), ("after", measured.after.bcubed))
    print_table(("constants", "precision", "recall", "F1"), [(n, b.precision, b.recall, b.f1) for n, b in stages])
    if measured.after.bcubed.f1 < measured.before.bcubed.f1:
        say(WORSE)
    elif measured.after.bcubed.f1 < POOR_F1:
        say(POOR)
