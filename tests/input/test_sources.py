"""A recording that is read again is what was taken in, or is named by what is wrong with it now."""

from pathlib import Path

import pytest
import soundfile as sf

from registry.core.records import Rejected
from registry.input.audio import Audio, read_audio
from registry.input.sources import read_as_taken_in, sha256_of
from tests.conftest import RATE, voice


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    sf.write(tmp_path / "a.wav", voice(400), RATE)
    return tmp_path / "a.wav"


def test_the_same_bytes_and_the_same_sound_are_read(wav: Path) -> None:
    heard = read_audio(wav)
    assert isinstance(heard, Audio)

    again = read_as_taken_in(wav, sha256_of(wav), heard.sound.audio_hash)

    assert isinstance(again, Audio)
    assert again.sound == heard.sound


def test_other_bytes_or_another_sound_are_changed(wav: Path) -> None:
    heard = read_audio(wav)
    assert isinstance(heard, Audio)

    found = [
        read_as_taken_in(wav, "0" * 64, heard.sound.audio_hash),
        read_as_taken_in(wav, sha256_of(wav), "0" * 64),
    ]

    assert [one.reason for one in found if isinstance(one, Rejected)] == ["changed", "changed"]


def test_a_file_that_an_earlier_version_took_and_this_one_does_not_is_named_by_its_own_fault(wav: Path) -> None:
    sf.write(wav, 0 * voice(400), RATE)

    found = read_as_taken_in(wav, sha256_of(wav), "0" * 64)

    assert isinstance(found, Rejected)
    assert (found.path, found.reason) == (str(wav), "silent")
