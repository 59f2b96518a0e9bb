"""`registry database`: where it is, how it is, bring it up to date, stop the embedded server."""

import click

from cli.options import database_option, json_option
from cli.output import print_json, print_table


@click.group()
def database() -> None:
    """The database behind the registry."""


@database.command()
@database_option
def url(database: str | None) -> int:
    """Print the database's URL, for psql, pandas or a notebook.

    An embedded server is then left running, until `registry database stop`.

    \b
    Example: psql "$(registry database url)"
    """
    from registry.database import reach

    with reach(database) as opened:
        if opened.server is not None:
            opened.server.keep()
        click.echo(opened.url)
    return 0


@database.command()
@database_option
@json_option
def status(database: str | None, as_json: bool) -> int:
    """Tell where the database is, its versions, and how much it holds; changes nothing."""
    from registry.database import reach
    from registry.status import status as ask

    with reach(database, upgrade=False) as opened:
        answer = ask(opened)
    if as_json:
        print_json(answer)
    else:
        print_table(("", ""), answer.items())
    return 0


@database.command()
@database_option
def upgrade(database: str | None) -> int:
    """Bring the schema up to date, as every command does by itself."""
    from registry.database import reach
    from registry.schema import newest_revision

    with reach(database) as opened:
        click.echo(f"{opened.shown_url} is at revision {newest_revision()}")
    return 0


@database.command()
def stop() -> int:
    """Stop the embedded server that `registry database url` left running."""
    from registry.embedded import EmbeddedServer, home

    was_running = EmbeddedServer(home()).stop()
    click.echo("stopped" if was_running else "was not running")
    return 0
