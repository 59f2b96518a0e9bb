"""The kinds of audio files that clips may be, by the ending of their names."""

# What libsndfile calls what such a file holds. Of two files of one name the one that comes first here is the clip.
SOUND_FILES = {
    "wav": frozenset({"WAV", "WAVEX", "RF64"}),
    "flac": frozenset({"FLAC"}),
    "ogg": frozenset({"OGG"}),
    "opus": frozenset({"OGG"}),
    "mp3": frozenset({"MP3"}),
}
FFMPEG_FILES = frozenset({"m4a"})  # libsndfile decodes none of these
AUDIO_SUFFIXES = (*SOUND_FILES, *sorted(FFMPEG_FILES))


def suffix_of(name: str) -> str:
    """Give the ending of a file's name as it is written here: no dot, no capitals."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def without_audio_suffix(name: str) -> str:
    """Give a clip's name for that of its audio file."""
    return name.rpartition(".")[0] if suffix_of(name) in AUDIO_SUFFIXES else name
