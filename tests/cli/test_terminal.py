"""Nothing that other people named does anything to the terminal, whatever prints it and wherever it goes."""

import logging
import re
import shlex
import sys
from pathlib import Path

import click
import pytest

from cli.main import commands
from cli.terminal import guarded
from tests.conftest import MakeClip, night
from tests.fix_program import Machine, Run

CLIPBOARD = "\x1b]52;c;aGk=\x07"
REVERSED = "\u202e\u2066\u200f\u061c"
EVIL = f"{CLIPBOARD}[red]\x9b2J\r{REVERSED}\x7f"
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# In this order, on three nights whose clips, transcripts, speakers and folders are called what they should not be.
CALLS = [
    "ingest {in} --new",
    "ingest {in} --plan",
    "night {in} {out}",
    "export {other} --plan",
    "export {other} --broadcaster {evil}",
    "replace {in}/andaiafm_F20201105",
    "sql --csv {clips}",
    "sql {clips}",
    "sql {evil}",
    "sql --csv {column}",
    "check",
    "evaluate",
    "evaluate {labels}",
    "calibrate {labels}",
    "whois {wav} {evil}",
    "rename F0001 {evil} --notes {evil}",
    "rename {evil} Maria",
    "consolidate --plan",
    "consolidate --full",
    "confirm F0001",
    "different F0001 F0002",
    "undo 5 --plan",
    "split F0001",
    "split F0001 {clip}",
    "merge F0001 F0002 --plan",
    "same F0001 {evil} --plan",
    "merge F0001 F0002 --save {plan}",
    "apply {plan}",
    "apply {evil}",
    "move {clip} new",
    "reject {clip} F0002",
    "withdraw {clip}",
    "log",
    "log --speaker {evil}",
    "show 1",
    "reembed --model second",
    "switch-model second --plan",
    "switch-model {evil}",
    "forget F0001 --yes",
    "database url",
    "database status",
    "database upgrade",
    "database list",
    "database drop {evil} --yes",
    "check --database {evil}",
    "check -v --database {evil}",
    "demo {demo}",
    "benchmark {in} {bench} --draws 1 --nights 2",
    "benchmark {in} {bench} --genders {labels}",
    "database stop",
    "completion bash",
    "{evil}",
    "check --{evil}",
]


@pytest.fixture
def fills(tmp_path: Path, indir: Path, make_clip: MakeClip) -> dict[str, object]:
    """Two voices, rejected clips, and what the calls name."""
    for name in (f"a{EVIL}", f"b{EVIL}", "c"):
        make_clip(name, 400, night(5), text=f"bom dia{EVIL}")
    make_clip(f"d{EVIL}", 1200, night(6), text=EVIL)
    make_clip(f"e{EVIL}", 1200, night(6)).with_suffix(".txt").unlink()
    make_clip("f", 1200, f"{EVIL}_X1")
    make_clip("g", 1600, f"rádio{EVIL}_F20201105")
    (tmp_path / "labels.csv").write_text(f"clip,speaker\n{night(5)}/c,{EVIL.strip()}\n{night(6)}/none{EVIL},Ana\n")
    return {
        "in": indir,
        "out": tmp_path / f"out{EVIL}",
        "other": tmp_path / f"other{EVIL}",
        "clip": f"{night(5)}/a{EVIL}",
        "wav": indir / night(5) / f"a{EVIL}.wav",
        "labels": tmp_path / "labels.csv",
        "plan": tmp_path / f"plan{EVIL}.json",
        "demo": tmp_path / f"demo{EVIL}",
        "bench": tmp_path / f"bench{EVIL}",
        "column": f'SELECT 1 AS "{EVIL}"',
        "clips": "SELECT * FROM clips",
        "evil": EVIL,
    }


def test_no_command_prints_a_control_character(run: Run, fills: dict[str, object]) -> None:
    said = {call: run(*(word.format(**fills) for word in call.split())) for call in CALLS}

    assert {call: found for call, (_, *texts) in said.items() if (found := CONTROL.findall("".join(texts)))} == {}
    assert [call for call in ("night {in} {out}", "log", "sql {clips}", "check") if said[call][0] not in (0, 1)] == []
    assert r"\x1b]52;c;aGk=\x07[red]\x9b2J\r\u202e\u2066\u200f\u061c\x7f" in said["sql --csv {clips}"][1]
    assert {call.split()[0] for call in CALLS} >= set(commands.commands)
    assert isinstance(commands.commands["database"], click.Group)


def test_what_libraries_print_is_guarded_too(capsys: pytest.CaptureFixture[str]) -> None:
    with guarded():
        print(EVIL)  # noqa: T201
        print(EVIL, file=sys.stderr)  # noqa: T201
        logging.lastResort.handle(logging.makeLogRecord({"msg": EVIL, "levelno": logging.ERROR}))  # type: ignore[union-attr]
        click.echo(EVIL)
        click.echo(EVIL.encode(), err=True)
    printed = capsys.readouterr()

    assert CONTROL.findall(printed.out + printed.err) == []
    assert printed.err.count(r"\x1b]52") == 3


def test_the_bar_of_a_terminal_names_what_it_is_about_as_it_is_called(machine: Machine) -> None:
    script = f"import sys; sys.path.insert(0, {str(Path.cwd())!r})\n"
    script += "from cli.terminal import guarded\nfrom cli.progress import shown\n"
    script += f"with guarded(), shown(quiet=False) as bar:\n    bar.begin({EVIL!r}, 2); bar.advance(2); bar.done()\n"
    (machine.folder / "bar.py").write_text(script)
    seen = machine.on_terminal(f"{shlex.quote(sys.executable)} bar.py")

    assert r"\x1b]52;c;aGk=\x07[red]\x9b2J" in seen
    assert "\x07" not in seen
    assert "2/2" in seen
