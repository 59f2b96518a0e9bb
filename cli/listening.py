"""Tell people which files to hear, on the screen and as a playlist."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from cli.options import LocalPath
from cli.output import shown
from registry.files import private_files

Files = Sequence[tuple[str, Sequence[str]]]  # whose they are, and their paths


def playlist_option(command: Any) -> Any:
    """Add --playlist."""
    help_text = "Write what there is to hear as a playlist for any player, in this order."
    kind = LocalPath(dir_okay=False)
    return click.option("--playlist", type=kind, metavar="FILE.m3u", help=help_text)(command)


def print_files(files: Files) -> None:
    """Print whose files they are, and below that a line for every file."""
    for whose, paths in files:
        click.echo(f"    {shown(whose)}:")
        for path in paths:
            click.echo(f"      {shown(path)}")


def write_playlist(path: Path | None, files: Files) -> None:
    """Write an M3U playlist, if a path for it is given."""
    if path is None:
        return
    # A line break in a name would begin an entry of its own.
    entries = [f"#EXTINF:-1,{shown(whose)}\n{shown(file)}\n" for whose, paths in files for file in paths]
    try:
        private_files.write(path, ("#EXTM3U\n" + "".join(entries)).encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise click.ClickException(f"cannot write the playlist {path}: {error.strerror}") from error
