"""`registry demo`."""

import shlex
from pathlib import Path

import click

from cli.options import author, database_option
from cli.output import print_table
from cli.progress import shown

SPEAKERS = "SELECT number, clips, duration_s, nights, first_night, last_night FROM speakers ORDER BY number"
NEXT = (
    "SELECT date, number, name, transcript FROM clips ORDER BY date, number, name",
    "SELECT number, date, clips, duration_s FROM speaker_nights ORDER BY number, date",
    "SELECT * FROM similar_speakers(1, 5)",
)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("registry-demo"), metavar="[DIR]")
@database_option
def demo(folder: Path, database: str | None) -> int:
    """Try it out: two nights of a real conversation, ingested, exported and shown.

    Everything is written below DIR, by default registry-demo here, and into a registry of its own in the
    embedded database, called demo.

    \b
    Example: registry demo /tmp/demo
    """
    from cli import export as export_command
    from cli import ingest as ingest_command
    from registry.database import reach
    from registry.demo import lay_out
    from registry.export import export
    from registry.ingest import ingest
    from registry.query import ask

    name = database or "demo"
    nights = lay_out(folder)
    outdir = folder / "speakers"
    with reach(name, create=True) as opened, shown(quiet=False) as progress:
        for night in nights:
            click.echo(f"$ registry ingest {shlex.quote(str(night))}")
            ingest_command.print_report(ingest(opened.engine, [night], author(), progress=progress))
        click.echo(f"$ registry export {shlex.quote(str(outdir))}")
        report = export(opened.engine, outdir, progress=progress)
        export_command.print_report(report, outdir)
        _print_tree(outdir)
        click.echo(f"$ registry sql {shlex.quote(SPEAKERS)}")
        answer = ask(opened.engine, SPEAKERS)
    print_table(answer.columns, answer.rows)
    click.echo("To go on:")
    for query in NEXT:
        click.echo(f"  registry sql --database {shlex.quote(name)} {shlex.quote(query)}")
    return report.exit_code


def _print_tree(outdir: Path) -> None:
    for path in sorted(outdir.rglob("*")):
        parts = path.relative_to(outdir).parts
        if not parts[0].startswith("."):
            click.echo("    " * len(parts) + path.name)
