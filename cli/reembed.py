"""`registry reembed`."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cli.effects import as_document, print_outcome
from cli.options import MODEL_HELP, author, database_option, json_option, work_options
from cli.output import print_json, print_rejected, say
from cli.progress import shown

if TYPE_CHECKING:
    from registry.speech.runtimes import Runtime


@click.command()
@click.option("--model", required=True, metavar="NAME", help=MODEL_HELP)
@work_options
@database_option
@json_option
def reembed(model: str, runtime: "Runtime | None", workers: int | None, database: str | None, as_json: bool) -> int:
    """Embed all that the registry holds by another model, beside the one that decides.

    Reads the .wav files where they were last seen. It can be killed at any time: the next run takes up what is
    left, and so it does with what came in since. Who is who changes only with `registry switch-model`.

    By the model that decides already it reads what an earlier version took in, and measures over how narrow a line,
    studio or telephone, each recording was heard.

    \b
    Example: registry reembed --model pyannote/wespeaker-voxceleb-resnet34-LM
    """
    from registry.database.reach import reach
    from registry.ingest.reembed import reembed as run

    with reach(database) as opened, shown(quiet=as_json) as progress:
        done = run(opened.engine, model, author(), runtime=runtime, workers=workers, progress=progress)
    if as_json:
        counts = {name: getattr(done, name) for name in ("model", "embedded", "measured", "clips_without")}
        print_json(as_document(done.outcome) | counts | {"rejected": [asdict(one) for one in done.rejected]})
        return done.exit_code
    print_rejected(done.rejected)
    say(f"{done.model}: {done.embedded} recordings embedded, {done.clips_without} clips without an embedding")
    if done.measured:
        say(f"{done.measured} recordings measured: over how narrow a line, studio or telephone, each was heard")
    if done.outcome.operation_id is not None:
        print_outcome(done.outcome, as_json=False)
    return done.exit_code
