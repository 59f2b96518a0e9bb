"""The commands that look back, correct and forget, as a person or a script meets them."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import soundfile as sf

from registry.database.check import check
from registry.database.reach import reach
from registry.speech.embedder import Embedder
from tests.conftest import MakeClip, fake_infer, night, tree
from tests.said import Run, Said, runner

REGISTRY = [str(Path(sys.executable).with_name("registry"))]
C = f"{night(6)}/c"  # the clip of F0001 on the second night
NO_EFFECTS: dict[str, list[object]] = {"clips": [], "numbers": [], "names": [], "verdicts": []}


def a_plan(command: str, task: dict[str, object]) -> str:
    return json.dumps({"version": 2, "command": command, "task": task, "based_on": 3, "effects": NO_EFFECTS})


def visible(folder: Path) -> dict[str, bytes]:
    return {path: content for path, content in tree(folder).items() if not path.startswith(".registry")}


@pytest.fixture
def run(
    database_url: str, fake_model: Embedder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a command in this process, on a fresh registry."""
    monkeypatch.setenv("REGISTRY_DATABASE_URL", database_url)
    monkeypatch.setattr("registry.whois.load_embedder", lambda _name: fake_model)

    return runner(monkeypatch, capsys)


@pytest.fixture
def registry(run: Run, make_clip: MakeClip, indir: Path) -> Run:
    """Three operations: F0001 is heard in a, b and c on two nights, F0002 in d; M0001 in e."""
    make_clip("a", 400, night(5))
    make_clip("b", 400, night(5))
    make_clip("c", 400, night(6))
    make_clip("d", 1200, night(6))
    make_clip("e", 800, night(6, "M"))
    assert run("ingest", indir).code == 0
    return run


def numbers(run: Run) -> dict[str, str]:
    """Tell the number of every clip."""
    return {row["name"]: row["number"] for row in run("sql", "SELECT name, number FROM clips", "--json").json}


def on_terminal(url: str, answer: str, *arguments: str) -> Said:
    """Run the installed command on a terminal whose person answers."""
    ours, its = pty.openpty()
    os.write(ours, answer.encode())
    environment = {**os.environ, "REGISTRY_DATABASE_URL": url}
    words = [*REGISTRY, *arguments]
    done = subprocess.run(words, env=environment, stdin=its, capture_output=True, text=True, check=False, timeout=60)
    os.close(its)
    os.close(ours)
    return Said(done.returncode, done.stdout, done.stderr)


CORRECTIONS = [
    (["merge", "F0001", "F0002"], ["andaiafm/F0002", "andaiafm/F0001", "merged", "alias"]),
    (["same", "F0002", "F0001"], ["andaiafm/F0002", "andaiafm/F0001", "merged", "alias"]),
    (["split", "F0001", C], ["andaiafm/F0001", "andaiafm/F0003", "split", "different"]),
    (["split", "F0001", "--yes"], ["andaiafm/F0001", "andaiafm/F0003", "split"]),
    (["move", C, "F0002"], ["andaiafm/F0001", "andaiafm/F0002", "moved", "confirmed", C]),
    (["move", C, "new"], ["andaiafm/F0003", "moved", "confirmed"]),
    (["rename", "F0001", "Maria Silva", "--notes", "at six"], ["andaiafm/F0001", "Maria Silva"]),
    (["confirm", "F0001"], ["made", "confirmed", "andaiafm/F0001"]),
    (["confirm", C], ["made", "confirmed", C]),
    (["reject", C, "F0001"], ["andaiafm/F0003", "rejected", C]),
    (["different", "F0001", "F0002"], ["made", "different", "andaiafm/F0001", "andaiafm/F0002"]),
]
IDS = [" ".join(arguments[:2]) for arguments, _ in CORRECTIONS]


@pytest.mark.parametrize(("arguments", "words"), CORRECTIONS, ids=IDS)
def test_a_correction_says_what_changed_and_how_to_take_it_back(
    registry: Run, arguments: list[str], words: list[str]
) -> None:
    before = numbers(registry)
    done = registry(*arguments)
    assert (done.code, done.err) == (0, "")
    assert [word for word in words if word not in done.out] == []
    assert done.out.endswith("operation 4; to take it back: registry undo 4\n")

    undone = registry("undo", 4)
    assert (undone.code, undone.out.splitlines()[0]) == (0, "undone: operation 4, by operation 5")
    assert numbers(registry) == before
    assert registry("check").code == 0


@pytest.mark.parametrize(("arguments", "words"), CORRECTIONS, ids=IDS)
def test_a_correction_as_json(registry: Run, arguments: list[str], words: list[str]) -> None:
    done = registry(*arguments, "--json")

    assert (done.code, done.err) == (0, "")
    assert (done.json["operation"], done.json["based_on"]) == (4, 3)
    assert set(done.json["effects"]) == {"clips", "numbers", "names", "verdicts", "models", "constants"}
    assert [word for word in words if word not in done.out] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["merge", "F0099", "F0001"],
        ["same", "F0001", "F0099"],
        ["split", "F0099"],
        ["split", "F0099", C],
        ["move", C, "F0099"],
        ["rename", "F0099", "Maria"],
        ["confirm", "F0099"],
        ["reject", C, "F0099"],
        ["different", "F0001", "F0099"],
        ["forget", "F0099", "--yes"],
        ["log", "--speaker", "F0099"],
    ],
    ids=" ".join,
)
def test_an_unknown_speaker_is_2_and_says_how_to_name_one(registry: Run, arguments: list[str]) -> None:
    said = registry(*arguments)

    assert (said.code, said.out) == (2, "")
    assert "There is no speaker 'F0099'. Name one by its number, F0003, or with its broadcaster" in said.err
    assert "registry sql" in said.err


@pytest.mark.parametrize("address", ["F0000", "F99999999999", "Maria", "", "nofm/F0001"])
def test_whatever_is_no_speaker_is_unknown(registry: Run, address: str) -> None:
    said = registry("rename", address, "Maria")

    assert (said.code, said.out) == (2, "")
    assert f"There is no speaker {address!r}. Name one" in said.err


def test_a_number_of_two_broadcasters_is_asked_back(registry: Run, make_clip: MakeClip, indir: Path) -> None:
    make_clip("f", 1600, night(6, broadcaster="radiox"))
    registry("ingest", indir)
    said = registry("rename", "F0001", "Maria")

    assert (said.code, said.out) == (2, "")
    assert "'F0001' is the number of several speakers. Say which: andaiafm/F0001, radiox/F0001." in said.err
    assert registry("rename", "radiox/F0001", "Maria").code == 0


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (f"{night(5)}/zz", "the registry has no such clip"),
        ("999", "the registry has no such clip"),
        ("9" * 30, "the registry has no such clip"),
        ("²", "expected a key, GROUP/NAME such as andaiafm_F20201105/x, or a wav file"),
        ("zz.wav", "expected a key, GROUP/NAME such as andaiafm_F20201105/x, or a wav file"),
    ],
)
def test_an_unknown_clip_is_2_and_says_how_to_name_one(registry: Run, address: str, words: str) -> None:
    tries = (("move", address, "F0001"), ("confirm", address), ("reject", address, "F0001"))
    said = [registry(*arguments) for arguments in tries]

    assert [(one.code, one.out) for one in said] == [(2, "")] * 3
    assert [f"There is no clip {address!r}: {words}" in one.err for one in said] == [True] * 3


@pytest.mark.parametrize("operation", ["99", "9" * 30, "0"])
def test_an_unknown_operation_is_2_and_says_what_lists_them(registry: Run, operation: str, tmp_path: Path) -> None:
    tries = (("show", operation), ("undo", operation), ("export", tmp_path / "out", "--as-of", operation))
    said = [registry(*arguments) for arguments in tries]

    assert [(one.code, one.out) for one in said] == [(2, "")] * 3
    assert [f"There is no operation {operation}; registry log lists them." in one.err for one in said] == [True] * 3


def test_log_lists_operations_newest_first(registry: Run) -> None:
    registry("rename", "F0002", "Maria")
    said, as_json = registry("log"), registry("log", "--json")

    header, newest, *_ = said.out.splitlines()
    assert header.split() == ["operation", "at", "(UTC)", "kind", "what", "user", "command"]
    assert newest.startswith("        4  ")
    assert newest.endswith("registry rename F0002 Maria")
    assert [entry["kind"] for entry in as_json.json] == ["rename", "ingest", "ingest", "ingest"]
    assert f"  ingest  {night(5)}: 2 clips, 1 new speaker  " in said.out


def test_status_counts_aliases_apart_from_speakers_and_what_was_withdrawn_not_at_all(registry: Run) -> None:
    registry("merge", "F0001", "F0002")
    registry("withdraw", C)
    found = registry("database", "status", "--json").json

    assert {name: found[name] for name in ("clips", "speakers", "aliases", "groups", "operations")} == {
        "clips": 4,
        "speakers": 2,
        "aliases": 1,
        "groups": 3,
        "operations": 5,
    }


def test_log_lists_the_newest_of_a_day_on(registry: Run) -> None:
    with psycopg.connect(os.environ["REGISTRY_DATABASE_URL"]) as connection:
        connection.execute("UPDATE operation SET at = '2020-12-01 00:30:00+01' WHERE operation_id = 1")
        connection.execute("UPDATE operation SET at = '2020-12-01 23:59:00+00' WHERE operation_id = 2")

    def listed(*options: object) -> list[int]:
        return [entry["operation_id"] for entry in registry("log", *options, "--json").json]

    assert listed("--since", "2020-12-01") == [3, 2]
    assert listed("--since", "2020-11-30") == [3, 2, 1]
    assert listed("--since", "2020-12-02", "--limit", 5) == [3]
    assert listed("--limit", 2) == [3, 2]
    assert registry("log", "--limit", 0).code == 2


def test_log_of_a_speaker_has_what_touched_it(registry: Run) -> None:
    registry("rename", "F0001", "Maria")
    registry("different", "F0001", "F0002")

    assert [e["operation_id"] for e in registry("log", "--speaker", "F0002", "--json").json] == [5, 2]
    assert [e["operation_id"] for e in registry("log", "--speaker", "M0001", "--json").json] == [3]


def test_show_tells_what_an_operation_changed(registry: Run) -> None:
    registry("merge", "F0001", "F0002")
    said, as_json = registry("show", 4), registry("show", 4, "--json")

    first, second, *_ = said.out.splitlines()
    assert first.startswith("operation 4, ")
    assert first.endswith(": registry merge F0001 F0002")
    assert second == "  merged: andaiafm/F0001, andaiafm/F0002"
    assert "alias" in said.out
    assert as_json.json["kind"] == "merge"
    assert as_json.json["effects"]["clips"] == [["andaiafm/F0002", "andaiafm/F0001", "merged", 1]]


def test_what_people_wrote_cannot_take_the_terminal_over(registry: Run) -> None:
    registry("rename", "F0001", "\x1b[31mMaria")

    assert "\x1b" not in registry("show", 4).out + registry("log").out


def test_a_split_is_proposed_first(registry: Run) -> None:
    said, as_json = registry("split", "F0001"), registry("split", "F0001", "--json")

    assert "andaiafm/F0001 would lose these 1 clips and keep 2" in said.out
    assert "There is no sign of two voices" in said.out
    assert (as_json.json["stay"], len(as_json.json["clips"])) == (2, 1)
    assert len(registry("log", "--json").json) == 3


@pytest.mark.parametrize(
    "arguments",
    [["merge", "F0001", "F0002"], ["split", "F0001", C], ["split", "F0001"], ["move", C, "F0002"]],
    ids=" ".join,
)
def test_a_plan_changes_nothing_until_it_is_applied(registry: Run, arguments: list[str], tmp_path: Path) -> None:
    plan, before = tmp_path / "a plan.json", numbers(registry)
    planned = registry(*arguments, "--plan")
    saved = registry(*arguments, "--save", plan, "--json")
    assert planned.out.endswith("nothing was changed\n")
    assert (saved.json["operation"], saved.err) == (None, f"saved; to do just this: registry apply '{plan}'\n")
    assert numbers(registry) == before

    applied = registry("apply", plan, "--json")
    assert (applied.code, applied.json["operation"]) == (0, 4)
    assert applied.json["effects"] == saved.json["effects"]
    assert registry("log", "--json").json[0]["command"].startswith(f"registry {arguments[0]} ")

    again = registry("apply", plan)
    assert (again.code, again.out) == (2, "")
    assert "nothing was changed" in again.err


def test_a_plan_no_longer_holds_once_the_registry_has_moved_on(registry: Run, tmp_path: Path) -> None:
    registry("merge", "F0001", "F0002", "--save", tmp_path / "plan.json")
    registry("rename", "F0001", "Maria")
    said = registry("apply", tmp_path / "plan.json")

    assert (said.code, said.out) == (2, "")
    assert "The plan no longer holds and nothing was changed: it was made after operation 3" in said.err
    assert "the last one now is 4. Make a new plan." in said.err
    assert numbers(registry)["d"] == "F0002"


def test_a_plan_about_a_file_holds_in_another_folder(
    registry: Run, indir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(indir / night(6))
    registry("move", "c.wav", "F0002", "--save", tmp_path / "plan.json")
    monkeypatch.chdir("/")

    assert registry("apply", tmp_path / "plan.json").code == 0
    assert numbers(registry)["c"] == "F0002"


def test_a_plan_with_a_model_of_ones_own_holds_in_another_folder(
    run: Run, indir: Path, make_clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = "registry.ingest.model_in_use.load_embedder"
    monkeypatch.setattr(loader, lambda name, _: Embedder(name, "fake", 40, 1, fake_infer))
    (tmp_path / "m.ckpt").touch()
    make_clip("a")
    monkeypatch.chdir(tmp_path)
    saved = run("ingest", indir, "--new", "--model", "m.ckpt", "--save", "plan.json")
    monkeypatch.chdir("/")

    assert saved.code == 0
    assert run("apply", tmp_path / "plan.json").code == 0


def test_how_to_apply_a_plan_names_the_database(run: Run, registry: Run, database_url: str, tmp_path: Path) -> None:
    said = registry("merge", "F0001", "F0002", "--save", tmp_path / "plan.json", "--database", database_url)

    assert f"registry apply {tmp_path}/plan.json --database " in said.err
    assert run("apply", tmp_path / "plan.json", "--database", database_url).code == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        ("{}", "version"),
        ("[1]", "is no plan"),
        ("x", "Expecting value"),
        ('{"version": 1}', "it is of version 1, expected 2: make it anew"),
        ('{"version": 3}', "it is of version 3, expected 2: make it anew"),
        (a_plan("database", {}), "none of the commands ingest, merge, move, split"),
    ],
    ids=["missing", "empty", "a list", "no JSON", "an earlier version", "a later version", "another command"],
)
def test_what_is_no_plan_is_refused(run: Run, content: str | None, words: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    if content is not None:
        plan.write_text(content)
    said = run("apply", plan)

    assert (said.code, said.out) == (2, "")
    assert f"The file {plan} is no plan: " in said.err
    assert words in said.err


def test_a_plan_saved_names_no_more_than_the_command_and_what_it_is_to_do(registry: Run, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    registry("merge", "F0001", "F0002", "--save", plan)

    document = json.loads(plan.read_text())
    assert (document["command"], document["task"]) == ("merge", {"one": "F0001", "others": ["F0002"]})
    assert set(document) == {"version", "command", "task", "based_on", "effects"}
    assert plan.stat().st_mode & 0o777 == 0o600


def test_what_a_plan_holds_is_never_an_option(registry: Run, tmp_path: Path) -> None:
    plan, target = tmp_path / "plan.json", tmp_path / "target"
    plan.write_text(a_plan("merge", {"one": "F0001", "others": [f"--save={target}", "--database=nowhere"]}))
    said = registry("apply", plan)

    assert (said.code, said.out) == (2, "")
    assert "There is no speaker '--save=" in said.err
    assert not target.exists()


def test_a_plan_that_names_a_model_of_its_own_is_refused_before_it_is_loaded(
    registry: Run, indir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, saved = tmp_path / "plan.json", tmp_path / "saved.json"
    registry("ingest", indir, "--save", saved)
    loaded: list[str] = []
    monkeypatch.setattr("registry.ingest.model_in_use.load_embedder", lambda name, _: loaded.append(name))
    document = json.loads(saved.read_text())
    document["task"]["model"] = str(tmp_path / "evil.ckpt")
    plan.write_text(json.dumps(document))
    said = registry("apply", plan)

    assert (said.code, said.out, loaded) == (2, "", [])
    assert f"The embedding model {tmp_path}/evil.ckpt was not loaded" in said.err


def test_a_plan_is_not_saved_through_a_link(registry: Run, tmp_path: Path) -> None:
    others, plan = tmp_path / "others", tmp_path / "plan.json"
    others.write_text("mine")
    plan.symlink_to(others)
    said = registry("merge", "F0001", "F0002", "--save", plan)

    assert (said.code, said.out) == (2, "")
    assert "there is a link or a folder of that name" in said.err
    assert others.read_text() == "mine"


def test_a_plan_that_cannot_be_saved_says_why(registry: Run, tmp_path: Path) -> None:
    said = registry("merge", "F0001", "F0002", "--save", tmp_path / "none" / "plan.json")

    assert (said.code, said.out) == (2, "")
    assert "cannot save the plan to" in said.err
    assert "No such file or directory" in said.err


def test_an_ingest_can_be_planned_and_applied(
    registry: Run, make_clip: MakeClip, indir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.settings.UNSURE", (-1.0, 2.0))
    make_clip("g", 400, night(7))
    make_clip("h", 2800, night(7))
    plan = tmp_path / "plan.json"
    planned, saved = registry("ingest", indir, "--plan"), registry("ingest", indir, "--save", plan, "--json")
    assert (planned.code, saved.code) == (0, 0)
    assert planned.out.endswith("nothing was changed\n")
    assert "unsure, since a little more or less likeness" in planned.out
    assert saved.json["total"]["new"] == 2
    assert {one["label"] for one in saved.json["unsure"]} == {"andaiafm/F0001", "andaiafm/F0003"}
    assert "g" not in numbers(registry)

    applied = registry("apply", plan)
    assert (applied.code, applied.out.splitlines()[-1]) == (0, "done as planned")
    assert (numbers(registry)["g"], numbers(registry)["h"]) == ("F0001", "F0003")


def test_a_plan_no_longer_holds_once_the_input_has_changed(
    registry: Run, make_clip: MakeClip, indir: Path, tmp_path: Path
) -> None:
    make_clip("g", 400, night(7))
    registry("ingest", indir, "--save", tmp_path / "plan.json")
    make_clip("h", 2800, night(7))
    said = registry("apply", tmp_path / "plan.json")

    assert said.code == 2
    assert "the input is not what it was" in said.err
    assert "g" not in numbers(registry)


def test_a_planned_ingest_of_something_broken_is_1(registry: Run, make_clip: MakeClip, indir: Path) -> None:
    make_clip("g").with_suffix(".txt").unlink()

    assert registry("ingest", indir, "--plan").code == 1


def test_an_export_can_be_planned(registry: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    planned, as_json = registry("export", out, "--plan"), registry("export", out, "--plan", "--json")
    first = "andaiafm20201105/andaiafm20201105-F0001/andaiafm20201105F0001_000000"
    assert planned.code == 0
    assert f"write   {first}.wav\n" in planned.out
    assert planned.out.endswith("0 files are as they should be; nothing was changed\n")
    assert f"{first}.txt" in as_json.json["to_write"]
    assert not out.exists()

    registry("export", out)
    registry("forget", "F0001", "--yes")
    before = tree(out)
    assert f"remove  {first}.wav\n" in registry("export", out, "--plan").out
    assert tree(out) == before


def test_an_export_as_of_an_operation_or_a_day(registry: Run, tmp_path: Path) -> None:
    now, before, today, long_ago = (tmp_path / name for name in ("now", "before", "today", "long-ago"))
    registry("export", before)
    registry("merge", "F0001", "F0002")
    registry("export", now)
    date = registry("log", "--json").json[0]["at"][:10]
    said = registry("export", tmp_path / "then", "--as-of", 3, "--json")
    registry("export", today, "--as-of", date)
    nothing = registry("export", long_ago, "--as-of", "2020-01-01")

    assert (said.code, said.json["clips"]) == (0, 5)
    assert said.json["as_of"].startswith(f"right after operation 3, {date}")
    assert visible(tmp_path / "then") == visible(before) != visible(now)
    assert visible(today) == visible(now)
    assert nothing.err.startswith(f"registry: Nothing held yet at that moment: the registry began on {date}")
    assert "0 clips in" in nothing.out
    assert [name for name in tree(long_ago) if name.endswith(".wav")] == []


def test_a_moment_that_is_none_is_2(registry: Run, tmp_path: Path) -> None:
    said = [registry("export", tmp_path / "out", "--as-of", moment) for moment in ("yesterday", "²")]

    assert [(one.code, one.out) for one in said] == [(2, "")] * 2
    assert ["There is no moment 'yesterday'. Say an operation" in said[0].err, "no moment '²'" in said[1].err] == [
        True
    ] * 2


def test_a_tree_of_the_present_is_not_taken_back_in_time(registry: Run, tmp_path: Path) -> None:
    registry("export", tmp_path / "out")
    before = tree(tmp_path / "out")
    said = registry("export", tmp_path / "out", "--as-of", 1)

    assert (said.code, said.out, tree(tmp_path / "out")) == (2, "", before)
    assert "Name a folder of its own" in said.err


def test_an_export_says_why_files_are_renamed_and_what_was_set_aside(
    registry: Run, indir: Path, tmp_path: Path
) -> None:
    registry("export", tmp_path / "out")
    shutil.rmtree(indir)
    registry("merge", "F0001", "F0002")
    renamed = registry("export", tmp_path / "out")
    registry("undo", 2, "--with-later", "--yes")
    planned, aside = registry("export", tmp_path / "out", "--plan"), registry("export", tmp_path / "out")

    assert (renamed.code, aside.code) == (0, 0)
    assert "0 files written, 2 renamed," in renamed.out
    assert "Renamed: a running number counts through its whole group" in renamed.out
    assert "set aside, as there is no other copy: andaiafm2020110" in planned.out
    assert "files left the tree and have no other copy, so they were set aside:\n  .registry/set-aside/" in aside.out


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_an_unknown_broadcaster_is_2(registry: Run, tmp_path: Path, form: tuple[str, ...]) -> None:
    said = registry("export", tmp_path / "out", "--broadcaster", "typo", *form)

    assert (said.code, said.out) == (2, "")
    assert "There is no broadcaster 'typo'. The registry knows andaiafm" in said.err


def test_unexplained_removal_is_2_and_done_when_asked_for(registry: Run, database_url: str, tmp_path: Path) -> None:
    registry("export", tmp_path / "out")
    before = tree(tmp_path / "out")
    with psycopg.connect(database_url) as connection:
        for table in ("verdict", "assignment", "clip"):
            connection.execute(f"DELETE FROM {table}".encode())
    said, planned = registry("export", tmp_path / "out"), registry("export", tmp_path / "out", "--plan")

    assert (said.code, said.out, tree(tmp_path / "out")) == (2, "", before)
    assert "no operation of the registry's journal took them out" in said.err
    assert said.err.strip() == planned.err.strip()
    assert registry("export", tmp_path / "out", "--remove").code == 0
    assert visible(tmp_path / "out") == {}


def test_whois_ranks_speakers(registry: Run, make_clip: MakeClip) -> None:
    registry("rename", "F0001", "Maria")
    wav = make_clip("x", 400, "other", seed=99)
    said, as_json = registry("whois", wav), registry("whois", wav, "--most", 1, "--json")

    header, best, *_ = said.out.splitlines()
    assert header.split() == ["speaker", "name", "probability", "score", "clips"]
    assert best.split()[:2] == ["andaiafm/F0001", "Maria"]
    assert "nobody" not in said.out
    assert [
        (one["file"], [found["label"] for found in one["candidates"]], one["rejected"]) for one in as_json.json
    ] == [(str(wav), ["andaiafm/F0001"], None)]


def test_whois_says_when_it_is_nobody(registry: Run, make_clip: MakeClip) -> None:
    said = registry("whois", make_clip("x", 2800, "other"))

    assert said.code == 0
    assert said.out.endswith("probably nobody the registry knows\n")


def test_whois_answers_many_files_by_one_load_of_the_model_and_names_what_cannot_be_heard(
    registry: Run, make_clip: MakeClip, tmp_path: Path, fake_model: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load(name: str) -> Embedder:
        loaded.append(name)
        return fake_model

    monkeypatch.setattr("registry.whois.load_embedder", load)
    samples, rate = sf.read(make_clip("x", 1200, "other", seed=99), dtype="int16")
    sf.write(tmp_path / "x.flac", samples, rate)
    (tmp_path / "y.wav").write_text("no audio")
    stranger, known = make_clip("z", 2800, "other"), make_clip("w", 400, "other", seed=98)
    files = (tmp_path / "x.flac", tmp_path / "y.wav", stranger, known, tmp_path)
    said, as_json = registry("whois", *files, "--most", 1), registry("whois", *files, "--json")

    assert (said.code, as_json.code, loaded) == (1, 1, ["campplus"] * 2)
    assert [line.split()[:2] for line in said.out.splitlines()[:2]] == [
        ["file", "speaker"],
        [str(tmp_path / "x.flac"), "andaiafm/F0002"],
    ]
    assert said.out.endswith(f"\n{stranger}: probably nobody the registry knows\n")
    assert [line.split("'")[1] for line in said.err.splitlines()] == [str(tmp_path / "y.wav"), str(tmp_path)]
    assert [one["file"] for one in as_json.json] == [str(file) for file in files]
    assert [one["rejected"] is None for one in as_json.json] == [True, False, True, True, False]
    assert as_json.json[3]["candidates"][0]["label"] == "andaiafm/F0001"


def test_whois_of_what_cannot_be_heard_names_it(registry: Run, tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_text("no audio")
    said = registry("whois", tmp_path / "x.wav", tmp_path / "none.wav")

    assert (said.code, said.out) == (1, "")
    assert f"rejected '{tmp_path}/x.wav'" in said.err
    assert f"rejected '{tmp_path}/none.wav': " in said.err


def test_forget_erases_and_says_what(registry: Run) -> None:
    planned = registry("forget", "F0001", "--plan")
    assert (planned.code, "retired: andaiafm/F0001" in planned.out) == (0, True)
    assert planned.out.endswith("nothing was changed\n")
    assert "a" in numbers(registry)

    done = registry("forget", "F0001", "--yes", "--json")
    assert (done.code, done.json["summary"]["clips"]) == (0, 3)
    assert numbers(registry) == {"d": "F0002", "e": "M0001"}
    assert registry("check").code == 0

    refused = registry("undo", 4)
    assert (refused.code, refused.out) == (2, "")
    assert "Operation 4 cannot be undone: what it erased is gone" in refused.err


def test_forget_what_is_older_than_a_date_and_leave_it_out_from_then_on(registry: Run, indir: Path) -> None:
    done = registry("forget", "--older-than", "2020-11-06", "--yes")
    again = registry("ingest", indir, "--json")

    assert (done.code, "clips: 2" in done.out) == (0, True)
    assert "registry undo" not in done.out
    assert set(numbers(registry)) == {"c", "d", "e"}
    assert (again.code, again.json["total"]["forgotten"], again.json["total"]["new"]) == (0, 2, 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name a speaker, or a date with --older-than"),
        (["F0001", "--older-than", "2020-11-06"], "name a speaker or a date with --older-than, not both"),
    ],
)
def test_forget_takes_a_speaker_or_a_date(run: Run, arguments: list[str], words: str) -> None:
    said = run("forget", *arguments, "--yes")

    assert (said.code, said.out) == (2, "")
    assert words in said.err


def test_undo_refuses_what_others_build_on_and_says_how_to_go_on(registry: Run) -> None:
    registry("rename", "F0001", "Maria")
    registry("rename", "F0001", "Maria Silva")
    refused = registry("undo", 4)
    planned = registry("undo", 4, "--with-later", "--plan")
    assert (refused.code, refused.out) == (2, "")
    assert "later operations build on it: 5; see --with-later" in refused.err
    assert [line for line in planned.out.splitlines() if "undo" in line] == [
        "would undo: operation 5",
        "would undo: operation 4",
    ]

    done = registry("undo", 4, "--with-later", "--yes", "--json")
    assert [outcome["summary"]["undone"] for outcome in done.json["undone"]] == [5, 4]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["undo", "4", "--with-later"], "operations 5, 4 would be taken back, in this order; add --yes"),
        (["forget", "F0001"], "erasing cannot be undone; add --yes"),
        (["forget", "--older-than", "20201106"], "erasing cannot be undone; add --yes"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_without_a_terminal_nobody_is_asked_and_nothing_done(registry: Run, arguments: list[str], words: str) -> None:
    registry("rename", "F0001", "Maria")
    registry("rename", "F0001", "Maria Silva")
    said = registry(*arguments)

    assert (said.code, said.out) == (2, "")
    assert words in said.err
    assert len(registry("log", "--json").json) == 5


@pytest.mark.parametrize(("answer", "code", "operations"), [("n\n", 130, 5), ("y\n", 0, 7)])
def test_undo_asks_on_a_terminal(registry: Run, database_url: str, answer: str, code: int, operations: int) -> None:
    registry("rename", "F0001", "Maria")
    registry("rename", "F0001", "Maria Silva")
    said = on_terminal(database_url, answer, "undo", "4", "--with-later")

    assert (said.code, "Take operations 5, 4 back, in this order? [y/N]" in said.err) == (code, True)
    assert len(registry("log", "--json").json) == operations


@pytest.mark.parametrize(("answer", "code", "clips"), [("n\n", 130, 5), ("y\n", 0, 2)])
def test_forget_asks_on_a_terminal(registry: Run, database_url: str, answer: str, code: int, clips: int) -> None:
    said = on_terminal(database_url, answer, "forget", "F0001")

    assert "This would erase F0001: andaiafm/F0001, 3 clips. --plan tells all.\n" in said.err
    assert (said.code, "Erase for good? This cannot be undone. [y/N]" in said.err) == (code, True)
    assert len(numbers(registry)) == clips


def test_corrections_of_the_installed_command(registry: Run, database_url: str) -> None:
    environment = {**os.environ, "REGISTRY_DATABASE_URL": database_url}
    words = [*REGISTRY, "merge", "F0001", "F0002", "--json"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["operation"] == 4
    assert registry("log", "--json").json[0]["command"] == "registry merge F0001 F0002 --json"


def test_bash_completes_with_what_is_printed() -> None:
    script = """
        source <(registry completion bash)
        COMP_WORDS=(registry mer) COMP_CWORD=1
        _registry_completion registry
        echo "${COMPREPLY[@]}"
    """
    path = f"{Path(REGISTRY[0]).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True
    )

    assert (done.stdout, done.stderr) == ("merge\n", "")


def test_whatever_the_commands_did_is_sound(registry: Run, database_url: str) -> None:
    for arguments, _ in CORRECTIONS[4:]:
        registry(*arguments)

    with reach(database_url) as opened:
        assert check(opened.engine) == []
