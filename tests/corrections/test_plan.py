"""A saved plan is data: typed fields of what is to be done, and nothing else is read."""

import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest

from cli.main import commands
from registry.corrections.plan_forms import FORMS
from registry.corrections.saved_plans import Plan, load, save
from registry.database.store.journal import Effects
from registry.errors import ModelUnnamed, PlanUnfit, PlanUnreadable, SourceUnnamed

NO_EFFECTS: dict[str, list[object]] = {"clips": [], "numbers": [], "names": [], "verdicts": [], "models": []}
MERGE = {"one": "F0001", "others": ["F0002"]}
INGEST = {
    "indirs": ["/nights"],
    "strict": False,
    "as_named": False,
    "new": False,
    "model": None,
    "scope": None,
    "false_merge_rate": None,
    "runtime": None,
    "workers": None,
}


def document(command: str, task: object, **others: object) -> dict[str, Any]:
    return {"version": 2, "command": command, "task": task, "based_on": 3, "effects": NO_EFFECTS, **others}


def written(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("command", "task"),
    [
        ("merge", {"one": "F0001", "others": ("F0002",)}),
        ("move", {"clips": ("1", "andaiafm_F20201105/a"), "speaker": "new"}),
        ("split", {"speaker": "F0001", "clips": ("/nights/\udce9.wav",)}),
        ("withdraw", {"what": ("andaiafm_F20201105",)}),
        ("ingest", {**INGEST, "indirs": ("/nights",), "false_merge_rate": 0.01, "workers": 3, "runtime": "torch"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_plan_saved_is_the_plan_loaded(command: str, task: dict[str, Any], tmp_path: Path) -> None:
    plan = Plan(command, task, 3, Effects())
    save(tmp_path / "plan", plan)

    assert load(tmp_path / "plan") == plan


@pytest.mark.parametrize(
    ("command", "task", "words"),
    [
        (
            "ingest",
            {**INGEST, "indirs": ("/5", "/6"), "as_named": True, "scope": "broadcaster", "workers": 3},
            "ingest /5 /6 --as-named --scope broadcaster --workers 3",
        ),
        ("merge", {"others": ("F0002", "F0003"), "one": "F0001"}, "merge F0001 F0002 F0003"),
        ("move", {"speaker": "new", "clips": ("1", "2")}, "move 1 2 new"),
        ("split", {"clips": ("1", "2"), "speaker": "F0001"}, "split F0001 1 2"),
        ("withdraw", {"what": ("andaiafm_F20201105",)}, "withdraw andaiafm_F20201105"),
    ],
    ids=FORMS,
)
def test_the_journal_names_a_plan_by_its_command_line(command: str, task: dict[str, Any], words: str) -> None:
    assert shlex.join(Plan(command, task, 3, Effects()).words()) == words


OF_EVERY_COMMAND = {"plan_only", "save", "database", "as_json"}
UNPLANNED = {"ingest": {"ray"}, "split": {"yes", "playlist"}}  # where programs are run, what shows a proposal


@pytest.mark.parametrize("command", FORMS)
def test_a_plan_holds_what_its_command_takes(command: str) -> None:
    takes = {str(one.name) for one in commands.commands[command].params if one.expose_value}

    assert set(FORMS[command]) == takes - OF_EVERY_COMMAND - UNPLANNED.get(command, set())


@pytest.mark.parametrize(
    ("command", "task"),
    [
        ("merge", {"one": "F0001", "others": ("F0002",), "database": "other"}),
        ("merge", {"one": "F0001"}),
        ("ingest", {**INGEST, "indirs": ("/nights",), "workers": 5000}),
        ("forget", {"speaker": "F0001"}),
    ],
    ids=["another field", "a field missing", "a value out of bounds", "another command"],
)
def test_a_plan_that_would_be_refused_is_not_saved(command: str, task: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(PlanUnfit):
        save(tmp_path / "plan", Plan(command, task, 3, Effects()))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (document("merge", MERGE, arguments=["--database", "other"]), "nothing else"),
        (document("merge", {**MERGE, "database": "other"}), "has to hold one, others, and nothing else"),
        (document("merge", {"one": "F0001"}), "has to hold one, others, and nothing else"),
        (document("merge", ["F0001"]), "has to hold one, others"),
        (document("merge", {"one": ["F0001"], "others": ["F0002"]}), "one has to be a text"),
        (document("merge", {"one": "F0001", "others": [["F0002"]]}), "others has to be a text"),
        (document("merge", {"one": "F0001", "others": "F0002"}), "others has to be a list"),
        (document("merge", {"one": "F0001", "others": []}), "others has to be a list"),
        (document("merge", {"one": "F0001\0", "others": ["F0002"]}), "one has to be a text, without NUL"),
        (document("merge", {"one": "F" * 5000, "others": ["F0002"]}), "not too long"),
        (document("merge", {"one": "\ud800", "others": ["F0002"]}), "one "),
        (document("merge", MERGE, based_on=10**30), "based_on is not the number of an operation"),
        (document("merge", MERGE, based_on=True), "based_on is not the number of an operation"),
        (document("merge", MERGE, based_on=-1), "based_on is not the number of an operation"),
        (document("merge", MERGE, effects=[]), "is no plan"),
        (document(["merge"], MERGE), "none of the commands"),  # type: ignore[arg-type]
        (document("ingest", {**INGEST, "ray": "evil:6379"}), "nothing else"),
        (document("ingest", {**INGEST, "workers": 10**9}), "workers has to be a number from 1"),
        (document("ingest", {**INGEST, "false_merge_rate": 1e300}), "false_merge_rate has to be a number"),
        (document("ingest", {**INGEST, "strict": "yes"}), "strict has to be true or false"),
        (document("ingest", {**INGEST, "runtime": "sh"}), "runtime has to be one of"),
        ('{"version": ' + "9" * 5000 + "}", "is no plan"),
        ('{"version": NaN}', "NaN is no number"),
        ("[" * 100_000 + "]" * 100_000, "nested too deep"),
        ("\0", "is no plan"),
    ],
)
def test_what_is_no_plan_is_refused_with_a_message(content: object, words: str, tmp_path: Path) -> None:
    with pytest.raises(PlanUnreadable) as refused:
        load(written(tmp_path / "plan", content))

    assert words in str(refused.value)
    assert len(str(refused.value)) < 1000


def test_what_is_no_file_is_no_plan(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(PlanUnreadable, match="it is no file"):
        load(tmp_path / "pipe")
    with pytest.raises(PlanUnreadable, match="larger than 64 MB"):
        load(Path("/dev/zero"))


def test_a_plan_cannot_choose_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelUnnamed, match="evil/model was not loaded"):
        load(written(tmp_path / "plan", document("ingest", {**INGEST, "model": "evil/model"})))


@pytest.mark.parametrize(
    ("command", "task"),
    [
        ("ingest", {**INGEST, "indirs": ["s3://evil/nights"]}),
        ("move", {"clips": ["https://evil/a.wav"], "speaker": "F0001"}),
        ("withdraw", {"what": ["ftp://evil/a.wav"]}),
    ],
    ids=["ingest", "move", "withdraw"],
)
def test_a_plan_cannot_choose_a_host(command: str, task: object, tmp_path: Path) -> None:
    with pytest.raises(SourceUnnamed, match="Nothing was fetched from"):
        load(written(tmp_path / "plan", document(command, task)))
