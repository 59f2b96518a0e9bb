"""Audio other than wav: read where it is whole, named where it is not."""

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from registry.core.records import Floats, Rejected
from registry.input.audio import Audio, read_audio
from registry.input.library_notes import without_notes

RATE = 16_000
KINDS = {"flac": ("FLAC", "PCM_16"), "ogg": ("OGG", "VORBIS"), "opus": ("OGG", "OPUS"), "mp3": ("MP3", None)}


def tone(duration_s: float = 5.0) -> Floats:
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(round(duration_s * RATE)) / RATE)).astype(np.float32)


def write(path: Path, samples: Floats | None = None) -> Path:
    layout, subtype = KINDS[path.suffix[1:]]
    sf.write(path, tone() if samples is None else samples, RATE, format=layout, subtype=subtype)
    return path


def cut(path: Path, kept: float) -> Path:
    os.truncate(path, round(kept * path.stat().st_size))
    return path


def accepted(path: Path) -> Audio:
    audio = read_audio(path)
    assert isinstance(audio, Audio), audio
    return audio


def reason(path: Path, *, is_settled: bool = True) -> str:
    rejected = read_audio(path, is_settled=is_settled)
    assert isinstance(rejected, Rejected), rejected
    return rejected.reason


@pytest.mark.parametrize("suffix", KINDS)
def test_what_libsndfile_decodes_is_read(tmp_path: Path, suffix: str) -> None:
    audio = accepted(write(tmp_path / f"a.{suffix}"))

    assert (audio.sound.sample_rate_hz, audio.sound.channels) == (RATE, 1)
    assert audio.sound.duration_s == pytest.approx(5.0, abs=0.2)
    assert np.abs(np.fft.rfft(audio.samples[:RATE])).argmax() == 440


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_lossless_conversion_is_the_same_audio(tmp_path: Path, subtype: str, channels: int) -> None:
    samples = np.repeat((tone()[:, None] * 32767).astype(np.int16), channels, axis=1)
    sf.write(tmp_path / "a.wav", samples, 44_100, subtype=subtype)
    sf.write(tmp_path / "a.flac", samples, 44_100, subtype=subtype)

    assert accepted(tmp_path / "a.flac").sound.audio_hash == accepted(tmp_path / "a.wav").sound.audio_hash


@pytest.mark.parametrize("suffix", KINDS)
@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_cut_file_is_truncated(tmp_path: Path, suffix: str, kept: float) -> None:
    assert reason(cut(write(tmp_path / f"a.{suffix}"), kept)) == "truncated"


@pytest.mark.parametrize("suffix", ["ogg", "opus", "mp3"])
def test_a_cut_file_that_was_just_touched_is_being_written(tmp_path: Path, suffix: str) -> None:
    assert reason(cut(write(tmp_path / f"a.{suffix}"), 0.5), is_settled=False) == "unsettled"


def unclosed_flac(path: Path) -> Path:
    """Write a flac as an encoder does that cannot go back: nobody says how many samples there are."""
    content = bytearray(write(path).read_bytes())
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    path.write_bytes(content)
    return path


def test_a_flac_of_unknown_length_is_being_written(tmp_path: Path) -> None:
    assert reason(unclosed_flac(tmp_path / "a.flac"), is_settled=False) == "unsettled"


def test_a_flac_that_nobody_closes_any_more_is_read_to_its_end(tmp_path: Path) -> None:
    whole = accepted(write(tmp_path / "whole.flac"))

    assert accepted(unclosed_flac(tmp_path / "a.flac")).sound.audio_hash == whole.sound.audio_hash


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
@pytest.mark.parametrize("channels", [1, 2])
def test_an_mp3_that_does_not_say_how_long_it_is_is_read_to_its_end(
    tmp_path: Path, mode: str, rate_hz: int, channels: int
) -> None:
    """So are those that recorders of streams write; the first frame is silent and of few bits."""
    samples = np.concatenate([np.zeros(8_000, np.float32), tone()])[:, None].repeat(channels, axis=1)
    sf.write(tmp_path / "a.mp3", samples, rate_hz, format="MP3", bitrate_mode=mode)
    content = (tmp_path / "a.mp3").read_bytes()
    second_frame = content.index(content[:2], max(content.find(b"Xing"), content.find(b"Info")))
    (tmp_path / "a.mp3").write_bytes(content[second_frame:])

    assert accepted(tmp_path / "a.mp3").sound.duration_s == pytest.approx(len(samples) / rate_hz, abs=0.15)


def test_the_name_must_say_what_the_file_is(tmp_path: Path) -> None:
    write(tmp_path / "a.flac").rename(tmp_path / "a.mp3")

    assert reason(tmp_path / "a.mp3") == "not-audio"


def test_a_name_that_says_nothing_asks_for_nothing(tmp_path: Path) -> None:
    write(tmp_path / "a.flac").rename(tmp_path / "a")

    assert accepted(tmp_path / "a").sound.duration_s == 5.0


def test_m4a_without_ffmpeg_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A ")

    assert reason(tmp_path / "a.m4a") == "no-ffmpeg"


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program in ffmpeg's place that gives a wav as ffmpeg does on a pipe, or fails where there is none."""
    program = tmp_path / "bin" / "ffmpeg"
    program.parent.mkdir()
    is_asked = f'case "$*" in *"-i /proc/self/fd/0 "*) [ /proc/self/fd/0 -ef "{tmp_path}/a.m4a" ];; *) false;; esac'
    program.write_text(f'#!/bin/sh\n{is_asked} && exec cat "{tmp_path}/decoded.wav"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return tmp_path / "decoded.wav"


def test_m4a_is_decoded_by_ffmpeg(tmp_path: Path, stand_in: Path) -> None:
    sf.write(stand_in, tone(), RATE, subtype="FLOAT")
    content = stand_in.read_bytes()
    at = content.index(b"data") + 4
    stand_in.write_bytes(b"RIFF\xff\xff\xff\xff" + content[8:at] + b"\xff\xff\xff\xff" + content[at + 4 :])
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A ")

    np.testing.assert_array_equal(accepted(tmp_path / "a.m4a").samples, tone())


@pytest.mark.usefixtures("stand_in")
def test_what_ffmpeg_cannot_decode_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x20ftypM4A ")

    assert reason(tmp_path / "a.m4a") == "not-audio"
    assert reason(tmp_path / "a.m4a", is_settled=False) == "unsettled"


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the program ffmpeg is not installed")
def test_ffmpeg_itself_decodes_what_it_is_given(tmp_path: Path) -> None:
    write(tmp_path / "a.mp3").rename(tmp_path / "a.m4a")

    assert accepted(tmp_path / "a.m4a").sound.duration_s == pytest.approx(5.0, abs=0.2)


def test_a_damaged_mp3_says_nothing_besides(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = write(tmp_path / "a.mp3").read_bytes()
    for place in (3000, 6000, 9000):
        content = content[:place] + b"no frame" * 10 + content[place:]
    (tmp_path / "a.mp3").write_bytes(content)
    read_audio(tmp_path / "a.mp3")

    assert capfd.readouterr() == ("", "")


def say_in_c(words: bytes) -> None:
    library = ctypes.CDLL(None)
    library.fputs(words, ctypes.c_void_p.in_dll(library, "stderr"))


def test_what_we_and_our_programs_say_while_mp3s_are_decoded_is_said_at_once(
    capfd: pytest.CaptureFixture[str],
) -> None:
    standard_error = os.fstat(2)
    with without_notes(), without_notes():
        os.write(2, b"night 5: 3 of 7\n")
        subprocess.run("echo ours >&2", shell=True, check=True)

        assert capfd.readouterr().err == "night 5: 3 of 7\nours\n"
        assert os.path.samestat(standard_error, os.fstat(2))


def test_what_other_libraries_say_is_said_when_any_thread_has_decoded(capfd: pytest.CaptureFixture[str]) -> None:
    with without_notes():
        with without_notes():
            for words in (
                b"Note: Trying to resync...\n",
                b"[src/libmpg123/layer3.c:1804] error: failed!\n",
                b"other\n",
            ):
                say_in_c(words)

        assert capfd.readouterr().err == "other\n"
    say_in_c(b"Note: of no MP3\n")

    assert capfd.readouterr().err == "Note: of no MP3\n"


def test_more_notes_than_anybody_could_read_stop_no_decoding(capfd: pytest.CaptureFixture[str]) -> None:
    with without_notes():
        for _ in range(10_000):
            say_in_c(b"Note: Trying to resync...\n")
    with without_notes():
        say_in_c(b"other\n")

    assert capfd.readouterr().err == "other\n"


@pytest.mark.usefixtures("stand_in")
def test_ffmpeg_may_open_no_other_file_and_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(subprocess, "run", lambda command, **_: asked.extend(command))
    (tmp_path / "a.m4a").write_bytes(b"#EXTM3U\nfile:///etc/passwd\n")
    read_audio(tmp_path / "a.m4a")

    assert asked[asked.index("-protocol_whitelist") + 1] == "file"
    assert not {"hls", "concat", "dash"} & set(asked[asked.index("-format_whitelist") + 1].split(","))
    assert asked.index("-format_whitelist") < asked.index("-i")
