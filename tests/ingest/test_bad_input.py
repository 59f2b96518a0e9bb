"""Bad input: each piece is named, the run goes on, nothing else is lost, and the exit code says so."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from sqlalchemy import Engine, text

from registry.core.records import Rejected
from registry.corrections.withdraw import withdraw
from registry.database.check import check
from registry.errors import InputMissing, PairsBroken
from registry.export import export
from registry.ingest import ingest
from registry.ingest.options import IngestOptions
from registry.input.scan import SourceFile
from registry.progress import Silent
from registry.speech.embedder import Embedder
from tests.conftest import AUTHOR, RATE, MakeClip, night, tree, voice

pytestmark = pytest.mark.usefixtures("fake_model")
NIGHT = "andaiafm_F20201105"
ROWS = "SELECT (SELECT count(*) FROM clip), (SELECT count(*) FROM audio), (SELECT count(*) FROM operation)"


def rows(engine: Engine) -> tuple[int, ...]:
    with engine.connect() as connection:
        return tuple(connection.execute(text(ROWS)).one())


def present(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT name FROM clips ORDER BY name")).scalars())


def seconds(engine: Engine) -> list[float]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT duration_s FROM audio")).scalars())


def names(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text('SELECT name FROM clip ORDER BY name COLLATE "C"')).scalars())


def reasons(rejected: tuple[Rejected, ...], indir: Path) -> dict[str, str]:
    return {os.path.relpath(one.path, indir): one.reason for one in rejected}


def exported(folder: Path) -> list[bytes]:
    return sorted(content for path, content in tree(folder).items() if not path.startswith(".registry"))


def write(wav: Path, samples: np.ndarray, subtype: str = "PCM_16", rate: int = RATE) -> None:
    sf.write(wav, samples, rate, subtype=subtype)


def settle(path: Path) -> None:
    """Let nobody have written to a file for two minutes."""
    os.utime(path, (time.time() - 120,) * 2)


def truncate_and_settle(path: Path) -> None:
    os.truncate(path, 20_000)
    settle(path)


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


SILENCE = np.zeros(RATE, np.float32)
BREAK: dict[str, Callable[[Path], object]] = {
    "no-transcript": lambda wav: wav.with_suffix(".txt").unlink(),
    "no-audio": lambda wav: wav.unlink(),
    "empty": lambda wav: wav.write_bytes(b""),
    "truncated": truncate_and_settle,
    "unsettled": lambda wav: os.truncate(wav, 20_000),
    "not-wav": lambda wav: wav.write_bytes(b"ID3 this is a song " * 1000),
    "not-finite": lambda wav: write(wav, voice(400) / SILENCE[: len(voice(400))].clip(0, 1), "FLOAT"),
    "silent": lambda wav: write(wav, SILENCE),
    "too-short": lambda wav: write(wav, voice(400, 0.19)),
    "too-long": lambda wav: write(wav, np.zeros(3601 * 8000, np.int16), "PCM_U8", 8000),
    "unreadable": replace_by_pipe,
}


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_every_broken_clip_is_named_and_the_others_are_taken_in(
    engine: Engine, indir: Path, make_clip: MakeClip, tmp_path: Path
) -> None:
    make_clip("good")
    for reason, damage in BREAK.items():
        damage(make_clip(reason))
    for folder in ("andaiafm_X20201105", "andaiafm_F20201399", "notes"):
        (indir / folder).mkdir()

    report = ingest(engine, [indir], AUTHOR)
    done = export(engine, tmp_path / "out")

    found = {Path(path).stem: reason for path, reason in reasons(report.rejected, indir).items()}
    assert found == {reason: reason for reason in BREAK} | {
        "andaiafm_X20201105": "bad-gender",
        "andaiafm_F20201399": "bad-date",
        "notes": "bad-group-name",
    }
    assert (report.exit_code, names(engine), done.clips, done.exit_code) == (1, ["good"], 1, 0)
    assert (report.total["clips"], report.total["new"], report.total["rejected"]) == (12, 1, 11)
    assert check(engine) == []


def test_a_broken_clip_is_taken_in_once_it_is_mended(engine: Engine, indir: Path, make_clip: MakeClip) -> None:
    make_clip("a").write_bytes(b"")
    ingest(engine, [indir], AUTHOR)
    make_clip("a")

    report = ingest(engine, [indir], AUTHOR)

    assert (report.exit_code, names(engine)) == (0, ["a"])
    assert check(engine) == []


@pytest.mark.parametrize("reason", ["no-audio", "truncated", "too-short", "unreadable"])
def test_strict_refuses_the_whole_run_before_any_change(
    engine: Engine, indir: Path, make_clip: MakeClip, reason: str
) -> None:
    make_clip("good", group=night(4))
    BREAK[reason](make_clip("bad"))

    with pytest.raises(PairsBroken, match=r"1 of the input cannot be used.*bad\.(wav|txt)"):
        ingest(engine, [indir], AUTHOR, IngestOptions(strict=True))

    assert rows(engine) == (0, 0, 0)
    assert check(engine) == []


def test_strict_tells_many_of_one_cause_by_a_few(engine: Engine, indir: Path, make_clip: MakeClip) -> None:
    for name in "abcdefgh":
        BREAK["no-transcript"](make_clip(name))

    with pytest.raises(PairsBroken, match=r"8 of the input.*a\.wav.*b\.wav.*c\.wav.*and 5 more like these"):
        ingest(engine, [indir], AUTHOR, IngestOptions(strict=True))


def test_strict_takes_in_what_is_whole(engine: Engine, indir: Path, make_clip: MakeClip) -> None:
    make_clip("good")

    assert ingest(engine, [indir], AUTHOR, IngestOptions(strict=True)).exit_code == 0
    assert names(engine) == ["good"]


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
@pytest.mark.parametrize(("subtype", "channels"), [("PCM_16", 1), ("PCM_24", 2), ("FLOAT", 1)])
def test_any_wav_is_one_voice_and_leaves_as_it_came(
    engine: Engine, indir: Path, make_clip: MakeClip, tmp_path: Path, rate: int, subtype: str, channels: int
) -> None:
    make_clip("plain")
    other = make_clip("other")
    write(other, np.stack([voice(400, rate=rate)] * channels, axis=1), subtype, rate)

    report = ingest(engine, [indir], AUTHOR)
    export(engine, tmp_path / "out")

    assert (report.exit_code, report.total["speakers_new"]) == (0, 1)
    assert exported(tmp_path / "out") == sorted(tree(indir).values())
    assert check(engine) == []


def test_audio_heard_again_is_a_clip_of_its_own_and_embedded_once(
    engine: Engine, indir: Path, make_clip: MakeClip, embedded: list[object]
) -> None:
    for name, group in [("a", night(5)), ("b", night(5)), ("a", night(5, broadcaster="outrafm")), ("a", night(6))]:
        make_clip(name, 400, group, seed=1)
    ingest(engine, [indir], AUTHOR)
    make_clip("b", 400, night(6), seed=1)

    report = ingest(engine, [indir], AUTHOR)

    assert report.total["new"] == 1
    assert (len(embedded), rows(engine)[:2]) == (1, (5, 1))
    assert check(engine) == []


@pytest.mark.parametrize("content", [b"", b"\xff\xfeb\0o\0m\0", b"ol\xe1 mundo\r\n", b"\xef\xbb\xbfbom dia", b"a\0b"])
def test_a_transcript_of_any_encoding_leaves_as_it_came(
    engine: Engine, indir: Path, make_clip: MakeClip, tmp_path: Path, content: bytes
) -> None:
    make_clip("a").with_suffix(".txt").write_bytes(content)

    report = ingest(engine, [indir], AUTHOR)
    export(engine, tmp_path / "out")

    assert report.exit_code == 0
    assert content in exported(tmp_path / "out")
    assert check(engine) == []


def test_names_of_any_kind_go_through(engine: Engine, tmp_path: Path) -> None:
    group = tmp_path / "meus 'áudios'\n%20{0}" / "rádio \"um\"\n'98.5%'_F20201105"
    group.mkdir(parents=True)
    for seed, name in enumerate(["a b", "it's", "line\nbreak", "São João", "-rf", "%s{0}\\"]):
        write(group / f"{name}.wav", voice(400, seed=seed))
        (group / f"{name}.txt").write_text(name)

    report = ingest(engine, [group.parent], AUTHOR)
    again = ingest(engine, [group.parent], AUTHOR)
    done = export(engine, tmp_path / "saída 'x'\n%")

    assert (report.exit_code, again.total["known"], done.exit_code) == (0, 6, 0)
    assert exported(tmp_path / "saída 'x'\n%") == sorted(tree(group).values())
    assert check(engine) == []


def test_a_huge_transcript_is_named(engine: Engine, indir: Path, make_clip: MakeClip) -> None:
    os.truncate(make_clip("a").with_suffix(".txt"), 10_000_001)

    report = ingest(engine, [indir], AUTHOR)

    assert reasons(report.rejected, indir) == {f"{NIGHT}/a.txt": "too-long"}


def test_a_clip_that_is_still_being_written_is_named(
    engine: Engine, indir: Path, make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_clip("a")
    monkeypatch.setattr("registry.input.scan._source", lambda path, _: SourceFile(path, size=1, mtime_ns=1))

    report = ingest(engine, [indir], AUTHOR)

    assert reasons(report.rejected, indir) == {f"{NIGHT}/a.wav": "unsettled"}
    assert rows(engine)[0] == 0


def test_a_recording_under_way_is_taken_in_whole_once_it_has_ended(
    engine: Engine, indir: Path, make_clip: MakeClip
) -> None:
    """A recorder to a pipe leaves the sizes unknown for ever: what says that it has ended is that nothing is added."""
    wav = make_clip("a", seconds=4)
    whole = wav.read_bytes().replace(len(wav.read_bytes()[44:]).to_bytes(4, "little"), b"\xff" * 4)
    wav.write_bytes(whole[: len(whole) // 4])
    first = ingest(engine, [indir], AUTHOR)
    wav.write_bytes(whole)
    settle(wav)

    report = ingest(engine, [indir], AUTHOR)

    assert reasons(first.rejected, indir) == {f"{NIGHT}/a.wav": "unsettled"}
    assert (report.exit_code, report.total["new"], seconds(engine)) == (0, 1, [4.0])


def test_one_recording_under_both_genders_is_one_speaker_and_named(
    engine: Engine, indir: Path, make_clip: MakeClip
) -> None:
    make_clip("a", group=night(5, "F"), seed=1)
    wav = make_clip("b", group=night(5, "M"), seed=1)

    report = ingest(engine, [indir], AUTHOR)

    assert [(one.path, one.reason) for one in report.rejected] == [(str(wav), "both-genders")]
    assert f"registry withdraw {night(5, 'F')}/a," in report.rejected[0].message
    assert (names(engine), report.total["speakers_new"], check(engine)) == (["a"], 1, [])


def test_a_recording_that_comes_again_under_the_other_gender_is_named(
    engine: Engine, indir: Path, make_clip: MakeClip
) -> None:
    make_clip("a", group=night(5, "M"), seed=1)
    ingest(engine, [indir], AUTHOR)
    wav = make_clip("a", group=night(6, "F", "outrafm"), seed=1)
    make_clip("b", 1200, group=night(6, "F", "outrafm"))

    report = ingest(engine, [indir], AUTHOR)

    assert [(one.path, one.reason) for one in report.rejected] == [(str(wav), "both-genders")]
    assert (names(engine), report.total["new"], report.total["forgotten"]) == (["a", "b"], 1, 0)


@pytest.mark.parametrize("strict", [True, False])
def test_where_the_first_was_wrong_it_is_withdrawn_and_the_second_taken_in(
    engine: Engine, indir: Path, make_clip: MakeClip, *, strict: bool
) -> None:
    make_clip("a", group=night(5, "F"), seed=1)
    ingest(engine, [indir], AUTHOR)
    make_clip("b", group=night(5, "M"), seed=1)
    withdraw(engine, [f"{night(5, 'F')}/a"], AUTHOR)

    report = ingest(engine, [indir], AUTHOR, IngestOptions(strict=strict))
    again = ingest(engine, [indir], AUTHOR, IngestOptions(strict=strict))

    assert (report.exit_code, report.total["new"], again.exit_code, again.total["known"]) == (0, 1, 0, 1)
    assert present(engine) == ["b"]


def test_strict_refuses_one_recording_under_both_genders(engine: Engine, indir: Path, make_clip: MakeClip) -> None:
    make_clip("a", group=night(5, "F"), seed=1)
    ingest(engine, [indir], AUTHOR, IngestOptions(strict=True))
    make_clip("b", group=night(6, "M"), seed=1)
    make_clip("c", group=night(6, "F"), seed=2)
    make_clip("c", group=night(6, "M"), seed=2)

    with pytest.raises(PairsBroken, match=r"2 of the input cannot be used.*b\.wav.*c\.wav"):
        ingest(engine, [indir], AUTHOR, IngestOptions(strict=True))

    assert names(engine) == ["a"]


def test_clips_that_the_model_cannot_embed_are_all_named(
    engine: Engine, indir: Path, make_clip: MakeClip, fake_model: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_clip("a", seed=1)
    make_clip("b", seed=1)
    deaf = replace(fake_model, infer=lambda _: np.zeros(40, np.float32))
    monkeypatch.setattr("registry.ingest.model_in_use.load_embedder", lambda *_: deaf)

    report = ingest(engine, [indir], AUTHOR)

    assert reasons(report.rejected, indir) == {f"{NIGHT}/{name}.wav": "no-embedding" for name in "ab"}


class Steps(Silent):
    """A progress that notes each step."""

    def __init__(self) -> None:
        self.total, self.taken = 0, list[int]()

    def begin(self, what: str, total: int) -> None:  # noqa: ARG002 - as of any progress
        self.total = total

    def advance(self, steps: int) -> None:
        self.taken += [steps] if steps else []


def test_progress_moves_while_a_small_group_is_embedded(engine: Engine, indir: Path, make_clip: MakeClip) -> None:
    make_clip("broken").write_bytes(b"")
    for name in "abcd":
        make_clip(name, seconds=12)
    make_clip("again", seed=sum(map(ord, "a" + NIGHT)), seconds=12)

    ingest(engine, [indir], AUTHOR, progress=(steps := Steps()))

    assert (steps.total, sum(steps.taken)) == (6, 6)
    assert steps.taken == [1, 1, 1, 1, 1, 1]


def test_nothing_to_read_stops_the_run(engine: Engine, indir: Path) -> None:
    with pytest.raises(InputMissing) as stopped:
        ingest(engine, [indir / "gone"], AUTHOR)

    assert stopped.value.exit_code == 2
    assert ingest(engine, [indir], AUTHOR).exit_code == 1
    assert rows(engine) == (0, 0, 0)


def test_a_path_too_long_for_the_database_stops_no_other_clip(
    engine: Engine, indir: Path, make_clip: MakeClip, tmp_path: Path
) -> None:
    """A wav without an end is not opened by its path, so that nothing else finds it too long."""
    wav = make_clip("a")
    make_clip("b", group=night(6))
    deep = tmp_path.joinpath(*["x" * 250] * 11)
    deep.mkdir(parents=True)
    content = wav.read_bytes()
    wav.write_bytes(content.replace(len(content[44:]).to_bytes(4, "little"), b"\xff" * 4))
    settle(wav)
    wav.parent.rename(deep / night(5))

    report = ingest(engine, [indir, deep], AUTHOR)

    assert {one.reason for one in report.rejected} == {"bad-name"}
    assert (names(engine), check(engine)) == (["b"], [])


def test_strict_tells_a_folder_of_endless_endings_in_a_few_lines(engine: Engine, indir: Path) -> None:
    (indir / NIGHT).mkdir()
    for number in range(5000):
        (indir / NIGHT / f"a.{number:0200}").touch()

    with pytest.raises(PairsBroken, match="none of its files is audio") as refused:
        ingest(engine, [indir], AUTHOR, IngestOptions(strict=True))
    assert len(str(refused.value)) < 5_000
