"""`registry evaluate` as a person or a script meets it."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from cli.main import main
from registry.database.reach import reach
from tests.conftest import MakeClip, night

pytestmark = pytest.mark.usefixtures("fake_model", "registry")  # in this order


@pytest.fixture
def registry(
    database_url: str,
    indir: Path,
    make_clip: MakeClip,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """F0001 is heard in a, b and c on two nights, F0002 in x and y, F0003 in z."""
    monkeypatch.setenv("REGISTRY_DATABASE_URL", database_url)
    make_clip("a", 400, night(5))
    make_clip("b", 400, night(5))
    make_clip("x", 2000, night(5))
    make_clip("c", 400, night(6))
    make_clip("y", 2000, night(6))
    make_clip("z", 3200, night(6))
    run("ingest", str(indir))
    capsys.readouterr()


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    rows = {"5/a": "Ana", "5/x": "Béa", "6/c": "Ana"}
    lines = [f"{night(int(clip[0]))}{clip[1:]};{who}\n" for clip, who in rows.items()]
    path.write_text("clip;speaker\n" + "".join(lines), encoding="utf-8-sig")
    return path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def test_labels_give_a_report(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run("evaluate", str(labels))

    printed = capsys.readouterr()
    assert (code, printed.err) == (0, "")
    assert printed.out.splitlines() == [
        "labelled clips: 3",
        "true speakers: 2",
        "speakers found: 2",
        "measure   precision  recall     F1",
        "B-cubed       1.000   1.000  1.000",
        "pairwise      1.000   1.000  1.000",
        "purity: 1.000",
        "coverage: 1.000",
        "adjusted Rand index: 1.000",
        "persistence: 1.000, the number was kept on 1 of 1 returning nights",
        "calibration of 2 clips as they stand:",
        "probability  clips  predicted  right",
        "0.9-1.0          2      1.000  1.000",
        "expected calibration error: 0.000",
        "expected calibration error of the nights' matches: 0.000",
    ]


def test_two_sounds_are_told_apart(labels: Path, make_clip: MakeClip, capsys: pytest.CaptureFixture[str]) -> None:
    make_clip("caller", 400, night(7), rate=8_000)
    run("ingest", str(labels.parent / "in"))
    with labels.open("a") as file:
        file.write(f"{night(7)}/caller;Eva\n")
    capsys.readouterr()
    run("evaluate", str(labels))
    lines = capsys.readouterr().out.splitlines()
    run("evaluate", str(labels), "--json")
    found = json.loads(capsys.readouterr().out)["scores"]["by_sound"]
    at = next(at for at, line in enumerate(lines) if line.startswith("heard"))

    assert lines[at : at + 3] == [
        "heard   clips  precision  recall  calibration error",
        "wide        3      0.778   1.000              0.000",
        "narrow      1      0.333   1.000              1.000",
    ]
    assert set(found) == {"wide", "narrow"}
    assert set(found["narrow"]) == {"clips", "precision", "recall", "calibration_error"}
    assert max(map(len, lines)) <= 80


def test_labels_of_which_none_can_be_judged(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels.write_text(f"clip;speaker\n{night(5)}/a;Ana\n")
    run("evaluate", str(labels))

    [said] = [line for line in capsys.readouterr().out.splitlines() if "calibration" in line]
    assert said == "calibration: no clip can be judged by another labelled one of its speaker"


def test_the_worst_speakers_are_listed(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels.write_text(labels.read_text(encoding="utf-8").replace("c;Ana", "c;Béa"), encoding="utf-8")
    code = run("evaluate", str(labels))

    assert code == 0
    assert capsys.readouterr().out.endswith(
        "speakers with clips of several voices, the worst first:\n"
        "speaker         clips  whose\n"
        "andaiafm/F0001      2  Ana: 1, Béa: 1\n"
        "voices under several numbers, the worst first:\n"
        "voice  clips  where\n"
        "Béa        2  andaiafm/F0001: 1, andaiafm/F0002: 1\n"
    )


def test_a_row_of_no_clip_is_1_and_is_named(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with labels.open("a") as file:
        file.write("andaiafm_F20201106/none;Eva\n")
    code = run("evaluate", str(labels))

    printed = capsys.readouterr()
    said = "rejected 'andaiafm_F20201106/none': line 5: the registry has no such clip [unknown-clip]\n"
    assert (code, printed.err) == (1, said)
    assert printed.out.startswith("labelled clips: 3\n")


def test_a_file_that_holds_no_labels_is_2(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels.write_text("name,who\na,Ana\n")
    code = run("evaluate", str(labels), "--json")

    printed = capsys.readouterr()
    assert (code, printed.out) == (2, "")
    assert printed.err.startswith(f"registry: The labels {labels} cannot be read: its first line does not name the")


def test_labels_as_json(labels: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run("evaluate", str(labels), "--json")

    document = json.loads(capsys.readouterr().out)
    assert (code, document["clips"], document["rejected"]) == (0, 3, [])
    assert document["scores"]["clustering"]["bcubed"] == {"precision": 1, "recall": 1, "f1": 1}
    assert document["scores"]["persistence"] == {"share": 1, "kept": 1, "returning": 1}
    assert (document["scores"]["calibration"]["clips"], document["scores"]["calibration_of_matches"]["clips"]) == (2, 1)
    assert list(document["scores"]["by_sound"]) == ["wide"]


def test_without_labels_what_is_printed_is_called_an_estimate(capsys: pytest.CaptureFixture[str]) -> None:
    code = run("evaluate")

    printed = capsys.readouterr()
    assert (code, printed.err) == (0, "")
    assert printed.out.splitlines()[:5] == [
        "No labels: what may be wrong is estimated from the stored probabilities.",
        "reason   clips  share",
        "new          4  0.667",
        "matched      2  0.333",
        "total        6",
    ]
    assert printed.out.splitlines()[5:10] == [
        "estimate of                                        expected  among",
        "clips that are another voice than their speaker's     0.000      5",
        "new speakers that were known already                  0.000      1",
        "joined speakers that were two voices                  0.000      0",
        "expected precision: 1.000",
    ]
    assert "speakers with the most clips that are expected to be another voice:\n" in printed.out
    assert "never judged" not in printed.out
    assert "heard" not in printed.out


def test_estimates_of_two_sounds_and_of_clips_never_judged(
    indir: Path, make_clip: MakeClip, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make_clip("caller", 400, night(7), rate=8_000)
    run("ingest", str(indir))
    with reach(database_url) as opened, opened.engine.begin() as connection:
        connection.execute(text("DELETE FROM certainty WHERE clip_id = (SELECT clip_id FROM clip WHERE name = 'z')"))
        connection.execute(text("UPDATE certainty SET probability = 0.5"))
    capsys.readouterr()
    run("evaluate")

    lines = capsys.readouterr().out.splitlines()
    at = lines.index("expected precision: 0.500")
    assert lines[at + 1 : at + 5] == [
        "clips of speakers that were never judged, left out: 1",
        "heard   clips  another voice  expected precision",
        "wide        6          2.500               0.500",
        "narrow      1          0.500               0.500",
    ]
    assert max(map(len, lines[: at + 5])) <= 80


def test_estimates_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code = run("evaluate", "--json")

    document = json.loads(capsys.readouterr().out)
    assert (code, document["are_estimates"], document["clips"]) == (0, True, 6)
    assert document["reasons"] == {"new": 4, "matched": 2}
    assert (document["strays"]["count"], document["not_judged"]) == (5, 0)
    assert document["expected_precision"] == pytest.approx(1, abs=1e-3)
    assert list(document["by_sound"]) == ["wide"]
    assert {one["speaker"] for one in document["worst"]} == {"andaiafm/F0001", "andaiafm/F0002"}
