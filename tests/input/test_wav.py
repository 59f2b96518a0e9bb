"""Wavs as recorders and editors write them: each is taken whole, or named for what it is."""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile as sf

from registry.core.records import Rejected
from registry.input.audio import Audio, read_audio
from registry.input.wav import wav_of

RATE = 16_000
SOUND = (0.3 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE) * 32767).astype("<i2")
BYTES = SOUND.tobytes()
UNKNOWN = 0xFFFFFFFF


def chunk(name: bytes, content: bytes, *, pad: int = 2, says: int | None = None) -> bytes:
    size = len(content) if says is None else says
    return name + struct.pack("<I", size) + content + b"\0" * (-len(content) % pad)


def riff(*chunks: bytes, mark: bytes = b"RIFF", says: int | None = None) -> bytes:
    body = b"".join(chunks)
    return mark + struct.pack("<I", len(body) + 4 if says is None else says) + b"WAVE" + body


def written(samples: npt.NDArray[Any] = SOUND, **how: Any) -> bytes:
    file = io.BytesIO()
    sf.write(file, samples, RATE, **({"format": "WAV", "subtype": "PCM_16"} | how))
    return file.getvalue()


def ds64(sound_bytes: int) -> bytes:
    return chunk(b"ds64", struct.pack("<QQQI", sound_bytes + 80, sound_bytes, RATE, 0))


FORM = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16))
FORM_8 = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE, RATE, 1, 8))
DATA = chunk(b"data", BYTES)
LONG_DATA = chunk(b"data", BYTES, says=UNKNOWN)
NO_DATA = chunk(b"data", BYTES, says=0)
NOTE = chunk(b"LIST", b"INFOISFT" + struct.pack("<I", 6) + b"abcde\0")
ID3 = b"ID3\4\0\0\0\0\0\x0a" + bytes(10)

BIG = written(endian="BIG")

WHOLE = {
    "plain": riff(FORM, DATA),
    "WAVEX": written(format="WAVEX"),
    "RIFX": BIG,
    "24 bit": written(subtype="PCM_24"),
    "32 bit": written(subtype="PCM_32"),
    "float": written(SOUND / 32768, subtype="FLOAT"),
    "double": written(SOUND / 32768, subtype="DOUBLE"),
    "RF64": riff(ds64(len(BYTES)), FORM, LONG_DATA, mark=b"RF64", says=UNKNOWN),
    "RF64, size at the sound": riff(ds64(len(BYTES)), FORM, DATA, mark=b"RF64", says=UNKNOWN),
    "RF64, note behind": riff(ds64(len(BYTES)), FORM, LONG_DATA, NOTE, mark=b"RF64", says=UNKNOWN),
    "BW64": riff(ds64(len(BYTES)), FORM, LONG_DATA, mark=b"BW64", says=UNKNOWN),
    "BW64, short": riff(chunk(b"JUNK", bytes(28)), FORM, DATA, mark=b"BW64"),
    "BW64, axml behind": riff(ds64(len(BYTES)), FORM, LONG_DATA, chunk(b"axml", b"<x/>"), mark=b"BW64", says=UNKNOWN),
    "long fmt": riff(chunk(b"fmt ", FORM[8:] + b"\0\0"), DATA),
    "LIST of odd size": riff(FORM, chunk(b"LIST", b"odd"), DATA),
    "LIST padded to four": riff(FORM, chunk(b"LIST", b"INFOI", pad=4), DATA),
    "LIST not padded": riff(FORM, chunk(b"LIST", b"odd", pad=1), DATA),
    "junk, bext, PEAK before": riff(chunk(b"JUNK", bytes(101)), FORM, chunk(b"bext", bytes(603)), DATA),
    "unknown chunk before": riff(FORM, chunk(b"xyz1", b"abc"), DATA),
    "LIST behind": riff(FORM, DATA, NOTE),
    "LIST counted as sound": riff(FORM, chunk(b"data", BYTES, says=len(BYTES) + len(NOTE)), NOTE),
    "LIST behind the end": riff(FORM, DATA) + NOTE,
    "id3 behind": riff(FORM, DATA, chunk(b"id3 ", ID3)),
    "ID3v1 behind the end": riff(FORM, DATA) + b"TAG" + bytes(125),
    "ID3 before RIFF": ID3 + riff(FORM, DATA),
    "fmt behind the sound": riff(DATA, FORM),
    "block size of 0": riff(chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE, 0, 0, 16)), DATA),
}
UNCLOSED = {
    "sizes unknown": riff(FORM, LONG_DATA, says=UNKNOWN),
    "sizes of sox": riff(FORM, chunk(b"data", BYTES, says=0x7FFFF000), says=0x7FFFF024),
    "sizes unknown, LIST behind": riff(FORM, LONG_DATA, NOTE, says=UNKNOWN),
    "sizes 0": riff(FORM, NO_DATA, says=0),
    "sizes 0, LIST behind": riff(FORM, NO_DATA, NOTE, says=0),
    "size of the sound 0": riff(FORM, NO_DATA),
    "size of the whole 0": riff(FORM, DATA, says=0),
    "size of the whole unknown": riff(FORM, DATA, says=UNKNOWN),
    "RF64, sizes 0": riff(ds64(0), FORM, LONG_DATA, mark=b"RF64", says=UNKNOWN),
    "BW64, sizes 0": riff(ds64(0), FORM, LONG_DATA, mark=b"BW64", says=UNKNOWN),
    "RIFX, sizes unknown": b"RIFX"
    + b"\xff" * 4
    + written(endian="BIG")[8:40]
    + b"\xff" * 4
    + SOUND.byteswap().tobytes(),
}
COMPRESSED = ("PCM_U8", "ALAW", "ULAW", "IMA_ADPCM", "MS_ADPCM", "GSM610", "G721_32")
CUT = {
    "RIFF": riff(FORM, DATA)[:20_000],
    "RIFX": BIG[:20_000],
    "RF64": riff(ds64(len(BYTES)), FORM, LONG_DATA, mark=b"RF64", says=UNKNOWN)[:20_000],
    "BW64": riff(ds64(len(BYTES)), FORM, LONG_DATA, mark=b"BW64", says=UNKNOWN)[:20_000],
    "WAVEX": written(format="WAVEX")[:20_000],
    "ID3 before RIFF": (ID3 + riff(FORM, DATA))[:20_000],
    "before its sound": riff(FORM, DATA)[:30],
    "by one byte": riff(FORM, DATA)[:-1],
}
REFUSED = {
    "no bytes": (b"", "empty"),
    "no samples": (riff(FORM, chunk(b"data", b"")), "empty"),
    "no samples but a note": (riff(FORM, chunk(b"data", b""), NOTE), "empty"),
    "two sounds": (riff(FORM, DATA, DATA), "not-wav"),
    "two sounds in BW64": (riff(FORM, DATA, DATA, mark=b"BW64"), "not-wav"),
    "sound without fmt": (riff(DATA), "not-wav"),
    "fmt without sound": (riff(FORM), "not-wav"),
    "AIFF": (written(format="AIFF"), "not-wav"),
    "a text": (b"RIFF is a rift valley, misspelt.", "not-wav"),
}


def read(tmp_path: Path, content: bytes, *, is_settled: bool = True) -> Audio | Rejected:
    (tmp_path / "a.wav").write_bytes(content)
    return read_audio(tmp_path / "a.wav", is_settled=is_settled)


def audio_hash(tmp_path: Path, content: bytes, *, is_settled: bool = True) -> str:
    audio = read(tmp_path, content, is_settled=is_settled)
    assert isinstance(audio, Audio), audio
    return audio.sound.audio_hash


def reason(tmp_path: Path, content: bytes, *, is_settled: bool = True) -> str:
    rejected = read(tmp_path, content, is_settled=is_settled)
    assert isinstance(rejected, Rejected), rejected
    return rejected.reason


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("is_settled", [True, False])
def test_a_whole_wav_is_its_sound_and_nothing_else(tmp_path: Path, kind: str, *, is_settled: bool) -> None:
    assert audio_hash(tmp_path, WHOLE[kind], is_settled=is_settled) == audio_hash(tmp_path, riff(FORM, DATA))


@pytest.mark.parametrize("subtype", COMPRESSED)
def test_a_wav_of_fewer_bits_is_read_to_its_end(tmp_path: Path, subtype: str) -> None:
    audio = read(tmp_path, written(subtype=subtype), is_settled=False)

    assert isinstance(audio, Audio)
    assert audio.sound.duration_s == pytest.approx(1.0, abs=0.05)


def test_a_sound_of_odd_size_is_read_to_its_end(tmp_path: Path) -> None:
    audio = read(tmp_path, riff(FORM_8, chunk(b"data", bytes(range(255)) * 63, pad=1), NOTE))

    assert isinstance(audio, Audio)
    assert audio.sound.duration_s == pytest.approx(255 * 63 / RATE)


@pytest.mark.parametrize("kind", UNCLOSED)
def test_a_header_that_is_not_closed_is_being_written(tmp_path: Path, kind: str) -> None:
    assert reason(tmp_path, UNCLOSED[kind], is_settled=False) == "unsettled"


@pytest.mark.parametrize("kind", UNCLOSED)
def test_a_header_that_nobody_closes_any_more_is_read_to_the_end(tmp_path: Path, kind: str) -> None:
    assert audio_hash(tmp_path, UNCLOSED[kind]) == audio_hash(tmp_path, riff(FORM, DATA))


@pytest.mark.parametrize("kind", CUT)
def test_a_cut_wav_is_truncated_whatever_its_layout(tmp_path: Path, kind: str) -> None:
    assert reason(tmp_path, CUT[kind]) == "truncated"


@pytest.mark.parametrize("kind", CUT)
def test_a_cut_wav_that_was_just_touched_is_being_written(tmp_path: Path, kind: str) -> None:
    assert reason(tmp_path, CUT[kind], is_settled=False) == "unsettled"


@pytest.mark.parametrize("kind", REFUSED)
def test_what_holds_no_sound_is_named_for_what_it_is(tmp_path: Path, kind: str) -> None:
    content, expected = REFUSED[kind]

    assert reason(tmp_path, content) == expected


@pytest.mark.parametrize("name", [b"LIST", b"bext", b"cue ", b"id3 "])
def test_a_sound_whose_last_samples_spell_the_name_of_a_chunk_is_whole(tmp_path: Path, name: bytes) -> None:
    content = riff(FORM, chunk(b"data", BYTES[:-4] + name))
    audio = read(tmp_path, content)

    assert isinstance(audio, Audio)
    assert audio.sound.duration_s == len(BYTES) / 2 / 16_000


def test_a_wav_of_endless_small_chunks_is_not_walked_to_its_end(tmp_path: Path) -> None:
    assert reason(tmp_path, riff(FORM, chunk(b"JUNK", b"") * 1000, DATA)) == "not-wav"
    assert isinstance(read(tmp_path, riff(FORM, chunk(b"JUNK", b"") * 900, DATA)), Audio)


def test_of_a_chunk_that_fills_the_file_only_the_beginning_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(riff(chunk(b"fmt ", bytes(1 << 20)), DATA))
    found = wav_of(tmp_path / "a.wav")

    assert found is not None
    assert len(found.format) == 1 << 16
