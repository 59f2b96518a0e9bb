"""`registry switch-model`."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cli.effects import as_document, print_outcome
from cli.options import author, database_option, json_option
from cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from registry.corrections.switch_model import Switched, SwitchReport


@click.command(name="switch-model")
@click.argument("model")
@click.option("--plan", "plan_only", is_flag=True, help="Show how far the model agrees and change nothing.")
@database_option
@json_option
def switch_model(model: str, plan_only: bool, database: str | None, as_json: bool) -> int:
    """Let another model decide who is who from now on; every number, name and clip stays where it is.

    MODEL is one that `registry reembed` has filled. First of all it is told how many clips it would give to the
    speaker that they are of.

    \b
    Example: registry switch-model pyannote/wespeaker-voxceleb-resnet34-LM --plan
    """
    from registry.corrections.switch_model import switch_model as run
    from registry.database.reach import reach

    with reach(database) as opened:
        switched = run(opened.engine, model, author(), plan_only=plan_only)
    if as_json:
        print_json(as_document(switched.outcome) | {"model": switched.model, "agreement": _as_document(switched)})
        return 0
    _print_report(switched.model, switched.report)
    print_outcome(switched.outcome, as_json=False)
    return 0


def _as_document(switched: "Switched") -> dict[str, object]:
    report = switched.report
    return {
        "genders": [asdict(one) | {"share": one.share} for one in report.genders],
        "worst": [asdict(one) | {"share": one.share} for one in report.worst],
    }


def _print_report(model: str, report: "SwitchReport") -> None:
    say(f"clips that {model}, too, would give to their own speaker, without them:")
    rows = [(one.gender, one.clips, one.stay, one.share, one.alone) for one in report.genders]
    print_table(("gender", "compared", "stay", "share", "alone"), rows)
    if report.worst:
        say("speakers that it would take clips from:")
        print_table(
            ("speaker", "compared", "stay", "share"),
            [(one.label, one.clips, one.stay, one.share) for one in report.worst],
        )
