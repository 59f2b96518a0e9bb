"""What was taken in, replaced and withdrawn from the command line, and what there is to hear as a playlist."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.main import main
from registry.speech.embedder import Embedder
from tests.conftest import MakeClip, night

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def registry(
    database_url: str,
    fake_model: Embedder,  # noqa: ARG001 - what embeds
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    indir: Path,
    make_clip: MakeClip,
) -> Run:
    """Run a command in this process, on a registry of two voices."""
    monkeypatch.setenv("REGISTRY_DATABASE_URL", database_url)

    def run(*arguments: object) -> tuple[int, str, str]:
        words = [str(argument) for argument in arguments]
        monkeypatch.setattr("sys.argv", ["registry", *words])
        with pytest.raises(SystemExit) as ended:
            main(words)
        return int(ended.value.code or 0), *capsys.readouterr()

    for name in "ab":
        make_clip(name, 400, night(5))
        make_clip(name * 2, 1200, night(5))
    assert run("ingest", indir)[0] == 0
    return run


def numbers(run: Run) -> dict[str, str]:
    rows = json.loads(run("sql", "SELECT date || '/' || name AS clip, number FROM clips", "--json")[1])
    return {row["clip"]: row["number"] for row in rows}


def test_a_withdrawal_is_planned_done_and_undone(registry: Run, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    before = numbers(registry)
    planned = registry("withdraw", f"{night(5)}/aa", "--save", plan)
    unchanged = numbers(registry)
    done = registry("apply", plan)
    after = numbers(registry)
    undone = registry("undo", 2)

    assert (planned[0], done[0], undone[0]) == (0, 0, 0)
    assert "andaiafm/F0002" in planned[1]
    assert planned[1].endswith("nothing was changed\n")
    assert done[1].endswith("operation 2; to take it back: registry undo 2\n")
    assert unchanged == before
    assert sorted(after) == ["2020-11-05/a", "2020-11-05/b", "2020-11-05/bb"]
    assert numbers(registry) == before


def test_a_folder_that_was_dated_wrongly_takes_the_place_of_its_former_group(registry: Run, indir: Path) -> None:
    shutil.move(indir / night(5), indir / night(6))
    before = numbers(registry)
    planned = registry("replace", indir / night(6), "--of", night(5), "--plan", "--json")
    done = registry("replace", indir / night(6), "--of", night(5))

    assert (planned[0], done[0]) == (0, 0)
    assert json.loads(planned[1])["total"] | {"new": 4, "replaced": 4} == json.loads(planned[1])["total"]
    assert "effects" in json.loads(planned[1])
    assert numbers(registry) == {clip.replace("11-05", "11-06"): number for clip, number in before.items()}


@pytest.mark.parametrize("of", ["F0001", "andaiafm_F20201399", f"{night(5)}/a"])
def test_what_is_no_group_has_no_place_to_take(registry: Run, indir: Path, of: str) -> None:
    code, _, err = registry("replace", indir, "--of", of)

    assert code == 2
    assert "expected a group, such as andaiafm_F20201105" in err


def test_several_speakers_are_merged_at_once(registry: Run, indir: Path, make_clip: MakeClip) -> None:
    make_clip("c", 2000, night(6))
    registry("ingest", indir)
    code, out, _ = registry("merge", "F0003", "F0001", "F0002")

    assert code == 0
    assert set(numbers(registry).values()) == {"F0001"}
    assert out.endswith("operation 3; to take it back: registry undo 3\n")


def test_a_refusal_names_what_to_undo(registry: Run) -> None:
    registry("different", "F0001", "F0002")
    code, _, err = registry("merge", "F0001", "F0002")

    assert code == 2
    assert "operation 2 says that andaiafm/F0001 and andaiafm/F0002 are different; registry undo 2 first" in err


def test_a_split_tells_how_sure_it_is_and_what_to_hear(registry: Run, indir: Path, tmp_path: Path) -> None:
    playlist = tmp_path / "split.m3u"
    registry("merge", "F0001", "F0002")
    mixed = registry("split", "F0001", "--playlist", playlist)
    registry("undo", 2)
    pure = registry("split", "F0001")

    assert "probability that all are one voice 0.0" in mixed[1]
    assert mixed[1].endswith("Listen, then: registry split andaiafm/F0001 --yes\n")
    assert "There is no sign of two voices" in pure[1]
    lines = playlist.read_text().splitlines()
    assert lines[0] == "#EXTM3U"
    assert sorted(lines[2::2]) == sorted(str(path) for path in (indir / night(5)).glob("*.wav"))
    assert [line.partition(",")[2] for line in lines[1::2]] == ["andaiafm/F0001, leaving"] * 2 + [
        "andaiafm/F0001, staying"
    ] * 2
