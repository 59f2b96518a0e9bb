"""`registry calibrate` as a person or a script meets it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cli.main import main
from registry.core.linking.model_constants import ModelConstants
from registry.core.linking.probability_rule import ProbabilityRule
from tests.conftest import MakeClip, night

Run = Callable[..., tuple[int, str, str]]

VOICES = (("ana", "F", 400), ("bea", "F", 1200), ("joao", "M", 2000), ("rui", "M", 2800))
NAMES = (
    "other_gender_offset",
    "other_gender_spread",
    "stranger_variance",
    "base_noise",
    "stranger",
    "stranger_by_telephone",
)


@pytest.fixture
def registry(
    database_url: str,
    indir: Path,
    make_clip: MakeClip,
    fake_model: object,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Two operations: two women and two men, two clips each, on one night."""
    assert fake_model
    monkeypatch.setenv("REGISTRY_DATABASE_URL", database_url)

    def run(*arguments: object) -> tuple[int, str, str]:
        words = [str(argument) for argument in arguments]
        monkeypatch.setattr("sys.argv", ["registry", *words])
        with pytest.raises(SystemExit) as ended:
            main(words)
        return (int(ended.value.code or 0), *capsys.readouterr())

    for name, gender, pitch_hz in VOICES:
        for take in (1, 2):
            make_clip(f"{name}{take}", pitch_hz, night(5, gender))
    assert run("ingest", indir)[0] == 0
    return run


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    rows = [f"{night(5, gender)}/{name}{take};{name}\n" for name, gender, _ in VOICES for take in (1, 2)]
    path.write_text("clip;speaker\n" + "".join(rows))
    return path


def test_it_says_what_was_measured_what_it_does_and_how_to_take_it_back(registry: Run, labels: Path) -> None:
    code, out, err = registry("calibrate", labels)
    lines = out.splitlines()

    assert (code, err) == (0, "")
    assert lines[:5] == [
        "model: campplus",
        "labelled clips: 8",
        "speakers: 4, 4 of them with two clips or more",
        "constant               before  after",
        lines[4],
    ]
    assert [line.split("  ")[0].replace(" ", "_") for line in lines[4:10]] == list(NAMES)
    assert lines[8].split()[:2] == ["stranger", "0.1500"]
    assert lines[10:14] == [
        "the labelled clips alone, as if they had come in one night:",
        "constants  precision  recall     F1",
        "before         1.000   1.000  1.000",
        "after          1.000   1.000  1.000",
    ]
    assert lines[14].startswith("no clip was given another speaker: registry consolidate --full --plan shows what")
    assert lines[15:] == ["operation 3; to take it back: registry undo 3"]


def test_the_journal_and_the_status_tell_of_it_and_undo_takes_it_back(registry: Run, labels: Path) -> None:
    registry("calibrate", labels)
    shown = registry("show", 3)[1]
    assert "  speakers: 4\n" in shown
    assert "model     constant               before   after\n" in shown
    assert "campplus  stranger               shipped  0." in shown
    assert "campplus: 8 clips, 4 speakers" in registry("log")[1]
    assert "since operation 3" in registry("database", "status")[1]

    code, out, _ = registry("undo", 3)
    assert (code, out.splitlines()[0]) == (0, "undone: operation 3, by operation 4")
    assert json.loads(registry("database", "status", "--json")[1])["calibrated"].startswith("no, ")
    assert registry("check")[0] == 0


def test_a_plan_shows_the_same_and_changes_nothing(registry: Run, labels: Path) -> None:
    code, out, err = registry("calibrate", labels, "--plan")

    assert (code, err, out.splitlines()[-1]) == (0, "", "nothing was changed")
    assert len(json.loads(registry("log", "--json")[1])) == 2
    assert registry("calibrate", labels)[1].splitlines()[:14] == out.splitlines()[:14]
    assert registry("calibrate", labels)[1].splitlines()[-1] == "nothing was changed"


def test_as_json(registry: Run, labels: Path) -> None:
    code, out, err = registry("calibrate", labels, "--json")
    document = json.loads(out)

    assert (code, err, document["operation"], document["rejected"]) == (0, "", 3, [])
    assert (document["model"], document["clips"], document["speakers"], document["speakers_of_several"]) == (
        *("campplus", 8),
        *(4, 4),
    )
    assert document["before"]["constants"]["stranger"] == 0.15
    assert set(document["after"]["constants"]) == set(NAMES)
    assert document["after"]["bcubed"] == {"precision": 1, "recall": 1, "f1": 1}
    assert {row[1] for row in document["effects"]["constants"]} == set(NAMES)


def test_rows_of_no_clip_are_1_and_are_named(registry: Run, labels: Path) -> None:
    with labels.open("a") as file:
        file.write(f"{night(5)}/none;Eva\n")
    code, out, err = registry("calibrate", labels)

    said = f"rejected '{night(5)}/none': line 10: the registry has no such clip [unknown-clip]\n"
    assert (code, err) == (1, said)
    assert "operation 3" in out


def test_too_few_speakers_are_2_and_what_is_needed_is_said(registry: Run, labels: Path) -> None:
    labels.write_text("".join(labels.read_text().splitlines(keepends=True)[:5]))
    code, out, err = registry("calibrate", labels)

    assert (code, out) == (2, "")
    assert "2 speakers have two labelled recordings or more, 4 are needed. Label two clips or more of each" in err


def test_labels_by_which_clips_are_linked_worse_are_doubted(
    registry: Run, labels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = ModelConstants.of(ProbabilityRule())
    monkeypatch.setattr("registry.evaluation.calibrate.measure", lambda *_: replace(shipped, other_gender_offset=-5.0))
    said = "by what was measured even these clips are linked worse: are the labels right, and of one kind of recording?"

    assert said in registry("calibrate", labels, "--plan")[1].splitlines()
