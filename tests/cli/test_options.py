"""An option that is given reaches what it is for: where it is thrown away, other clips, files or rows come of it."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import Engine, text

from registry import settings
from registry.core.records import Floats
from registry.speech.embedder import Embedder
from tests.cli.test_json import CALLS
from tests.conftest import LOADERS, MakeClip, mistake, night
from tests.said import Run, runner

MORE_THAN_CORES = len(os.sched_getaffinity(0)) + 1
GARBLED = "rÃ¡dio_F20201105"  # as a name looks that was read in another encoding
NOBODY = "127.0.0.1:1"  # where no cluster answers
OF_THE_EMBEDDED_SERVER = ("benchmark", "database list", "database drop", "database stop")
A_PLAN = {
    "version": 2,
    "command": "merge",
    "task": {"one": "F0001", "others": ["F0002"]},
    "based_on": 1,
    "effects": {"clips": [], "numbers": [], "names": [], "verdicts": []},
}


@dataclass(frozen=True)
class Asked:
    """What a loader was asked for."""

    model: str
    runtime: str | None


CommandOf = Callable[[Path, Path], tuple[object, ...]]  # of the input folder and the output folder


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process, on a fresh registry."""
    monkeypatch.setenv("REGISTRY_DATABASE_URL", database_url)

    return runner(monkeypatch, capsys)


@pytest.fixture
def asked(two_models: dict[str, Embedder], monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """List what loaders are asked for, who give fake models."""
    loaded: list[Asked] = []

    def load(name: str = "campplus", runtime: str = "auto") -> Embedder:
        loaded.append(Asked(name, runtime))
        return two_models[name]

    for module in LOADERS:
        monkeypatch.setattr(f"{module}.load_embedder", load)
    return loaded


def side_by_side(model: Embedder, clips: int) -> Embedder:
    """Let a model embed its first clips only when so many are being embedded."""
    together, turns = Barrier(clips), count()

    def infer(samples: Floats) -> Floats:
        if next(turns) < clips:
            together.wait(20)
        return model.infer(samples)

    return replace(model, infer=infer)


def values(engine: Engine, query: str) -> list[object]:
    with engine.connect() as connection:
        return list(connection.execute(text(query)).scalars())


def group_folders(out: Path) -> list[str]:
    return sorted(path.name for path in out.iterdir() if not path.name.startswith("."))


@pytest.fixture
def nights(run: Run, fake_model: Embedder, make_clip: MakeClip, indir: Path) -> Path:  # noqa: ARG001 - what embeds
    """Three nights of a voice at two stations, ingested."""
    for station in ("andaiafm", "novafm"):
        for day in (5, 6, 7):
            make_clip("a", group=night(day, broadcaster=station))
    assert run("ingest", indir).code == 0
    return indir


@pytest.mark.parametrize(
    ("options", "nights_of"),
    [
        (("--broadcaster", "novafm"), {"novafm": (5, 6, 7)}),
        (("--from", "20201106"), {"andaiafm": (6, 7), "novafm": (6, 7)}),
        (("--to", "2020-11-06"), {"andaiafm": (5, 6), "novafm": (5, 6)}),
        (("--broadcaster", "andaiafm", "--from", "20201106", "--to", "20201106"), {"andaiafm": (6,)}),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("nights")
def test_an_export_is_of_the_nights_and_the_station_asked_for(
    run: Run, out: Path, options: tuple[str, ...], nights_of: dict[str, tuple[int, ...]]
) -> None:
    said = run("export", out, *options)

    assert said.code == 0
    assert group_folders(out) == [f"{station}202011{day:02}" for station, days in nights_of.items() for day in days]


@pytest.mark.parametrize("command", ["export", "night"])
@pytest.mark.parametrize(("mode", "is_link", "is_same"), [("copy", 0, 0), ("hardlink", 0, 1), ("symlink", 1, 1)])
def test_the_tree_has_copies_or_links_as_asked_for(
    run: Run, nights: Path, out: Path, command: str, mode: str, is_link: int, is_same: int
) -> None:
    source = nights / night(5) / "a.wav"
    where = [nights, out] if command == "night" else [out]
    said = run(command, *where, "--link", mode)
    exported = out / "andaiafm20201105/andaiafm20201105-F0001/andaiafm20201105F0001_000000.wav"

    assert said.code == 0
    assert (exported.is_symlink(), exported.samefile(source)) == (bool(is_link), bool(is_same))


@pytest.mark.usefixtures("fake_model")
@pytest.mark.parametrize(("scope", "speakers"), [("registry", 1), ("broadcaster", 2)])
def test_the_scope_says_whether_a_voice_of_two_stations_is_one_speaker(
    run: Run, engine: Engine, make_clip: MakeClip, indir: Path, scope: str, speakers: int
) -> None:
    for station in ("andaiafm", "novafm"):
        make_clip("a", group=night(5, broadcaster=station))
    said = run("ingest", indir, "--scope", scope)

    assert said.code == 0
    assert values(engine, "SELECT count(DISTINCT speaker_id) FROM clips") == [speakers]
    assert json.loads(run("database", "status", "--json").out)["scope"] == scope


@pytest.mark.usefixtures("fake_model")
def test_the_accepted_rate_of_false_merges_stays_until_another_is_given(
    run: Run, engine: Engine, make_clip: MakeClip, indir: Path
) -> None:
    kept = []
    for day, options in enumerate([(), ("--false-merge-rate", "0.1"), (), ("--false-merge-rate", "0.01")], 5):
        make_clip("a", group=night(day))
        run("ingest", indir, *options)
        kept += values(engine, "SELECT false_merge_rate FROM registry")

    assert kept == pytest.approx([0.02, 0.1, 0.1, 0.01])


def ingest_of(indir: Path, _: Path) -> tuple[object, ...]:
    return "ingest", indir


def night_of(indir: Path, out: Path) -> tuple[object, ...]:
    return "night", indir, out


def replace_of(indir: Path, _: Path) -> tuple[object, ...]:
    return "replace", indir / night(5)


def reembed_of(_: Path, __: Path) -> tuple[object, ...]:
    return "reembed", "--model", "second"


EMBEDDING = pytest.mark.parametrize("command", [ingest_of, night_of, replace_of, reembed_of])


@pytest.fixture
def to_do(run: Run, asked: list[Asked], make_clip: MakeClip, indir: Path, command: CommandOf) -> None:
    """Leave a command some clips to embed, one more than there are cores, in a registry that is there."""
    make_clip("known")
    run("ingest", indir)
    for number in range(MORE_THAN_CORES):
        make_clip(f"new{number}")
    if command is reembed_of:
        run("ingest", indir)
    asked.clear()


@EMBEDDING
@pytest.mark.usefixtures("to_do")
def test_the_model_is_run_by_what_is_asked_for(
    run: Run, asked: list[Asked], indir: Path, out: Path, command: CommandOf
) -> None:
    said = run(*command(indir, out), "--runtime", "torch")

    assert said.code == 0
    assert asked == [Asked("second" if command is reembed_of else "campplus", "torch")]


@EMBEDDING
@pytest.mark.usefixtures("to_do")
def test_as_many_clips_are_embedded_side_by_side_as_asked_for(
    run: Run, two_models: dict[str, Embedder], indir: Path, out: Path, command: CommandOf
) -> None:
    for name, model in two_models.items():
        two_models[name] = side_by_side(model, MORE_THAN_CORES)
    said = run(*command(indir, out), "--workers", MORE_THAN_CORES)

    assert said.code == 0


@pytest.mark.usefixtures("fake_model")
@pytest.mark.parametrize("options", [(), ("--plan",)], ids=" ".join)
def test_an_ingest_over_a_cluster_goes_to_the_cluster_asked_for(
    run: Run, make_clip: MakeClip, indir: Path, options: tuple[str, ...]
) -> None:
    make_clip("a")
    said = run("ingest", indir, "--ray", NOBODY, *options)

    assert said.code == 2
    assert NOBODY in said.err
    assert "Connection refused" in said.err


@pytest.mark.usefixtures("fake_model")
@pytest.mark.parametrize("command", [ingest_of, night_of])
def test_a_name_that_looks_garbled_is_taken_for_what_it_is_where_asked_for(
    run: Run, make_clip: MakeClip, indir: Path, out: Path, command: CommandOf
) -> None:
    make_clip("a", group=GARBLED)
    refused, taken = run(*command(indir, out), "--new"), run(*command(indir, out), "--as-named")

    assert (refused.code, taken.code) == (1, 0)


@pytest.mark.usefixtures("fake_model")
def test_a_group_whose_name_looks_garbled_is_replaced_where_asked_for(
    run: Run, make_clip: MakeClip, indir: Path
) -> None:
    make_clip("a", group=GARBLED)
    run("ingest", indir, "--as-named")
    refused, taken = run("replace", indir / GARBLED), run("replace", indir / GARBLED, "--as-named")

    assert (refused.code, taken.code) == (1, 0)


@pytest.mark.usefixtures("fake_model")
def test_a_group_shrinks_to_less_than_half_where_asked_for(
    run: Run, engine: Engine, make_clip: MakeClip, indir: Path
) -> None:
    clips = [make_clip(name) for name in "abc"]
    run("ingest", indir)
    for clip in clips[1:]:
        clip.unlink()
        clip.with_suffix(".txt").unlink()
    refused, taken = run("replace", indir), run("replace", indir, "--remove")

    assert (refused.code, taken.code) == (2, 0)
    assert values(engine, "SELECT name FROM clips") == ["a"]


@pytest.mark.parametrize("call", [call for call in CALLS if not call.startswith(OF_THE_EMBEDDED_SERVER)])
def test_every_command_asks_the_database_that_is_named(run: Run, tmp_path: Path, call: str) -> None:
    paths = {name: tmp_path / name for name in ("in", "out", "other", "wav", "labels", "men", "demo")}
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(A_PLAN))
    said = run(*call.format(**paths, plan=plan, group=night(5)).split(), "--database", f"postgresql://{NOBODY}/named")

    assert (said.code, said.out) == (2, "")
    assert f"{NOBODY}/named" in said.err


@pytest.fixture
def two_numbers(run: Run, engine: Engine, fake_model: Embedder, make_clip: MakeClip, indir: Path) -> None:  # noqa: ARG001 - what embeds
    """One voice under two numbers, F0001 and F0003, and another voice."""
    for name in "abcd":
        make_clip(name, 400)
    make_clip("x", 3000)
    run("ingest", indir)
    mistake(engine, ["c", "d"], None)


@pytest.mark.usefixtures("two_numbers")
def test_a_planned_consolidation_changes_nothing(run: Run, engine: Engine) -> None:
    numbers = "SELECT number FROM clips WHERE name IN ('a', 'c') ORDER BY name"
    planned = run("consolidate", "--plan").out
    kept = values(engine, numbers)
    done = run("consolidate").out

    assert ("nothing was changed" in planned, "nothing was changed" in done) == (True, False)
    assert (kept, values(engine, numbers)) == (["F0001", "F0003"], ["F0001", "F0001"])


@pytest.mark.usefixtures("two_numbers")
def test_all_clips_are_clustered_anew_where_asked_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a registry that is no longer young."""
    monkeypatch.setattr(settings, "YOUNG_AUDIOS", 0)
    found = [json.loads(run("consolidate", *full, "--plan", "--json").out) for full in ((), ("--full",))]

    assert ["gap" in one for one in found] == [False, True]


@pytest.mark.usefixtures("two_numbers")
@pytest.mark.parametrize("command", ["consolidate", "evaluate"])
def test_what_there_is_to_hear_is_a_playlist_where_asked_for(run: Run, tmp_path: Path, command: str) -> None:
    playlist = tmp_path / "hear.m3u"
    said = run(command, "--playlist", playlist)
    head, *entries = playlist.read_text().splitlines()

    assert head == "#EXTM3U"
    assert [line.strip() for line in said.out.splitlines() if line.strip().endswith(".wav")] == entries[1::2]


def test_a_registry_is_built_on_the_model_asked_for(
    run: Run, engine: Engine, asked: list[Asked], make_clip: MakeClip, indir: Path
) -> None:
    make_clip("a")
    said = run("ingest", indir, "--model", "second")

    assert said.code == 0
    assert asked == [Asked("second", None)]
    assert values(engine, "SELECT name FROM embedding_model") == ["second"]


@pytest.mark.usefixtures("nights")
def test_notes_of_a_speaker_are_kept_until_others_are_given(run: Run, engine: Engine) -> None:
    kept = []
    for notes in (("--notes", "reads the news"), (), ("--notes", "on leave")):
        run("rename", "andaiafm/F0001", "Maria", *notes)
        kept += values(engine, "SELECT DISTINCT notes FROM speakers")

    assert kept == ["reads the news", "reads the news", "on leave"]


@pytest.mark.usefixtures("fake_model")
def test_a_proposed_cut_is_made_where_asked_for(run: Run, engine: Engine, make_clip: MakeClip, indir: Path) -> None:
    for name, pitch_hz in (("a", 400), ("b", 400), ("c", 3000)):
        make_clip(name, pitch_hz)
    run("ingest", indir)
    run("merge", "F0001", "F0002")
    speakers = "SELECT count(DISTINCT speaker_id) FROM clips"
    proposed, asked = run("split", "F0001"), values(engine, speakers)
    made, done = run("split", "F0001", "--yes"), values(engine, speakers)

    assert (proposed.code, made.code) == (0, 0)
    assert (asked, done) == ([1], [2])


def test_a_query_is_ended_after_the_time_it_may_take(run: Run) -> None:
    ended, asked = (run("sql", "SELECT pg_sleep(1)", "--timeout", seconds) for seconds in (0.1, 0))

    assert (ended.code, asked.code) == (2, 0)


@pytest.mark.usefixtures("nights")
def test_a_planned_withdrawal_takes_nothing_out(run: Run, engine: Engine) -> None:
    planned = run("withdraw", night(5), "--plan")

    assert planned.out.endswith("nothing was changed\n")
    assert values(engine, "SELECT count(*) FROM clips") == [6]
