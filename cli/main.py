"""The `registry` command: its sub-commands, and the one place where errors become messages and exit codes."""

import os
import signal
import sys
import traceback
from collections.abc import Sequence
from io import StringIO, TextIOWrapper

import click

import registry
from cli.apply import apply
from cli.benchmark import benchmark
from cli.calibrate import calibrate
from cli.check import check
from cli.completion import completion
from cli.confirm import confirm
from cli.consolidate import consolidate
from cli.database import database
from cli.demo import demo
from cli.different import different
from cli.evaluate import evaluate
from cli.export import export
from cli.forget import forget
from cli.ingest import ingest
from cli.log import log, show
from cli.merge import merge
from cli.move import move
from cli.night import night
from cli.output import say, say_in_lines
from cli.reembed import reembed
from cli.reject import reject
from cli.rename import rename
from cli.replace import replace
from cli.split import split
from cli.sql import sql
from cli.switch_model import switch_model
from cli.terminal import guarded
from cli.undo import undo
from cli.whois import whois
from cli.withdraw import withdraw

INTERRUPTED = 130  # as shells report a process ended by Ctrl-C
FAILED = 2
ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


class ReaderGoneError(Exception):
    """Whoever read the output, `head` say, has seen enough."""


class Commands(click.Group):
    """The group of commands; a closed pipe is told apart before click makes a failure of it."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command and write all of its output."""
        try:
            code = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as error:
            raise ReaderGoneError from error
        return code


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(registry.__version__, prog_name="registry")
def commands() -> None:
    """One lasting identity for every voice of a broadcaster.

    \b
    First night:   registry night INDIR OUTDIR --new
    Every night:   registry night INDIR OUTDIR --quiet
    To look:       registry sql "SELECT * FROM speakers ORDER BY clips DESC"
    To try it:     registry demo

    Exit codes: 0 all well; 1 some of the input was rejected, the rest is done; 2 could not run.
    So do not put && between an ingest and an export: one rejected clip would skip the export.
    """


EVERYDAY = (night, ingest, export, sql, check, evaluate, whois, demo, benchmark)
CORRECTIONS = (consolidate, merge, split, move, rename, confirm, reject, different, replace, withdraw, forget)
MODEL = (reembed, switch_model, calibrate)
JOURNAL = (log, show, undo, apply, database, completion)
for command in (*EVERYDAY, *CORRECTIONS, *MODEL, *JOURNAL):
    commands.add_command(command)
commands.add_command(merge, "same")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code; a traceback is shown only with -v."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _have_a_home()
    _end_as_others_do()
    _print_any_character()
    with guarded():
        code = _code_of(given)
    sys.exit(code)


def _code_of(given: Sequence[str]) -> int:
    """Run a command; whatever goes wrong is a message and a code."""
    try:
        return int(commands.main(given, prog_name="registry", standalone_mode=False) or 0)
    except click.ClickException as error:
        return _show(error)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except ReaderGoneError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still to be flushed
        return 0
    except Exception as error:  # noqa: BLE001 - the one place where nothing may escape
        return _explain(error, verbose=_is_verbose(given))


def _have_a_home() -> None:
    """Do as Docker does for a user number without a name: libraries look below HOME without asking for more."""
    if os.path.expanduser("~") == "~":  # noqa: PTH111 - pathlib raises where this leaves the text alone
        os.environ["HOME"] = "/"


def _end_as_others_do() -> None:
    """Leave by SystemExit when told to end, so that the embedded server is released; nohup stays respected."""
    for number in ENDING_SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, lambda number, _: sys.exit(128 + number))


def _print_any_character() -> None:
    """Escape what the terminal's encoding lacks, and file names that are no text, instead of failing."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _is_verbose(arguments: Sequence[str]) -> bool:
    return "-v" in arguments or "--verbose" in arguments


def _show(error: click.ClickException) -> int:
    shown = StringIO()
    error.show(file=shown)
    say_in_lines(shown.getvalue().rstrip("\n"), err=True)
    return FAILED


def _explain(error: Exception, *, verbose: bool) -> int:
    from registry.database.server_errors import as_registry_error

    known = as_registry_error(error)
    if verbose:
        traceback.print_exception(error)
    if known is None:
        say(f"registry: unexpected {type(error).__name__}: {error} (-v shows where)", err=True)
        return FAILED
    say_in_lines(f"registry: {known}", err=True)
    return known.exit_code
