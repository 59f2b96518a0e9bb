"""`registry demo`."""

import shlex
from dataclasses import asdict
from pathlib import Path

import click

from cli.options import LocalPath, author, database_option, json_option, own_name, say_begun
from cli.output import print_json, print_table
from cli.progress import shown

SPEAKERS = "SELECT number, clips, duration_s, nights, first_night, last_night FROM speakers ORDER BY number"
NEXT = (
    "SELECT date, number, name, transcript FROM clips ORDER BY date, number, name",
    "SELECT number, date, clips, duration_s FROM speaker_nights ORDER BY number, date",
    "SELECT * FROM similar_speakers('F0001', 5)",
)


@click.command()
@click.argument("folder", type=LocalPath(file_okay=False), default=Path("registry-demo"), metavar="[DIR]")
@database_option
@json_option
def demo(folder: Path, database: str | None, as_json: bool) -> int:
    """Try it out: two nights of a real conversation, ingested, exported and shown.

    Everything is written below DIR, by default registry-demo here, and into a registry of its own in the
    embedded database, called demo.

    \b
    Example: registry demo ~/demo
    """
    from cli import export as export_command
    from cli import ingest as ingest_command
    from registry.database.query import ask
    from registry.database.reach import reach
    from registry.demo import LABELS, lay_out
    from registry.export import export
    from registry.ingest import ingest

    name = database or "demo"
    there = f"--database {shlex.quote(name)}"
    nights = lay_out(folder)
    outdir = folder / "speakers"
    ingested = []
    with reach(name, create=True) as opened:
        say_begun(opened)
        for night in nights:
            _print_command("ingest", there, night, as_json=as_json)
            with shown(quiet=as_json) as progress:  # a bar ends before anything is printed
                ingested.append(ingest(opened.engine, [night], author(), progress=progress))
            if not as_json:
                ingest_command.print_report(ingested[-1])
        _print_command("export", there, outdir, as_json=as_json)
        with shown(quiet=as_json) as progress:
            report = export(opened.engine, outdir, progress=progress)
        if not as_json:
            export_command.print_report(report, outdir)
            _print_tree(outdir)
        _print_command("sql", there, SPEAKERS, as_json=as_json)
        with ask(opened, SPEAKERS) as answer:
            columns, rows = answer.columns, list(answer.rows)
    if as_json:
        speakers = [dict(zip(columns, row, strict=True)) for row in rows]
        documents = [ingest_command.as_document(one) for one in ingested]
        print_json({"database": name, "ingested": documents, "exported": asdict(report), "speakers": speakers})
        return report.exit_code
    print_table(columns, rows)
    click.echo("To go on:")
    for query in NEXT:
        click.echo(f"  {own_name()} sql {there} {shlex.quote(query)}")
    click.echo(f"  {own_name()} evaluate {there} {shlex.quote(str(folder / LABELS))}")
    return report.exit_code


def _print_command(command: str, there: str, argument: object, *, as_json: bool) -> None:
    if not as_json:
        click.echo(f"$ {own_name()} {command} {there} {shlex.quote(str(argument))}")


def _print_tree(outdir: Path) -> None:
    for path in sorted(outdir.rglob("*")):
        parts = path.relative_to(outdir).parts
        if not parts[0].startswith("."):
            click.echo("    " * len(parts) + path.name)
