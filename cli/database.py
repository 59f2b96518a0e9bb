"""`registry database`: where it is, how it is, bring it up to date, vacuum, list and drop registries, stop it."""

import sys
from dataclasses import asdict

import click

from cli.options import SHORT_ID, database_option, json_option, verbose_option
from cli.output import in_words, print_json, print_table


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
    from registry.database.reach import reach

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
    from registry.database.reach import reach
    from registry.database.status import status as ask

    with reach(database, upgrade=False) as opened:
        answer = ask(opened)
    if as_json:
        print_json(answer)
    else:
        if "registry" in answer:
            answer["registry"] = str(answer["registry"])[:SHORT_ID]
        print_table(("what", "value"), in_words(answer).items())
    return 0


@database.command()
@database_option
@json_option
def upgrade(database: str | None, as_json: bool) -> int:
    """Bring the schema up to date, as every command does by itself, and the views and functions with it.

    \b
    Example: registry database upgrade --database postgresql://registry@db.example.org/registry
    """
    from registry.database.reach import reach
    from registry.database.schema import newest_revision

    with reach(database) as opened:
        shown_url, revision = opened.shown_url, newest_revision()
    if as_json:
        print_json({"url": shown_url, "schema_revision": revision})
    else:
        click.echo(f"{shown_url} is at revision {revision}")
    return 0


@database.command()
@database_option
@json_option
def vacuum(database: str | None, as_json: bool) -> int:
    """Rewrite the database's files, so that no bytes of what was erased are left in them.

    `registry forget` does so by itself; this is for when it could not, say for want of room on the disk.

    \b
    Example: registry database vacuum
    """
    from registry.database.reach import reach
    from registry.database.vacuum import vacuum as rewrite

    with reach(database) as opened:
        done = rewrite(opened.engine)
    if as_json:
        print_json(asdict(done))
    elif done.tables:
        click.echo(f"the tables of {opened.place} hold nothing of what was erased")
        if not done.log:
            click.echo("the server's write-ahead log and statistics may, until it recycles them", err=True)
    return 0 if done.tables else 1


@database.command("list")
@verbose_option
@json_option
def list_(as_json: bool) -> int:
    """List the registries of the embedded database: clips, speakers, megabytes on the disk.

    \b
    Example: registry database list
    """
    from registry.database.embedded import EmbeddedServer, home
    from registry.database.registries import listed

    found = listed(EmbeddedServer(home()))
    if as_json:
        print_json({**asdict(found), "home": str(found.home)})
        return 0
    if found.registries:
        rows = [(one.name, one.clips, one.speakers, f"{one.bytes / 1e6:.1f} MB") for one in found.registries]
        print_table(("registry", "clips", "speakers", "size"), rows)
    else:
        click.echo(f"there is no registry in {found.home}")
    click.echo(f"the server in {found.home} was {'running' if found.running else 'not running'}", err=True)
    return 0


@database.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask for the name to be typed.")
@verbose_option
@json_option
def drop(name: str, yes: bool, as_json: bool) -> int:
    """Remove a registry of the embedded database with all its clips, speakers and history, for good.

    Audio, transcripts and exported folders stay as they are.

    \b
    Example: registry database drop demo
    """
    from registry.database.embedded import EmbeddedServer, home
    from registry.database.registries import dropped

    if not yes:
        _ask(name)
    dropped(EmbeddedServer(home()), name)
    if as_json:
        print_json({"dropped": name})
    else:
        click.echo(f"dropped {name}")
    return 0


def _ask(name: str) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("dropping cannot be undone; add --yes to do it without being asked")
    if (
        click.prompt(f"Type {name} again to drop that registry for good", default="", show_default=False, err=True)
        != name
    ):
        raise click.Abort


@database.command()
@verbose_option
@json_option
def stop(as_json: bool) -> int:
    """Stop the embedded server, which `registry database url` leaves running and other commands for a minute.

    \b
    Example: registry database stop
    """
    from registry.database.embedded import EmbeddedServer, home

    was_running = EmbeddedServer(home()).stop()
    if as_json:
        print_json({"was_running": was_running})
    else:
        click.echo("stopped" if was_running else "was not running")
    return 0
