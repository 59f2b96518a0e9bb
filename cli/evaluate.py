"""`registry evaluate`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.listening import playlist_option, print_files, write_playlist
from cli.options import LocalPath, database_option, json_option
from cli.output import print_facts, print_json, print_rejected, print_table

if TYPE_CHECKING:
    from registry.core.measures import Calibration
    from registry.evaluation import Estimates, Evaluation
    from registry.evaluation.against_labels import Divided, OfSound, Scores
    from registry.evaluation.estimates import Certainty, Expected

SHOWN_JOINS = 10  # in a table; --json lists all of them
SHOWN_PARTS = 8  # of a speaker that falls into many


@click.command()
@click.argument("labels", required=False, type=LocalPath(), metavar="[LABELS.csv]")
@playlist_option
@database_option
@json_option
def evaluate(labels: Path | None, playlist: Path | None, database: str | None, as_json: bool) -> int:
    """Measure how good the registry is; nothing is changed.

    LABELS.csv tells the true speakers of some clips, in columns clip and speaker; a clip is its key, GROUP/NAME, or a
    wav file. What is measured then is of those clips alone: B-cubed, pairwise, purity, persistence, how far the
    certainty of clips, as it stands, comes true, the same by sound, and the worst speakers. Clips are heard wide, or
    narrow: by telephone and the like.

    Without labels, everything is an estimate from the probabilities that the registry keeps, of all clips as they
    stand and of its decisions: it is as good as they are, which only labels can tell. --playlist is of these.

    \b
    Example: registry evaluate labels.csv
    """
    from registry.database.reach import reach
    from registry.evaluation import estimate
    from registry.evaluation import evaluate as run

    with reach(database) as opened:
        if labels is None:
            estimates = estimate(opened.engine)
            write_playlist(playlist, _worst_files(estimates))
            _print_estimates(estimates, as_json=as_json)
            return 0
        evaluation = run(opened.engine, labels)
    if as_json:
        print_json(asdict(evaluation))
    else:
        _print_evaluation(evaluation)
    return evaluation.exit_code


def _print_evaluation(evaluation: "Evaluation") -> None:
    print_rejected(evaluation.rejected)
    print_facts(
        {
            "labelled clips": evaluation.clips,
            "true speakers": evaluation.speakers_true,
            "speakers found": evaluation.speakers_found,
        }
    )
    if evaluation.scores is not None:
        _print_scores(evaluation.scores)


def _print_scores(scores: "Scores") -> None:
    agreements = {"B-cubed": scores.clustering.bcubed, "pairwise": scores.clustering.pairwise}
    rows = [(name, found.precision, found.recall, found.f1) for name, found in agreements.items()]
    print_table(("measure", "precision", "recall", "F1"), rows)
    kept = scores.persistence
    print_facts(
        {
            "purity": scores.clustering.purity,
            "coverage": scores.clustering.coverage,
            "adjusted Rand index": scores.clustering.adjusted_rand,
            "persistence": f"{kept.share:.3f}, the number was kept on {kept.kept} of {kept.returning} returning nights",
        }
    )
    _print_calibration(scores.calibration)
    if scores.calibration_of_matches.clips:
        error = scores.calibration_of_matches.expected_error
        print_facts({"expected calibration error of the nights' matches": error})
    _print_by_sound(scores.by_sound)
    _print_divided("speakers with clips of several voices", ("speaker", "clips", "whose"), scores.mixed)
    _print_divided("voices under several numbers", ("voice", "clips", "where"), scores.split)


def _print_calibration(calibration: "Calibration") -> None:
    if not calibration.clips:
        click.echo("calibration: no clip can be judged by another labelled one of its speaker")
        return
    click.echo(f"calibration of {calibration.clips} clips as they stand:")
    rows = [(f"{b.low:.1f}-{b.high:.1f}", b.clips, b.predicted, b.right) for b in calibration.bins]
    print_table(("probability", "clips", "predicted", "right"), rows)
    print_facts({"expected calibration error": calibration.expected_error})


def _print_by_sound(by_sound: "Mapping[str, OfSound]") -> None:
    if len(by_sound) > 1:
        rows = [(name, of.clips, of.precision, of.recall, of.calibration_error) for name, of in by_sound.items()]
        print_table(("heard", "clips", "precision", "recall", "calibration error"), rows)


def _print_divided(what: str, columns: Sequence[str], divided: "Sequence[Divided]") -> None:
    if divided:
        click.echo(f"{what}, the worst first:")
        print_table(columns, [(one.label, one.clips, _listed(one.parts)) for one in divided])


def _listed(parts: Sequence[tuple[str, int]]) -> str:
    more = [f"and {len(parts) - SHOWN_PARTS} more"] if len(parts) > SHOWN_PARTS else []
    return ", ".join([*(f"{label}: {clips}" for label, clips in parts[:SHOWN_PARTS]), *more])


def _print_estimates(estimates: "Estimates", *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(estimates) | {"are_estimates": True})
        return
    click.echo("No labels: what may be wrong is estimated from the stored probabilities.")
    rows = [(reason, clips, clips / estimates.clips) for reason, clips in estimates.reasons.items()]
    print_table(("reason", "clips", "share"), rows, footer=("total", estimates.clips, ""))
    expected = {
        "clips that are another voice than their speaker's": estimates.strays,
        "new speakers that were known already": estimates.new,
        "joined speakers that were two voices": estimates.joined,
    }
    print_table(("estimate of", "expected", "among"), [_row(what, found) for what, found in expected.items()])
    _print_precision(estimates)
    if estimates.joins:
        click.echo("joined speakers, the least likely first:")
        shown = estimates.joins[:SHOWN_JOINS]
        columns = ("speaker", "joined", "clips", "probability")
        print_table(columns, [(join.speaker, join.joined, join.clips, join.probability) for join in shown])
    if estimates.worst:
        click.echo("speakers with the most clips that are expected to be another voice:")
        worst = [(one.speaker, one.clips, one.wrong) for one in estimates.worst]
        print_table(("speaker", "clips", "expected"), worst)
        click.echo("of these the least sure clips:")
        print_files(_worst_files(estimates))


def _print_precision(estimates: "Estimates") -> None:
    if estimates.expected_precision is not None:
        print_facts({"expected precision": estimates.expected_precision})
    if estimates.not_judged:
        print_facts({"clips of speakers that were never judged, left out": estimates.not_judged})
    if len(estimates.by_sound) > 1:
        rows = [_sound_row(sound, found) for sound, found in estimates.by_sound.items()]
        print_table(("heard", "clips", "another voice", "expected precision"), rows)


def _sound_row(sound: str, found: "Certainty") -> tuple[str, int, float, float | None]:
    return sound, found.clips, found.strays.wrong, found.expected_precision


def _worst_files(estimates: "Estimates") -> list[tuple[str, tuple[str, ...]]]:
    return [(one.speaker, one.files) for one in estimates.worst]


def _row(what: str, found: "Expected") -> tuple[str, float, int]:
    return what, found.wrong, found.count
