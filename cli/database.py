"""`registry database`: where it is, how it is, bring it up to date, stop the embedded server."""

import click

from cli.options import database_option, json_option, verbose_option
from cli.output import print_json, print_table


@click.group()
def database() -> None:
    """The database behind the registry.

    \b
    Example: registry database status
    """


@database.command()
@database_option
@json_option
def url(database: str | None, as_json: bool) -> int:
    """Print the database's URL, for psql, pandas or a notebook.

    An embedded server is then left running, until `registry database stop`.

    \b
    Example: psql "$(registry database url)"
    """
    from registry.database import reach

    with reach(database) as opened:
        if opened.server is not None:
            opened.server.keep()
        if as_json:
            print_json({"url": opened.url})
        else:
            click.echo(opened.url)
    return 0


@database.command()
@database_option
@json_option
def status(database: str | None, as_json: bool) -> int:
    """Tell where the database is, its versions, and how much it holds; makes and migrates no tables.

    \b
    Example: registry database status --json
    """
    from registry.database import reach
    from registry.status import status as ask

    with reach(database, upgrade=False) as opened:
        answer = ask(opened)
    if as_json:
        print_json(answer)
    else:
        print_table(("what", "value"), answer.items())
    return 0


@database.command()
@database_option
@json_option
def upgrade(database: str | None, as_json: bool) -> int:
    """Bring the schema up to date, as every command does by itself.

    \b
    Example: registry database upgrade --database postgresql://registry@db.example.org/registry
    """
    from registry.database import reach
    from registry.schema import newest_revision

    with reach(database) as opened:
        shown_url, revision = opened.shown_url, newest_revision()
    if as_json:
        print_json({"url": shown_url, "schema revision": revision})
    else:
        click.echo(f"{shown_url} is at revision {revision}")
    return 0


@database.command()
@verbose_option
@json_option
def stop(as_json: bool) -> int:
    """Stop the embedded server that `registry database url` left running.

    \b
    Example: registry database stop
    """
    from registry.embedded import EmbeddedServer, home

    was_running = EmbeddedServer(home()).stop()
    if as_json:
        print_json({"was running": was_running})
    else:
        click.echo("stopped" if was_running else "was not running")
    return 0
