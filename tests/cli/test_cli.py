"""The command line by itself: help, usage, how values are printed, who is at the keyboard."""

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

import click
import pytest

from cli.effects import print_effects
from cli.listening import print_files
from cli.main import commands, main
from cli.options import author
from cli.output import as_text, print_facts, print_json, print_rejected, print_table, say, say_in_lines
from cli.progress import Lines, shown
from cli.sql import distinct
from cli.terminal import guarded
from registry.core.records import Rejected
from registry.corrections.plan_forms import FORMS
from registry.database.store.journal import Effects
from registry.errors import InputMissing, QueryFailed, UnknownBroadcaster, UnknownClip
from registry.input.remote import RemotePath

WITHOUT_JSON = {"completion"}  # what it prints is for the shell
EMPTY_PATHS = (
    ["export", ""],
    ["ingest", "/tmp", ""],
    ["night", "/tmp", ""],
    ["whois", ""],
    ["demo", ""],
    ["evaluate", ""],
    ["evaluate", "--playlist", ""],
    ["calibrate", ""],
    ["apply", ""],
    ["merge", "F0001", "F0002", "--save", ""],
)
HEAVY = ("torch", "sqlalchemy", "numpy", "psycopg", "alembic", "rich", "scipy")


def leaves(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield from leaves(command, *path, name) if isinstance(command, click.Group) else [(*path, name)]


def options(path: tuple[str, ...]) -> set[str]:
    command: click.Command = commands
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    return {option for parameter in command.params for option in parameter.opts}


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def test_help_needs_nothing_heavy() -> None:
    script = f"import sys, cli.main; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


@pytest.mark.parametrize("path", sorted(leaves(commands)), ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*path, "--help") == 0

    printed = capsys.readouterr().out
    own_name = "merge" if path == ("same",) else " ".join(path)
    assert f"\n  Example: registry {own_name}" in printed or 'Example: psql "$(registry' in printed
    assert "--verbose" in printed


@pytest.mark.parametrize("path", sorted(leaves(commands)), ids=" ".join)
def test_every_command_prints_json_if_asked(path: tuple[str, ...]) -> None:
    assert ("--json" in options(path)) == (path[-1] not in WITHOUT_JSON)


def test_every_command_that_saves_plans_can_have_them_applied() -> None:
    savers = {path[-1] for path in leaves(commands) if "--save" in options(path)}

    assert savers - {"same"} == set(FORMS)


def test_same_is_another_name_for_merge() -> None:
    assert commands.commands["same"] is commands.commands["merge"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_for_the_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("completion", shell) == 0
    assert f"_REGISTRY_COMPLETE={shell}_complete" in capsys.readouterr().out


def test_bash_takes_the_completion(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("completion", "bash") == 0

    script = capsys.readouterr().out
    read = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (read.returncode, read.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("registry mer", ["plain,merge"]),
        ("registry re", ["plain,reembed", "plain,reject", "plain,rename", "plain,replace"]),
        ("registry database st", ["plain,status", "plain,stop"]),
        ("registry merge F0001 F0002 --pl", ["plain,--plan"]),
    ],
)
def test_words_are_completed(
    words: str, completed: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_REGISTRY_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    run()

    assert capsys.readouterr().out.split() == completed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["frobnicate"], "No such command 'frobnicate'"),
        (["sql", "SELECT 1", "--colour"], "--colour"),
        (["sql"], "Missing argument 'QUERY'"),
        (["ingest"], "Missing argument 'INDIR...'"),
        (["database", "frobnicate"], "No such command 'frobnicate'"),
        (["export", "/tmp/out", "--from", "yesterday"], "'yesterday' does not match"),
        ([], "Usage: registry"),
        (["export", "a/" * 2000], "the path is longer than any disk has folders in folders"),
        *((command, "the path is empty, as a variable that is not set is") for command in EMPTY_PATHS),
    ],
)
def test_wrong_usage_is_2_and_goes_to_standard_error(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(*arguments)

    printed = capsys.readouterr()
    assert (code, printed.out) == (2, "")
    assert words in printed.err


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (InputMissing(paths="/no/where"), 2, "registry: There is nothing to read at /no/where"),
        (ZeroDivisionError("a bug"), 2, "registry: unexpected ZeroDivisionError: a bug (-v shows where)"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_an_error_is_one_message_and_a_code(
    error: BaseException,
    code: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("registry.database.reach.reach", fail)

    assert run("check") == code
    printed = capsys.readouterr()
    assert words in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""


def test_verbose_shows_the_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("registry.database.reach.reach", lambda _, **__: 1 / 0)

    assert run("check", "-v") == 2
    assert "Traceback (most recent call last)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (0.1, "0.1"),
        (Decimal("1.10"), "1.10"),
        (b"\x00\xff", "\\x00ff"),
        (dt.date(2020, 11, 5), "2020-11-05"),
        ({"é": [1, None]}, '{"é": [1, null]}'),
        ([dt.date(2020, 11, 5)], '["2020-11-05"]'),
        ("[0.5,1]", "[0.5,1]"),
    ],
)
def test_a_value_of_the_database_as_text(value: object, text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(
    ("value", "read_back"),
    [
        (Decimal(2**63), 2**63),
        (Decimal("0.5"), 0.5),
        (Decimal("NaN"), "NaN"),
        (float("-inf"), "-Infinity"),
        (b"\x00\xff", "\\x00ff"),
        (dt.datetime(2020, 11, 5, 1, 2, tzinfo=dt.UTC), "2020-11-05T01:02:00+00:00"),
        (dt.timedelta(hours=1), "1:00:00"),
        ({"a": (Path("/é"), None)}, {"a": ["/é", None]}),
        ("\udcff", "\udcff"),
    ],
)
def test_a_value_of_the_database_as_json(
    value: object, read_back: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("registry.database.reach.reach", lambda _, **__: print_json(value))
    run("check")  # for the way main sets standard output up

    assert json.loads(capsys.readouterr().out) == read_back


def test_a_row_of_a_table_stays_a_line_and_a_long_value_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("text", "n"), [("a\nb\x1b[31m", 7), ("x" * 20_000, 12)])

    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["text", "n"],
        [r"a\nb\x1b[31m", "7"],
        ["x" * 999 + "…", "12"],
    ]


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        (("a", "b"), ["a", "b"]),
        (("a", "a", "a"), ["a", "a_2", "a_3"]),
        (("a", "a", "a_2"), ["a", "a_3", "a_2"]),
        (("a", "a_2", "a"), ["a", "a_2", "a_3"]),
        ((), []),
    ],
)
def test_columns_of_one_name_are_numbered(columns: tuple[str, ...], names: list[str]) -> None:
    assert distinct(columns) == names


def test_the_journal_gets_no_password_and_only_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/x/registry", "ingest", "a b", "\udcff", "--database=postgresql://me:pw@h/d"])

    assert author().command == r"registry ingest 'a b' '\udcff' '--database=postgresql://me:***@h/d'"


@pytest.mark.parametrize(
    "url", ["s3://key:hush@bucket/nights", "https://hush@host/nights", "https://host/a.wav?X-Amz-Signature=hush"]
)
@pytest.mark.parametrize("command", [["ingest"], ["night", "/tmp"], ["whois"], ["replace"]], ids=" ".join)
def test_a_url_with_a_secret_is_refused_and_not_shown(
    command: list[str], url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*command, url, "/tmp") == 2

    printed = capsys.readouterr()
    assert "this URL holds what may be a secret" in printed.err
    assert "hush" not in printed.err


def nobody(*_: object) -> NoReturn:
    raise KeyError("uid not found")


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", nobody)
    monkeypatch.setattr("os.getuid", lambda: 4711)

    assert author().user_name == "4711"


def test_a_user_without_a_home_gets_that_of_a_container(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", "is taken away below, and given back after the test")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", nobody)

    assert run("--version") == 0
    assert os.environ["HOME"] == "/"
    assert capsys.readouterr().err == ""


def test_progress_is_plain_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with shown(quiet=False) as progress:
        progress.begin("andaiafm_F20201105", 2)
        progress.advance(2)
        progress.done()
        progress.begin("nothing", 0)
        progress.done()

    assert isinstance(progress, Lines)
    assert capsys.readouterr().err == "andaiafm_F20201105: 2 of 2\n"


def test_what_was_rejected_for_one_cause_is_summed_up(capsys: pytest.CaptureFixture[str]) -> None:
    print_rejected([Rejected(f"/night/{number}.wav", "unreadable", "gone") for number in range(210)])

    assert capsys.readouterr().err == (
        "rejected '/night/0.wav': gone [unreadable]\n"
        "rejected '/night/1.wav': gone [unreadable]\n"
        "rejected '/night/2.wav': gone [unreadable]\n"
        "... and 207 more like these [unreadable]; --json lists all\n"
    )


@pytest.mark.parametrize("path", [Path("/x/a.wav"), RemotePath("s3://x/a.wav"), "/x/a.wav"])
def test_an_error_calls_a_path_what_it_is_called_and_ends_in_one_full_stop(path: object) -> None:
    said = str(UnknownClip(address=path, cause="It cannot be read: make it a readable file."))

    assert said == f"There is no clip '{path}': It cannot be read: make it a readable file."


def test_effects_name_whose_clips_go_to_whom_once(capsys: pytest.CaptureFixture[str]) -> None:
    print_effects(Effects(clips=(("", "x/F0003", "matched", 1), ("", "x/F0003", "new", 2), ("", "x/F0004", "new", 1))))

    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["clips", "from", "to", "reason", "clips"],
        ["x/F0003", "matched,", "new", "3"],
        ["x/F0004", "new", "1"],
    ]


ESCAPING = "a\x1b[2J\x9b\u202eb"


@pytest.mark.parametrize(
    "print_it",
    [
        lambda: say(f"registry: {ESCAPING}", err=True),
        lambda: print_rejected([Rejected(ESCAPING, "bad-group-name", f"{ESCAPING} is no name")]),
        lambda: print_files([(ESCAPING, [ESCAPING])]),
        lambda: print_json({"name": ESCAPING}),
        lambda: print_facts({ESCAPING: ESCAPING}),
        lambda: print_effects(Effects(names=((ESCAPING, ESCAPING, ESCAPING),))),
        lambda: run("sql", "SELECT 1", f"--{ESCAPING}"),
        lambda: run("log", "--since", ESCAPING),
    ],
)
def test_a_name_does_nothing_to_the_terminal(
    print_it: Callable[[], object], capsys: pytest.CaptureFixture[str]
) -> None:
    with guarded():
        print_it()

    printed = "".join(capsys.readouterr())
    assert not set("\x1b\x9b\u202e").intersection(printed)
    assert "[2J" in printed


FORGING = "a\nregistry: FORGED\u2028registry: FORGED\u2029registry: FORGED\x85registry: FORGED"


def forge_progress() -> None:
    lines = Lines()
    lines.begin(FORGING, 1)
    lines.done()


def forge_an_error() -> None:
    say_in_lines(f"registry: {UnknownBroadcaster(broadcaster='b', known=FORGING)}", err=True)


@pytest.mark.parametrize(
    "print_it",
    [
        lambda: print_rejected([Rejected("a", "no-transcript", f"there is no {FORGING}.txt beside it")]),
        lambda: say(f"registry: {FORGING}", err=True),
        forge_progress,
        forge_an_error,
    ],
)
def test_a_name_makes_no_line_of_its_own(print_it: Callable[[], object], capsys: pytest.CaptureFixture[str]) -> None:
    print_it()

    printed = "".join(capsys.readouterr())
    assert len(printed.splitlines()) == 1
    assert r"a\nregistry: FORGED\u2028" in printed


def test_a_server_says_its_cause_in_lines() -> None:
    assert str(QueryFailed(cause="no such column\nLINE 1: ...")).splitlines()[1:] == ["LINE 1: ..."]


def test_json_stays_json_on_a_guarded_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with guarded():
        print_json(ESCAPING)

    assert json.loads(capsys.readouterr().out) == ESCAPING


def test_progress_shows_a_name_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with guarded():
        lines = Lines()
        lines.begin(ESCAPING, 1)
        lines.done()

    assert capsys.readouterr().err == "a\\x1b[2J\\x9b\\u202eb: 0 of 1\n"
