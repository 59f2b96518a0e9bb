"""`--json` is the same everywhere: one document with keys in snake_case; an error goes to standard error."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import click
import pytest

from cli.main import commands
from tests.conftest import MakeClip, night
from tests.fix_program import Run

KEY = re.compile(r"[a-z][a-z0-9_]*")
DATA = ("endings",)  # keys below are what was found: ".json"
LISTS = ("sql", "log", "whois")  # rows; of all else an object
# In this order, on two nights of two voices; {out} and so on are paths.
CALLS = [
    "ingest {in} --new",
    "ingest {in} --plan",
    "export {out}",
    "export {other} --plan",
    "night {in} {out}",
    "replace {in}/andaiafm_F20201105",
    "sql VALUES(1)",
    "check",
    "evaluate",
    "evaluate {labels}",
    "whois {wav}",
    "consolidate --plan",
    "consolidate --full",
    "rename F0001 Maria",
    "confirm F0001",
    "different F0001 F0002",
    "undo 6",
    "split F0001",
    "split F0001 {group}/a",
    "merge F0001 F0002 --plan",
    "same F0001 F0002 --plan",
    "split F0001 {group}/b --save {plan}",
    "apply {plan}",
    "move {group}/b new",
    "reject {group}/b F0002",
    "withdraw {group}/b",
    "log",
    "show 1",
    "calibrate {men} --plan",
    "calibrate {men}",
    "reembed --model second",
    "switch-model second --plan",
    "forget F0001 --yes",
    "database url",
    "database status",
    "database upgrade",
    "database vacuum",
    "database list",
    "demo {demo}",
    "benchmark {speech} {bench} --draws 1 --nights 2",
    "database drop demo --yes",
    "database stop",
]


def keys(document: Any) -> set[str]:
    if isinstance(document, list):
        return set().union(*map(keys, document))
    if not isinstance(document, dict):
        return set()
    return set(document).union(*(keys(value) for name, value in document.items() if name not in DATA))


@pytest.fixture
def fills(tmp_path: Path, indir: Path, make_clip: MakeClip) -> dict[str, object]:
    """Two nights of two voices, and what the calls name."""
    for name in "abc":
        make_clip(name, 400, night(5))
    make_clip("d", 1200, night(6))
    make_clip("e", 1200, night(6)).with_suffix(".txt").unlink()
    (tmp_path / "labels.csv").write_text(f"clip,speaker\n{night(5)}/a,Maria\n{night(6)}/d,Ana\n")
    men = [(f"{name}{take}", 400 + 800 * at) for at, name in enumerate("pqrs") for take in range(2)]
    for name, pitch_hz in men:
        make_clip(name, pitch_hz, night(6, "M"))
    rows = [f"{night(6, 'M')}/{name},{name[0]}\n" for name, _ in men]
    speech = tmp_path / "speech"
    for name, _ in men:
        (speech / name[0]).mkdir(parents=True, exist_ok=True)
        shutil.copy(indir / night(6, "M") / f"{name}.wav", speech / name[0])
    (tmp_path / "men.csv").write_text("clip,speaker\n" + "".join(rows))
    return {
        "in": indir,
        "out": tmp_path / "out",
        "other": tmp_path / "other",
        "group": night(5),
        "wav": indir / night(5) / "a.wav",
        "labels": tmp_path / "labels.csv",
        "men": tmp_path / "men.csv",
        "plan": tmp_path / "plan.json",
        "demo": tmp_path / "demo",
        "speech": speech,
        "bench": tmp_path / "bench",
    }


def test_every_command_prints_one_document_with_keys_in_snake_case(run: Run, fills: dict[str, object]) -> None:
    printed = {}
    for call in CALLS:
        words = [word.format(**fills) for word in call.split()]
        code, out, err = run(*words, "--json")
        assert code in (0, 1), (call, err)
        printed[call] = json.loads(out)

    assert {call for call, document in printed.items() if isinstance(document, list)} == {
        call for call in CALLS if call.split()[0] in LISTS
    }
    assert [name for document in printed.values() for name in keys(document) if not KEY.fullmatch(name)] == []
    assert {call.split()[0] for call in CALLS} == set(commands.commands) - {"completion"}
    group = commands.commands["database"]
    assert isinstance(group, click.Group)
    assert {call.split()[1] for call in CALLS if call.startswith("database")} == set(group.commands)


@pytest.mark.parametrize(
    "call", [call for call in CALLS if not call.startswith(("ingest", "demo", "benchmark", "database", "apply"))]
)
def test_an_error_is_a_message_on_standard_error_and_nothing_else(
    run: Run, fills: dict[str, object], call: str
) -> None:
    words = [word.format(**fills) for word in call.split()]
    code, out, err = run(*words, "--json", "--database", "nowhere")

    assert (code, out) == (2, "")
    assert err.startswith("registry: There is no registry in ")
