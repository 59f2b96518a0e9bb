"""`registry forget`."""

import datetime as dt
import sys
from typing import TYPE_CHECKING, cast

import click

from cli.effects import as_document, print_outcome
from cli.options import DATE, author, database_option, json_option
from cli.output import in_words, print_facts, print_json, say

if TYPE_CHECKING:
    from registry.corrections.change import Outcome


@click.command()
@click.argument("speaker", required=False)
@click.option(
    "--older-than",
    type=DATE,
    metavar="DATE",
    help="Instead of a speaker: all clips of nights before this date.",
)
@click.option("--plan", "plan_only", is_flag=True, help="Show what would be erased and erase nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@database_option
@json_option
def forget(
    speaker: str | None,
    older_than: dt.datetime | None,
    plan_only: bool,
    yes: bool,
    database: str | None,
    as_json: bool,
) -> int:
    """Erase a person from the registry, or all that is older than a date. This cannot be undone.

    Clips, vectors, transcripts, names and history go; the number stays retired, and the next export leaves the
    files out. Input folders are not touched, but what was forgotten is not taken in from them again. The database's
    files are rewritten, so that no bytes are left; exit code 1 says that this has to be done later, by registry
    database vacuum.

    \b
    Example: registry forget F0003
    """
    from registry.corrections.forget import forget_older_than, forget_speaker
    from registry.database.reach import reach
    from registry.database.store import identity

    if speaker is None and older_than is None:
        raise click.UsageError("name a speaker, or a date with --older-than")
    if speaker is not None and older_than is not None:
        raise click.UsageError("name a speaker or a date with --older-than, not both")
    with reach(database) as opened:
        if not (yes or plan_only):
            _refuse_unasked()
            if older_than is None:
                planned = forget_speaker(opened.engine, str(speaker), author(), plan_only=True)
            else:
                planned = forget_older_than(opened.engine, older_than.date(), author(), plan_only=True)
            _ask(speaker or f"everything before {older_than:%Y-%m-%d}", planned)
        if not plan_only:
            say("erasing, and rewriting the tables so that no bytes are left: that waits for who reads them", err=True)
        if older_than is not None:
            outcome = forget_older_than(opened.engine, older_than.date(), author(), plan_only=plan_only)
        else:
            outcome = forget_speaker(opened.engine, str(speaker), author(), plan_only=plan_only)
        with opened.engine.connect() as connection:
            is_owed = identity.is_vacuum_owed(connection)
    if as_json:
        print_json(as_document(outcome) | {"vacuum_owed": is_owed})
    else:
        print_facts(in_words(outcome.summary))
        print_outcome(outcome, as_json=False)
    return int(is_owed and not plan_only)


def _refuse_unasked() -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("erasing cannot be undone; add --yes to do it without being asked")


def _ask(what: str, planned: "Outcome") -> None:
    retired = ", ".join(map(str, cast("list[str]", planned.summary["retired"]))) or "nobody"
    names = ", ".join(name for _, name, _ in planned.effects.names if name)
    said = f"{what}: {retired}{f' ({names})' if names else ''}, {planned.summary['clips']} clips"
    say(f"This would erase {said}. --plan tells all.", err=True)
    click.confirm("Erase for good? This cannot be undone.", abort=True, err=True)
