"""Labelled speech of the user's own: who speaks in which file, and nights that are drawn of it."""

import csv
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from registry.errors import SpeechUnfit
from registry.evaluation.labelled_speech import draw_nights, find_speech, lay_out, refuse_outdir
from tests.conftest import RATE, voice

SPEAKERS_TXT = """\
; A list of readers
;ID  |SEX| SUBSET           |MINUTES| NAME
14   | F | train-clean-360  | 25.03 | Kristin LeMoine
17   | M | train-clean-360  | 25.04 | Gord Mackenzie
"""
VOX1_META = "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\nid10001\tA.J._Buckley\tm\tIreland\tdev\n"
CSV = 'speaker,gender\n14,f\n"17",Male\n'


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """Two speakers of three clips each, some of them further down."""
    folder = tmp_path / "speech"
    for speaker, pitch_hz in (("14", 400), ("17", 1200)):
        for number in range(3):
            path = folder / speaker / ("book" if number else "") / f"{number}.flac"
            path.parent.mkdir(parents=True, exist_ok=True)
            sf.write(path, voice(pitch_hz, seed=number), RATE)
    (folder / "README").touch()
    return folder


def genders(tmp_path: Path, content: str) -> Path:
    path = tmp_path / "genders"
    path.write_text(content, encoding="utf-8")
    return path


def test_every_folder_is_a_speaker_and_a_woman_where_nothing_is_told(speech: Path) -> None:
    found = find_speech(speech, None)

    assert [(clip.speaker, clip.gender, clip.path.name) for clip in found.clips] == [
        (speaker, "F", f"{number}.flac") for speaker in ("14", "17") for number in range(3)
    ]


@pytest.mark.parametrize("content", [SPEAKERS_TXT, CSV], ids=["LibriSpeech", "CSV"])
def test_a_table_tells_genders(speech: Path, tmp_path: Path, content: str) -> None:
    found = find_speech(speech, genders(tmp_path, content))

    assert {(clip.speaker, clip.gender) for clip in found.clips} == {("14", "F"), ("17", "M")}


def test_voxceleb_tells_genders_in_small_letters(speech: Path, tmp_path: Path) -> None:
    (speech / "17").rename(speech / "id10001")
    table = genders(tmp_path, VOX1_META + "14\t-\tf\tx\tdev\n")

    assert {(clip.speaker, clip.gender) for clip in find_speech(speech, table).clips} == {("14", "F"), ("id10001", "M")}


def test_speakers_whom_the_table_does_not_name_are_left_out_and_counted(speech: Path, tmp_path: Path) -> None:
    (speech / "18").mkdir()

    assert find_speech(speech, genders(tmp_path, CSV)).left_out == 1


def test_folders_f_and_m_tell_genders(speech: Path) -> None:
    (speech / "M").mkdir()
    (speech / "17").rename(speech / "M" / "17")
    (speech / "F").mkdir()
    (speech / "14").rename(speech / "F" / "14")

    assert {(clip.speaker, clip.gender) for clip in find_speech(speech, None).clips} == {("14", "F"), ("17", "M")}


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("speaker,gender\n14,F\n", "does not hold clips of two speakers.*, whose gender .*genders tells"),
        ("name,sound\n14,F\n", "no line of it names a column of speakers and one of genders"),
    ],
)
def test_a_table_that_does_not_do_is_named(speech: Path, tmp_path: Path, content: str, cause: str) -> None:
    with pytest.raises(SpeechUnfit, match=cause):
        find_speech(speech, genders(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "cause"),
    [("speaker,gender\n14," + "F" * 200_000 + "\n", "field larger"), ("x" * 2**20 * 65, "more than 64 MB")],
    ids=["a cell", "a file"],
)
def test_a_table_that_is_too_large_is_named(speech: Path, tmp_path: Path, content: str, cause: str) -> None:
    with pytest.raises(SpeechUnfit, match=cause):
        find_speech(speech, genders(tmp_path, content))


def test_a_word_that_is_no_gender_leaves_the_speaker_out(speech: Path, tmp_path: Path) -> None:
    (speech / "18").mkdir()
    found = find_speech(speech, genders(tmp_path, "speaker,gender\n14,female\n17,M\n18,Mulher\n"))

    assert ({clip.gender for clip in found.clips}, found.left_out) == ({"F", "M"}, 1)


def test_hidden_folders_are_no_speakers(speech: Path) -> None:
    shutil.copytree(speech / "14", speech / ".git")

    assert {clip.speaker for clip in find_speech(speech, None).clips} == {"14", "17"}


def test_a_speaker_of_both_genders_is_named(speech: Path) -> None:
    for gender in ("F", "M"):
        shutil.copytree(speech / "14", speech / gender / "14")
    shutil.rmtree(speech / "14")
    shutil.rmtree(speech / "17")

    with pytest.raises(SpeechUnfit, match="a speaker of the same name is among the other gender"):
        find_speech(speech, None)


def test_links_are_laid_out_as_what_they_lead_to(speech: Path, tmp_path: Path) -> None:
    (tmp_path / "links" / "a").mkdir(parents=True)
    (tmp_path / "links" / "b").mkdir()
    for speaker, of in (("a", "14"), ("b", "17")):
        (tmp_path / "links" / speaker / "0.flac").symlink_to(speech / of / "0.flac")
    clips = find_speech(tmp_path / "links", None).clips
    lay_out(clips, tmp_path / "bench", nights=2, seed=1, heard="as-it-is")

    laid = list((tmp_path / "bench").glob("*/*/*.flac"))
    assert (len(laid), [path.is_symlink() for path in laid]) == (2, [False, False])


def test_names_that_are_no_utf_8_are_written_as_text(speech: Path, tmp_path: Path) -> None:
    (speech / "17").rename(speech / os.fsdecode(b"1\xff7"))
    made = lay_out(find_speech(speech, None).clips, tmp_path / "bench", nights=2, seed=1, heard="as-it-is")

    assert "1\\udcff7" in made.labels.read_text(encoding="utf-8")


def test_where_nights_may_not_be_laid_out_is_told_before(speech: Path, tmp_path: Path) -> None:
    (tmp_path / "bench" / "draw-1").mkdir(parents=True)

    refuse_outdir(speech, tmp_path / "other", [tmp_path / "other" / "draw-1"])
    with pytest.raises(SpeechUnfit, match="it is there already"):
        refuse_outdir(speech, tmp_path / "bench", [tmp_path / "bench" / "draw-1"])
    with pytest.raises(SpeechUnfit, match="it lies inside"):
        refuse_outdir(speech, speech / "out", [])


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpeechUnfit, match=r"nowhere: No such file"):
        find_speech(tmp_path / "nowhere", None)


def test_the_same_seed_draws_the_same_nights_as_uneven_as_radio() -> None:
    speakers = [f"s{row % 60:02d}" for row in range(60 * 100)]
    night_of = draw_nights(speakers, 10, seed=1)

    assert np.array_equal(night_of, draw_nights(speakers, 10, seed=1))
    assert not np.array_equal(night_of, draw_nights(speakers, 10, seed=2))
    heard: dict[str, list[int]] = {}
    for speaker, night in zip(speakers, night_of.tolist(), strict=True):
        if night >= 0:
            heard.setdefault(speaker, []).append(night)
    counts = [len(nights) for nights in heard.values()]
    assert len(heard) == 60
    assert {count for count in counts if count <= 8} == set(range(1, 9))
    assert {count for count in counts if count > 8} == {60}
    assert min(len(set(nights)) for nights in heard.values()) == 1
    assert 1 < max(len(set(nights)) for nights in heard.values()) <= 6
    assert set(night_of.tolist()) == set(range(-1, 10))


def test_nights_are_laid_out_with_labels_and_links_to_the_files(speech: Path, tmp_path: Path) -> None:
    clips = find_speech(speech, None).clips
    made = lay_out(clips, tmp_path / "bench", nights=2, seed=3, heard="as-it-is")

    with made.labels.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == made.clips
    assert made.speakers == len({row["speaker"] for row in rows}) == 2
    for row in rows:
        group, name = row["clip"].split("/")
        [wav] = (tmp_path / "bench").glob(f"*/{group}/{name}.flac")
        assert wav.stat().st_nlink == 2
        speaker, file_name = wav.with_suffix(".txt").read_text().split()
        assert speaker == row["speaker"]
        assert any(clip.path.samefile(wav) for clip in clips if clip.path.name == file_name)
    assert {path.parent.parent for path in (tmp_path / "bench").glob("*/*/*.flac")} == set(made.nights)


def test_another_way_of_being_heard_is_written_anew_and_a_broken_file_is_left_to_the_ingest(
    speech: Path, tmp_path: Path
) -> None:
    (speech / "14" / "0.flac").write_bytes(b"no flac")
    clips = [clip for clip in find_speech(speech, None).clips if clip.path.name == "0.flac"]
    made = lay_out(clips, tmp_path / "bench", nights=2, seed=1, heard="telephone")

    written = {path.suffix: path for path in (tmp_path / "bench").glob("*/*/clip-*") if path.suffix != ".txt"}
    assert made.clips == 2
    assert written[".flac"].read_bytes() == b"no flac"
    assert sf.info(written[".wav"]).samplerate == 16_000


def test_a_folder_that_is_there_already_is_left_as_it_is(speech: Path, tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()

    with pytest.raises(SpeechUnfit, match="File exists"):
        lay_out(find_speech(speech, None).clips, tmp_path / "bench", nights=2, seed=1, heard="as-it-is")
    assert list((tmp_path / "bench").iterdir()) == []
