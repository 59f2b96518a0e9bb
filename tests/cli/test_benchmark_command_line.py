"""`registry benchmark`: labelled speech of one's own in, a table of scores out."""

import json
from pathlib import Path

import pytest
import soundfile as sf
from sqlalchemy import Engine

from registry.benchmark import alone
from registry.errors import SpeechUnfit
from tests.conftest import RATE, voice
from tests.fix_program import Run


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """Two women and a man, ten clips each; the model of the tests tells them apart."""
    for speaker, pitch_hz in (("F/a", 400), ("F/b", 1200), ("M/c", 2800)):
        (tmp_path / "speech" / speaker).mkdir(parents=True)
        for number in range(10):
            sf.write(tmp_path / "speech" / speaker / f"{number}.wav", voice(pitch_hz, seed=number), RATE)
    return tmp_path / "speech"


def test_draws_are_measured_by_their_labels(run: Run, speech: Path, tmp_path: Path) -> None:
    words = ("benchmark", str(speech), str(tmp_path / "bench"), "--draws", "2", "--nights", "2", "--json")
    code, said, _ = run(*words)
    measured = json.loads(said)

    assert code == 0
    assert measured["heard"] == "as-it-is"
    assert [draw["speakers"] for draw in measured["draws"]] == [3, 3]
    assert measured["mean"]["clips"] == sum(draw["clips"] for draw in measured["draws"]) / 2
    assert measured["mean"]["precision"] == 1
    assert measured["mean"]["largest_mixed"] == 0
    assert measured["mean"]["f1"] == pytest.approx(sum(draw["f1"] for draw in measured["draws"]) / 2)


def test_the_table_says_how_to_look_closer_and_an_earlier_benchmark_is_not_measured_again(
    run: Run, speech: Path, tmp_path: Path
) -> None:
    words = ("benchmark", str(speech), str(tmp_path / "bench"), "--draws", "1", "--nights", "2", "--workers", "1")
    code, said, _ = run(*words)
    refused, _, why = run(*words[:2], str(tmp_path / "again"), *words[3:])
    other = run(*words[:2], str(tmp_path / "other"), *words[3:], "--name", "other")[0]
    labels = tmp_path / "bench" / "draw-1" / "labels.csv"
    evaluated, scores, _ = run("evaluate", str(labels), "--database", "benchmark-1")
    again = run("database", "drop", "benchmark-1", "--yes")[0]

    assert (code, evaluated, again, other) == (0, 0, 0, 0)
    assert "B-cubed F1" in said
    assert f"evaluate {labels} --database benchmark-1" in said
    assert refused == 2
    assert "An earlier benchmark is there" in why
    assert "true speakers: 3" in scores


def test_a_folder_without_speakers_is_2_and_makes_no_registry(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, _, why = run("benchmark", str(tmp_path / "empty"), str(tmp_path / "bench"))

    assert code == 2
    assert "does not hold clips of two speakers" in why
    assert not (tmp_path / "bench").exists()


def test_what_is_rejected_is_named_and_counts_for_the_exit_code(run: Run, speech: Path, tmp_path: Path) -> None:
    for wav in (speech / "F" / "a").iterdir():
        sf.write(wav, 0 * voice(400), RATE)
    code, said, told = run("benchmark", str(speech), str(tmp_path / "bench"), "--draws", "1", "--nights", "2")
    _, listed, _ = run("benchmark", str(speech), str(tmp_path / "again"), "--draws", "1", "--name", "again", "--json")

    assert code == 1
    assert "B-cubed F1" in said
    assert "[silent]" in told
    assert {one["reason"] for one in json.loads(listed)["rejected"]} == {"silent"}


def test_one_benchmark_at_a_time_is_in_a_registry(engine: Engine) -> None:
    refused = pytest.raises(SpeechUnfit, match="benchmark-1: another benchmark is at work")
    with alone(engine, "benchmark-1"), refused, alone(engine, "benchmark-1"):
        pass
    with alone(engine, "benchmark-1"):
        pass


def test_where_no_clip_can_be_taken_in_the_first_fault_is_named(run: Run, speech: Path, tmp_path: Path) -> None:
    for wav in speech.rglob("*.wav"):
        wav.write_bytes(b"no sound")
    code, _, why = run("benchmark", str(speech), str(tmp_path / "bench"), "--draws", "1")

    assert code == 2
    assert "no clip of it could be taken in; " in why
