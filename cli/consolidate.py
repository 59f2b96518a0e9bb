"""`registry consolidate`."""

from dataclasses import asdict

import click

from cli.effects import as_document, print_outcome
from cli.options import author, database_option, json_option
from cli.output import print_json, print_table


@click.command()
@click.option("--full", is_flag=True, help="Cluster all clips anew first; the speakers live on in what comes out.")
@click.option("--plan", "plan_only", is_flag=True, help="Show what would change and change nothing.")
@database_option
@json_option
def consolidate(full: bool, plan_only: bool, database: str | None, as_json: bool) -> int:
    """Join speakers that are one voice, part those that are two, and list those that may be, for you to decide.

    Every ingest joins the voices it hears; this looks at all. With --full the clips themselves are clustered
    anew, as if all had come in one night: each cluster keeps the number with which it shares the most clips. What
    people confirmed, named or corrected is not touched.

    \b
    Example: registry consolidate --plan
    """
    from registry.corrections.consolidate import consolidate as run
    from registry.database import reach

    with reach(database) as opened:
        found = run(opened.engine, author(), full=full, plan_only=plan_only)
    if as_json:
        review = {"review": [asdict(question) for question in found.questions]}
        review |= {"may be two": [asdict(doubt) for doubt in found.doubts]}
        print_json(as_document(found.outcome) | review | ({"gap": asdict(found.gap)} if found.gap else {}))
        return 0
    print_outcome(found.outcome, as_json=False)
    if found.gap:
        click.echo(
            f"incremental gap: {found.gap.moved} of {found.gap.clips} clips are another speaker's when all are"
            f" clustered at once; B-cubed F1 of before and after {found.gap.agreement:.3f}"
        )
    if found.questions:
        click.echo("may be one voice; listen, then registry merge or registry different:")
        print_table(("speaker", "other", "probability"), [(q.one, q.other, q.probability) for q in found.questions])
    if found.doubts:
        click.echo("may be two voices; listen to what registry split SPEAKER proposes, or registry confirm:")
        rows = [(doubt.speaker, doubt.clips, doubt.probability) for doubt in found.doubts]
        print_table(("speaker", "clips that would leave", "probability of one voice"), rows)
    return 0
