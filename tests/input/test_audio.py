"""One wav becomes 16 kHz mono samples, or a reason."""

import os
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf

from registry import settings
from registry.core.records import Floats, Rejected
from registry.input import audio, decoding
from registry.input.audio import Audio, read_audio


def tone(duration_s: float = 1.0, rate_hz: int = 16_000, peak: float = 0.3) -> Floats:
    times_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    return (peak * np.sin(2 * np.pi * 440 * times_s)).astype(np.float32)


def write(path: Path, samples: npt.NDArray[Any], rate_hz: int = 16_000, subtype: str = "PCM_16", **more: Any) -> Path:
    sf.write(path, samples, rate_hz, subtype=subtype, **more)
    return path


def accepted(path: Path) -> Audio:
    result = read_audio(path)
    assert isinstance(result, Audio), result
    return result


def rejected(path: Path) -> Rejected:
    result = read_audio(path)
    assert isinstance(result, Rejected)
    assert result.path == str(path)
    return result


def wav_bytes(sound: bytes, *, riff_bytes: int | None = None, sound_bytes: int | None = None) -> bytes:
    """A 16-bit 16 kHz mono wav whose header may promise what it likes."""
    body = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    body += b"LIST" + struct.pack("<I", 3) + b"odd\0"
    body += b"data" + struct.pack("<I", len(sound) if sound_bytes is None else sound_bytes) + sound
    return b"RIFF" + struct.pack("<I", len(body) + 4 if riff_bytes is None else riff_bytes) + b"WAVE" + body


PCM_16 = (tone() * 32767).astype("<i2").tobytes()


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
def test_any_rate_becomes_16_khz(tmp_path: Path, rate_hz: int) -> None:
    result = accepted(write(tmp_path / "a.wav", tone(1.0, rate_hz), rate_hz))

    assert result.sound.sample_rate_hz == rate_hz
    assert result.sound.duration_s == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_allclose(result.samples[2000:14000], tone()[2000:14000], atol=2e-3)
    assert abs(result.samples.size - 16_000) <= 1


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ALAW", "ULAW"])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_width_and_channel_count_becomes_mono_float32(tmp_path: Path, subtype: str, channels: int) -> None:
    samples = np.repeat(tone()[:, None], channels, axis=1)

    result = accepted(write(tmp_path / "a.wav", samples, subtype=subtype))

    assert result.samples.dtype == np.float32
    assert result.samples.shape == (16_000,)
    assert result.sound.channels == channels
    np.testing.assert_allclose(result.samples, tone(), atol=0.02)


@pytest.mark.parametrize("layout", ["WAV", "WAVEX", "RF64"])
def test_every_wav_layout_is_read(tmp_path: Path, layout: str) -> None:
    assert accepted(write(tmp_path / "a.wav", tone(), format=layout)).sound.duration_s == 1.0


@pytest.mark.parametrize("subtype", ["IMA_ADPCM", "MS_ADPCM", "GSM610", "G721_32"])
def test_compressed_wav_is_read(tmp_path: Path, subtype: str) -> None:
    path = write(tmp_path / "a.wav", tone(), subtype=subtype)

    assert accepted(path).sound.duration_s == pytest.approx(1.0, abs=0.05)


def test_16_khz_mono_is_passed_on_untouched(tmp_path: Path) -> None:
    samples = accepted(write(tmp_path / "a.wav", tone(), subtype="FLOAT")).samples

    np.testing.assert_array_equal(samples, tone())


def test_blocks_leave_no_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.wav", tone(1.0, 44_100), 44_100)
    whole = accepted(path)
    monkeypatch.setattr(decoding, "BLOCK_SAMPLES", 1000)

    np.testing.assert_array_equal(accepted(path).samples, whole.samples)
    assert accepted(path).sound.audio_hash == whole.sound.audio_hash


def test_channels_of_opposite_phase_do_not_cancel_to_silence(tmp_path: Path) -> None:
    samples = np.stack([tone(), -tone()], axis=1)

    np.testing.assert_array_equal(accepted(write(tmp_path / "a.wav", samples, subtype="FLOAT")).samples, tone())


def test_one_silent_channel_is_no_fault(tmp_path: Path) -> None:
    samples = np.stack([np.zeros_like(tone()), tone()], axis=1)

    np.testing.assert_allclose(
        accepted(write(tmp_path / "a.wav", samples, subtype="FLOAT")).samples, tone() / 2, atol=1e-6
    )


@pytest.mark.parametrize("sound_bytes", [0xFFFFFFFF, 0x7FFFF000, 0x80000000])
def test_a_streamed_wav_of_unknown_size_is_read_to_its_end(tmp_path: Path, sound_bytes: int) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav_bytes(PCM_16, riff_bytes=0xFFFFFFFF, sound_bytes=sound_bytes))

    assert accepted(path).sound.duration_s == 1.0


@pytest.mark.parametrize("riff_bytes", [0, 0xFFFFFFFF])
def test_a_wav_never_closed_is_read_to_its_end(tmp_path: Path, riff_bytes: int) -> None:
    whole, unclosed = tmp_path / "whole.wav", tmp_path / "unclosed.wav"
    whole.write_bytes(wav_bytes(PCM_16))
    unclosed.write_bytes(wav_bytes(PCM_16, riff_bytes=riff_bytes, sound_bytes=0))

    assert accepted(unclosed).sound.audio_hash == accepted(whole).sound.audio_hash


def test_the_hash_is_of_the_sound_not_of_the_file(tmp_path: Path) -> None:
    steps = np.frombuffer(PCM_16, "<i2")
    paths = [
        write(tmp_path / "16.wav", steps),
        write(tmp_path / "24.wav", steps, subtype="PCM_24"),
        write(tmp_path / "float.wav", (steps / 32768).astype(np.float32), subtype="FLOAT"),
        write(tmp_path / "x.wav", steps, format="WAVEX"),
        write(tmp_path / "64.wav", steps, format="RF64"),
    ]
    tagged = tmp_path / "tagged.wav"
    tagged.write_bytes(wav_bytes(PCM_16))

    assert len({accepted(path).sound.audio_hash for path in [*paths, tagged]}) == 1


def test_the_hash_tells_sounds_rates_and_channel_counts_apart(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "a.wav", tone()),
        write(tmp_path / "quieter.wav", tone(peak=0.29)),
        write(tmp_path / "slower.wav", tone(), 8_000),
        write(tmp_path / "stereo.wav", tone().reshape(-1, 2)),
    ]

    assert len({accepted(path).sound.audio_hash for path in paths}) == 4


def test_a_missing_file_is_unreadable(tmp_path: Path) -> None:
    assert rejected(tmp_path / "none.wav").reason == "unreadable"


def test_a_folder_is_unreadable(tmp_path: Path) -> None:
    assert rejected(tmp_path).reason == "unreadable"


def test_a_named_pipe_is_unreadable_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")

    assert rejected(tmp_path / "pipe.wav").reason == "unreadable"


def test_a_file_we_may_not_open_is_unreadable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.wav", tone())

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)

    assert rejected(path).reason == "unreadable"
    assert "Permission denied" in rejected(path).message


def test_a_file_of_no_bytes_is_empty(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()

    assert rejected(tmp_path / "a.wav").reason == "empty"


def test_a_header_without_samples_is_empty(tmp_path: Path) -> None:
    assert rejected(write(tmp_path / "a.wav", tone(0.0))).reason == "empty"


@pytest.mark.parametrize("layout", ["FLAC", "MP3", "OGG", "AIFF", "W64"])
def test_another_format_named_wav_is_refused(tmp_path: Path, layout: str) -> None:
    sf.write(tmp_path / "a.wav", tone(), 16_000, format=layout)

    assert rejected(tmp_path / "a.wav").reason == "not-wav"


@pytest.mark.parametrize("content", [b"R", b"RIFF", b"Hello, this is the transcript.", bytes(5000)])
def test_bytes_that_are_no_wav_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(content)

    assert rejected(tmp_path / "a.wav").reason == "not-wav"


@pytest.mark.parametrize("kept", [30, 60, 80, 10_000, 32_000])
def test_a_file_cut_anywhere_is_truncated(tmp_path: Path, kept: int) -> None:
    (tmp_path / "a.wav").write_bytes(wav_bytes(PCM_16)[:kept])

    assert rejected(tmp_path / "a.wav").reason == "truncated"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("everywhere", [True, False])
def test_samples_that_are_no_numbers_are_refused(tmp_path: Path, value: float, *, everywhere: bool) -> None:
    samples = tone()
    samples[0 if everywhere else 5000 :: 1 if everywhere else 20_000] = value

    assert rejected(write(tmp_path / "a.wav", samples, subtype="FLOAT")).reason == "not-finite"


@pytest.mark.parametrize(
    "samples",
    [np.zeros(16_000, np.float32), np.full(16_000, 0.5, np.float32), tone(peak=0.9e-4)],
    ids=["zeros", "constant", "dither"],
)
def test_silence_is_refused(tmp_path: Path, samples: Floats) -> None:
    assert rejected(write(tmp_path / "a.wav", samples, subtype="FLOAT")).reason == "silent"


def test_a_whisper_is_not_silence(tmp_path: Path) -> None:
    accepted(write(tmp_path / "a.wav", tone(peak=1e-3)))


def test_a_click_is_too_short(tmp_path: Path) -> None:
    fault = rejected(write(tmp_path / "a.wav", tone(0.199)))

    assert (fault.reason, "0.199 s" in fault.message) == ("too-short", True)


def test_the_shortest_clip_is_taken(tmp_path: Path) -> None:
    assert accepted(write(tmp_path / "a.wav", tone(0.2))).samples.size == 3200


def test_more_than_an_hour_is_refused_by_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "decode_what_is_heard", None)
    path = write(tmp_path / "a.wav", np.zeros(3601 * 4000, np.float32), 4000, subtype="PCM_U8")

    assert rejected(path).reason == "too-long"


def test_every_rejection_says_what_to_do(tmp_path: Path) -> None:
    fault = rejected(write(tmp_path / "a.wav", tone(0.1)))

    assert fault.message == "It lasts 0.100 s, less than 0.2 s: leave it out or cut it longer."


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="file names are bytes on Linux only")
def test_a_file_name_of_odd_bytes_is_read(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9 \xff.wav")
    path.write_bytes(wav_bytes(PCM_16))

    assert accepted(path).sound.duration_s == 1.0


@pytest.mark.parametrize(("channels", "is_taken"), [(16, True), (17, False), (64, False)])
def test_more_channels_than_a_sound_card_has_are_refused(tmp_path: Path, channels: int, *, is_taken: bool) -> None:
    result = read_audio(write(tmp_path / "a.wav", np.stack([tone()] * channels, axis=1)))

    assert (result.sound.channels if isinstance(result, Audio) else result.reason) == (
        channels if is_taken else "too-many-channels"
    )


@pytest.mark.parametrize(
    ("rate_hz", "is_taken"), [(1, False), (3_999, False), (4_000, True), (384_000, True), (384_001, False)]
)
def test_a_rate_that_no_recorder_has_is_refused(tmp_path: Path, rate_hz: int, *, is_taken: bool) -> None:
    result = read_audio(write(tmp_path / "a.wav", tone(1.0, max(rate_hz, 1000)), rate_hz))

    assert isinstance(result, Audio) if is_taken else result.reason == "bad-rate"  # type: ignore[union-attr]


def test_a_file_that_holds_more_than_any_clip_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.wav", tone())
    monkeypatch.setattr(settings, "MAX_AUDIO_BYTES", path.stat().st_size - 1)
    monkeypatch.setattr(audio, "_read", None)

    assert rejected(path).reason == "too-long"


def test_a_loud_float_wav_says_nothing_besides(tmp_path: Path) -> None:
    """Warnings are errors in these tests: the numbers of 32 bit overflow where two are subtracted."""
    path = write(tmp_path / "a.wav", tone() / np.float32(0.3) * np.float32(3e38), subtype="FLOAT")

    assert accepted(path).sound.duration_s == 1.0


def test_numbers_that_are_none_say_nothing_besides(tmp_path: Path) -> None:
    """Signalling ones, which are told as invalid wherever they are converted: warnings are errors in these tests."""
    path = write(tmp_path / "a.wav", np.stack([tone(), tone()], axis=1), subtype="FLOAT")
    content = path.read_bytes()
    at = content.index(b"data") + 8
    path.write_bytes(content[:at] + np.full(32_000, 0x7FA00000, "<u4").tobytes())

    assert rejected(path).reason == "not-finite"
