"""A night that comes again: what changed is taken up or named, what is there stays."""

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile as sf
from sqlalchemy import Engine, text

from registry.corrections.addressed import find_clips
from registry.database.store.addresses import find_speaker
from registry.export import export
from registry.ingest import ingest
from tests.conftest import AUTHOR, MakeClip, night, tree

pytestmark = pytest.mark.usefixtures("fake_model", "ends_sound")


def exported(folder: Path) -> list[bytes]:
    return sorted(content for path, content in tree(folder).items() if not path.startswith(".registry"))


def test_changed_audio_is_named_and_the_registry_keeps_its_own(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    make_clip("a")
    make_clip("b")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    before = exported(out)
    wav = make_clip("a", 2000)

    report = ingest(engine, [indir], AUTHOR)
    export(engine, out)

    assert [(one.path, one.reason) for one in report.rejected] == [(str(wav), "changed")]
    assert report.rejected[0].message.endswith(f": registry replace {shlex.quote(str(wav.parent))}")
    assert exported(out) == before


def test_a_changed_transcript_is_taken_up_and_exported(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    make_clip("a", text="bom dia")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    make_clip("a", text="boa noite")

    report = ingest(engine, [indir], AUTHOR)
    done = export(engine, out)

    assert (report.total["updated"], done.written, done.unchanged) == (1, 1, 1)
    assert b"boa noite\n" in exported(out)


LIST = b"LIST\x0e\0\0\0INFOINAM\x02\0\0\0a\0"


def tag(wav: Path) -> None:
    """Write a title into a wav, as an editor does."""
    content = wav.read_bytes() + LIST
    wav.write_bytes(content[:4] + (len(content) - 8).to_bytes(4, "little") + content[8:])


def rewrite(wav: Path, layout: str, subtype: str) -> None:
    samples, rate = sf.read(wav, dtype="int16")
    sf.write(wav, samples, rate, format=layout, subtype=subtype)


def convert(wav: Path) -> None:
    samples, rate = sf.read(wav, dtype="int16")
    sf.write(wav.with_suffix(".flac"), samples, rate, subtype="PCM_16")
    wav.unlink()


@pytest.mark.parametrize(
    "change",
    [tag, convert, lambda wav: rewrite(wav, "RF64", "PCM_16"), lambda wav: rewrite(wav, "WAV", "PCM_24")],
    ids=["tagged", "flac", "RF64", "24 bit"],
)
def test_the_same_sound_in_another_file_is_an_update(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path, change: Callable[[Path], None]
) -> None:
    wav = make_clip("a")
    ingest(engine, [indir], AUTHOR)
    change(wav)

    report = ingest(engine, [indir], AUTHOR)
    again = ingest(engine, [indir], AUTHOR)
    done = export(engine, out)

    assert (report.exit_code, report.total["updated"], report.total["known"]) == (0, 1, 1)
    assert (again.total["updated"], done.exit_code) == (0, 0)
    assert exported(out) == sorted(tree(indir).values())
    assert summaries(engine)[1:] == [{"group": night(5), "audio_files_replaced": 1}]


def summaries(engine: Engine) -> list[dict[str, object]]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT summary FROM operation ORDER BY operation_id")).scalars())


def test_a_known_clip_that_is_being_copied_again_is_named_and_stays(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    wav = make_clip("a")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    before = exported(out)
    wav.write_bytes(wav.read_bytes()[:10_000])

    report = ingest(engine, [indir], AUTHOR)
    export(engine, out)

    assert [one.reason for one in report.rejected] == ["unsettled"]
    assert exported(out) == before


def test_an_input_folder_may_move(engine: Engine, indir: Path, make_clip: MakeClip, out: Path) -> None:
    make_clip("a")
    ingest(engine, [indir], AUTHOR)
    shutil.move(indir, indir.with_name("archive"))

    report = ingest(engine, [indir.with_name("archive")], AUTHOR)
    done = export(engine, out)

    assert (report.total["updated"], report.exit_code, done.written, done.exit_code) == (1, 0, 2, 0)


def test_clips_added_later_join_their_group(engine: Engine, indir: Path, make_clip: MakeClip, out: Path) -> None:
    make_clip("b", 400)
    ingest(engine, [indir], AUTHOR)
    make_clip("a", 1200)
    make_clip("c", 400, night(5, "f"))

    report = ingest(engine, [indir], AUTHOR)
    export(engine, out)

    assert (report.total["new"], report.total["speakers_new"]) == (2, 1)
    folders = sorted(path.name for path in (out / "andaiafm20201105").iterdir())
    assert folders == ["andaiafm20201105-F0001", "andaiafm20201105-F0002"]


def test_a_transcript_that_is_gone_is_named_and_the_registry_keeps_the_clip(
    engine: Engine, indir: Path, make_clip: MakeClip, out: Path
) -> None:
    txt = make_clip("a").with_suffix(".txt")
    ingest(engine, [indir], AUTHOR)
    export(engine, out)
    before = exported(out)
    txt.unlink()

    report = ingest(engine, [indir], AUTHOR)
    export(engine, out)

    assert [one.reason for one in report.rejected] == ["no-transcript"]
    assert exported(out) == before


def test_a_touched_source_is_as_good_as_before(engine: Engine, indir: Path, make_clip: MakeClip, out: Path) -> None:
    make_clip("a").touch()
    ingest(engine, [indir], AUTHOR)
    make_clip("a")

    first = export(engine, out, mode="hardlink")
    again = export(engine, out, mode="hardlink")

    assert (first.exit_code, first.written, again.exit_code, again.unchanged) == (0, 2, 0, 2)


def test_a_station_and_a_clip_are_one_however_their_marks_are_written(
    engine: Engine, indir: Path, make_clip: MakeClip
) -> None:
    composed, decomposed = "r\xe1dio", "ra\u0301dio"
    make_clip("S\xe3o", group=night(5, broadcaster=composed), seed=1)
    ingest(engine, [indir], AUTHOR)
    shutil.move(indir, indir.with_name("archive"))
    indir.mkdir()
    make_clip("Sa\u0303o", group=night(5, broadcaster=decomposed), seed=1)
    make_clip("b", group=night(6, broadcaster=decomposed))

    report = ingest(engine, [indir], AUTHOR)
    with engine.connect() as connection:
        stations = connection.execute(text("SELECT broadcaster, number, clips FROM speakers")).all()
        found = find_clips(connection, [f"{night(5, broadcaster=decomposed)}/Sa\u0303o.wav"])
        speaker = find_speaker(connection, f"{decomposed}/F0001")

    assert (report.total["updated"], report.total["new"]) == (1, 1)
    assert stations == [(composed, "F0001", 2)]
    assert (found, speaker.label) == ([1], f"{composed}/F0001")
