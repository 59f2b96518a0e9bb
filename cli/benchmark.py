"""`registry benchmark`."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from cli.options import MODEL_HELP, LocalPath, author, json_option, own_name, verbose_option, work_options
from cli.output import print_json, print_rejected, print_table, say
from cli.progress import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from registry.benchmark import BenchmarkScores
    from registry.core.records import Rejected
    from registry.evaluation.heard_as import Heard

COLUMNS = {
    "clips": "clips",
    "speakers": "speakers",
    "f1": "B-cubed F1",
    "precision": "precision",
    "expected_precision": "expected",
    "recall": "recall",
    "found": "found / true",
    "largest_mixed": "largest mixed",
    "calibration_error": "calibration error",
}

SPARE = ("calibration error", "speakers", "clips", "expected")  # what 80 columns leave out, the first first


@click.command()
@click.argument("folder", type=LocalPath(file_okay=False))
@click.argument("outdir", type=LocalPath(file_okay=False))
@click.option("--genders", type=LocalPath(dir_okay=False), metavar="FILE", help="A table of speakers and their gender.")
@click.option("--nights", type=click.IntRange(2, 1000), default=10, show_default=True, help="How many nights.")
@click.option("--draws", type=click.IntRange(1, 100), default=3, show_default=True, help="How often clips are drawn.")
@click.option(
    "--heard",
    type=click.Choice(["as-it-is", "telephone", "gsm", "opus", "room", "noise"]),
    default="as-it-is",
    show_default=True,
    help="As if all clips had come another way.",
)
@click.option("--name", default="benchmark", show_default=True, metavar="NAME", help="What the registries are called.")
@click.option("--model", metavar="NAME", help=MODEL_HELP)
@work_options
@verbose_option
@json_option
def benchmark(
    folder: Path,
    outdir: Path,
    genders: Path | None,
    nights: int,
    draws: int,
    heard: str,
    name: str,
    as_json: bool,
    **asked: Any,
) -> int:
    """Measure how good the registry would be on labelled speech of your own.

    FOLDER holds a folder of clips for every speaker, as LibriSpeech/dev-clean and VoxCeleb's wav do; or folders F and
    M that do. Genders are told by these, or by --genders: LibriSpeech's SPEAKERS.TXT, VoxCeleb's vox1_meta.csv, or a
    CSV file with the columns speaker and gender. Without, all are taken for women, and nothing tells how strangers
    sound here.

    Nights as a station has them are laid out in OUTDIR: some speakers are heard once, others up to 60 times, on one to
    six nights. They are ingested one by one into registries of their own in the embedded database, called NAME-1 and so
    on, a registry a draw, and these are compared with the labels.

    \b
    Example: registry benchmark LibriSpeech/dev-clean bench --genders LibriSpeech/SPEAKERS.TXT
    """
    from registry.benchmark import alone, mean, run
    from registry.database.reach import reach
    from registry.evaluation.labelled_speech import find_speech, lay_out, refuse_outdir
    from registry.ingest.options import IngestOptions

    found = find_speech(folder, genders)
    names = [f"{name}-{draw}" for draw in range(1, draws + 1)]
    folders = [outdir / f"draw-{draw}" for draw in range(1, draws + 1)]
    refuse_outdir(folder, outdir, folders)
    _refuse_earlier(names)
    if found.left_out:
        say(f"{found.left_out} speakers are left out, since nothing tells their gender", err=True)
    scores: list[BenchmarkScores] = []
    rejected: list[Rejected] = []
    for draw, (registry, laid) in enumerate(zip(names, folders, strict=True), 1):
        with reach(registry, new=True) as opened, alone(opened.engine, registry), shown(quiet=as_json) as progress:
            laid_out = lay_out(found.clips, laid, nights, draw, cast("Heard", heard))
            measured, refused = run(opened.engine, laid_out, author(), progress, IngestOptions(**asked))
        scores.append(measured)
        rejected += refused
    code = 1 if rejected else 0
    if as_json:
        document = {"heard": heard, "draws": [asdict(one) for one in scores], "mean": asdict(mean(scores))}
        print_json(document | {"rejected": [asdict(one) for one in rejected]})
        return code
    print_rejected(rejected)
    _print_scores(scores, mean(scores))
    say(f"to look closer, and to remove what was made beside {outdir}:")
    for registry, laid in zip(names, folders, strict=True):
        labels = shlex.quote(str(laid / "labels.csv"))
        say(f"  {own_name()} evaluate {labels} --database {registry}")
    for registry in names:
        say(f"  {own_name()} database drop {registry}")
    return code


def _refuse_earlier(names: "Sequence[str]") -> None:
    """Refuse to measure registries that hold what an earlier benchmark took in."""
    from registry.database.embedded import EmbeddedServer
    from registry.database.registries import listed

    there = [one.name for one in listed(EmbeddedServer()).registries if one.name in names]
    if there:
        drops = " && ".join(f"{own_name()} database drop {name} --yes" for name in there)
        raise click.ClickException(f"An earlier benchmark is there. Remove it, or take another --name: {drops}")


def _print_scores(draws: "Sequence[BenchmarkScores]", mean: "BenchmarkScores") -> None:
    rows = [[str(number), *_row(one)] for number, one in enumerate(draws, 1)]
    print_table(("draw", *COLUMNS.values()), rows, footer=("mean", *_row(mean)), spare=SPARE)


def _row(scores: "BenchmarkScores") -> list[object]:
    values = [getattr(scores, name) for name in COLUMNS]
    return [round(value) if at < 2 else value for at, value in enumerate(values)]  # noqa: PLR2004 - counts
