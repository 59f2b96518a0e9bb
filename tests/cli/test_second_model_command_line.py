"""The commands that fill a second model and switch to it, as a person or a script meets them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from cli.main import main
from registry.corrections.saved_plans import load
from registry.database.check import check
from registry.ingest.reembed import reembed
from registry.speech.embedder import Embedder
from tests.conftest import AUTHOR, MakeClip, night

ROOT = Path(__file__).parents[2]
Run = Callable[..., Any]
KILLED = """
import os, signal, sys
from registry import settings
from registry.ingest import reembed
from registry.database.reach import reach
from registry.speech.embedder import Embedder
from tests.conftest import AUTHOR, second_infer

left = iter(range(3))

def infer(samples):
    if next(left, None) is None:
        os.kill(os.getpid(), signal.SIGKILL)
    return second_infer(samples)

settings.EMBEDDING_BATCH_CLIPS = 2
reembed.load_embedder = lambda name, _: Embedder(name, "second-fingerprint", 48, 1, infer)
with reach(sys.argv[1]) as database:
    reembed.reembed(database.engine, "second", AUTHOR)
"""


@pytest.fixture
def run(
    database_url: str,
    two_models: dict[str, Embedder],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run a command in this process, on a fresh registry; give its exit code, output and messages."""
    assert two_models
    monkeypatch.setenv("REGISTRY_DATABASE_URL", database_url)

    def run_command(*arguments: object) -> tuple[int, str, str]:
        words = [str(argument) for argument in arguments]
        monkeypatch.setattr("sys.argv", ["registry", *words])
        with pytest.raises(SystemExit) as ended:
            main(words)
        return (int(ended.value.code or 0), *capsys.readouterr())

    return run_command


@pytest.fixture
def registry(run: Run, make_clip: MakeClip, indir: Path) -> Run:
    """Two operations: F0001 is heard on two nights, F0002 and F0003 on one."""
    for day, name, pitch_hz in ((5, "a", 400), (5, "b", 1200), (6, "c", 400), (6, "d", 2600)):
        make_clip(name, pitch_hz, night(day))
    assert run("ingest", indir)[0] == 0
    return run


def test_reembed_says_what_it_did_and_how_to_take_it_back(registry: Run) -> None:
    code, out, err = registry("reembed", "--model", "second")

    assert (code, err) == (0, "second: 4 of 4\n")
    assert out.splitlines() == [
        "second: 4 recordings embedded, 0 clips without an embedding",
        "model   role before  role after",
        "second               beside",
        "operation 3; to take it back: registry undo 3",
    ]
    assert registry("reembed", "--model", "second") == (
        0,
        "second: 0 recordings embedded, 0 clips without an embedding\n",
        "",
    )


def test_reembed_by_the_model_that_decides_says_what_it_measured(registry: Run, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE audio SET narrowness = NULL"))

    code, out, err = registry("reembed", "--model", "campplus")

    assert (code, err) == (0, "campplus: 4 of 4\n")
    assert out.splitlines() == [
        "campplus: 0 recordings embedded, 0 clips without an embedding",
        "4 recordings measured: over how narrow a line, studio or telephone, each was heard",
    ]


def test_reembed_as_json_names_what_is_missing(registry: Run, indir: Path) -> None:
    (indir / night(5) / "b.wav").unlink()
    code, out, err = registry("reembed", "--model", "second", "--json")
    document = json.loads(out)

    assert (code, err) == (1, "")
    assert {key: document[key] for key in ("operation", "model", "embedded", "measured", "clips_without")} == {
        "operation": 3,
        "model": "second",
        "embedded": 3,
        "measured": 0,
        "clips_without": 1,
    }
    assert [(one["path"], one["reason"]) for one in document["rejected"]] == [
        (str(indir / night(5) / "b.wav"), "missing")
    ]


def test_what_is_missing_is_named_and_the_exit_code_is_1(registry: Run, indir: Path) -> None:
    (indir / night(5) / "b.wav").unlink()
    code, out, err = registry("reembed", "--model", "second")

    assert (code, f"rejected '{indir / night(5) / 'b.wav'}': no longer there" in err) == (1, True)
    assert "1 clips without an embedding" in out
    code, out, err = registry("switch-model", "second")
    assert (code, out) == (2, "")
    assert "1 clips have no embedding under second; registry reembed --model second again" in err


def test_a_switch_tells_how_far_the_model_agrees_and_what_it_is_for(registry: Run) -> None:
    registry("reembed", "--model", "second")
    planned, done = registry("switch-model", "second", "--plan"), registry("switch-model", "second")
    report = [
        "clips that second, too, would give to their own speaker, without them:",
        "gender  compared  stay  share  alone",
        "F              2     2  1.000      2",
        "model     role before  role after",
        "campplus  deciding     beside",
        "second    beside       deciding",
    ]

    assert (planned[0], planned[1].splitlines()) == (0, [*report, "nothing was changed"])
    assert (done[0], done[1].splitlines()) == (0, [*report, "operation 4; to take it back: registry undo 4"])
    shown = registry("show", 4)[1]
    assert "  clips that stay: 2\n" in shown
    assert shown.splitlines()[-2:] == report[-2:]
    assert registry("undo", 4)[1].splitlines() == [
        "undone: operation 4, by operation 5",
        "model     role before  role after",
        "campplus  beside       deciding",
        "second    deciding     beside",
        "to have it back: registry undo 5",
    ]


def test_a_switch_as_json(registry: Run) -> None:
    registry("merge", "F0002", "F0003")
    registry("reembed", "--model", "second")
    document = json.loads(registry("switch-model", "second", "--json")[1])

    assert (document["operation"], document["model"]) == (5, "second")
    [women] = document["agreement"]["genders"]
    assert (women["gender"], women["clips"], women["alone"]) == ("F", 4, 0)
    assert {one["label"] for one in document["agreement"]["worst"]} <= {"andaiafm/F0002"}
    assert document["effects"]["models"] == [["campplus", "deciding", "beside"], ["second", "beside", "deciding"]]


def test_status_names_the_models(registry: Run) -> None:
    before = json.loads(registry("database", "status", "--json")[1])
    registry("reembed", "--model", "second")
    registry("switch-model", "second")
    after = json.loads(registry("database", "status", "--json")[1])

    assert (before["embedding_model"], before["models_beside"]) == ("campplus", "none")
    assert (after["embedding_model"], after["models_beside"]) == ("second", "campplus (4 audios)")
    assert before["calibrated"] == after["calibrated"] == "no, the constants of the package hold"


def test_a_plan_from_before_there_were_second_models_can_be_applied(registry: Run, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    registry("merge", "F0001", "F0002", "--save", plan)
    document = json.loads(plan.read_text())
    del document["effects"]["models"]
    plan.write_text(json.dumps(document))

    assert load(plan).effects.models == ()
    assert registry("apply", plan)[0] == 0


@pytest.mark.usefixtures("registry")
def test_a_reembed_ended_by_sigkill_is_completed(
    engine: Engine, database_url: str, two_models: dict[str, Embedder]
) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, database_url], cwd=ROOT, env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert check(engine) == []
    done = reembed(engine, two_models["second"].name, AUTHOR)

    assert (done.embedded, done.clips_without) in ((2, 0), (4, 0))  # the batch in flight, or also the one before it
    assert check(engine) == []
