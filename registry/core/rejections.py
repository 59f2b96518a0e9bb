"""Every reason for which a piece of the input or of an exported tree is rejected, and every message with its remedy."""

from enum import Enum

from registry.core.records import Rejected

# Reason -> what it means, as the documents list it.
REASONS = {
    "bad-date": "the folder's name holds no date of a recording",
    "bad-gender": "the folder's name holds another letter than F or M",
    "bad-group-name": "the folder's name is not that of a group",
    "bad-name": "a path or name that is not UTF-8, or longer than the registry or the disk can hold",
    "bad-rate": "fewer than 4,000 samples a second, or more than 384,000",
    "both-genders": "the same recording is filed under the other gender",
    "changed": "another sound than what was taken in under this name, or from this file",
    "contradicted": "two rows of labels say that one clip is of different speakers",
    "duplicate-name": "another file or folder of the run has a clip of this name",
    "empty": "no bytes, or a header without samples",
    "failed": "no node of the cluster could read it",
    "folder": "a folder inside a group, which is not looked into",
    "foreign-file": "somebody else's file is where the exporter would write",
    "garbled-name": "the station's name looks as if its letters were garbled",
    "link": "a link that leads out of its group's folder, or that somebody else made",
    "missing": "a file that was taken in is no longer there",
    "no-audio": "a transcript without an audio file beside it",
    "no-clips": "a group none of whose files is audio that can be read",
    "no-embedding": "the model cannot embed it",
    "no-ffmpeg": "reading such a file takes the program ffmpeg",
    "no-group": "audio or a transcript that is not inside a group's folder",
    "no-groups": "an input folder without the folder of a group in it",
    "no-input": "one of several input folders cannot be opened",
    "no-transcript": "an audio file without a transcript beside it",
    "not-audio": "no audio that can be decoded",
    "not-finite": "samples that are no numbers",
    "not-wav": "named .wav, and no wav that can be decoded",
    "same-name": "a disk that ignores case takes its folder for another one",
    "silent": "no sound in it",
    "source-lost": "the file that a clip came from is gone or changed, and there is no copy",
    "too-long": "over an hour or 8 GB, or a transcript over 10 MB",
    "too-many-channels": "more than 16 channels",
    "too-short": "under 0.2 s",
    "truncated": "it ends before its header says",
    "unknown-clip": "a row of labels that names no clip of the registry",
    "unreadable": "a file or folder that cannot be opened or read, a pipe or a device",
    "unsettled": "somebody is still writing to it",
}
OTHERS_FILE = "somebody else's file is in the way and stays; move it"
EXPECTED_GROUP = "expected BROADCASTER_F20201105 or BROADCASTER_M20201105"


class Fault(Enum):
    """What can be wrong. The value of each member is its reason, a key of REASONS, and its message.

    A message has places in braces for facts.
    """

    # Folders and names
    NO_INPUT = "no-input", "{cause}"
    NO_GROUPS = "no-groups", f"no group folder in it; {EXPECTED_GROUP}"
    NO_GROUP_NAME = "bad-group-name", f"not the name of a group; {EXPECTED_GROUP}"
    NO_GROUP_BELOW = "bad-group-name", f"not the name of a group, and no group folder in it; {EXPECTED_GROUP}"
    LONG_BROADCASTER = "bad-group-name", "the broadcaster's name is too long"
    BAD_GENDER = "bad-gender", f"unknown gender {{gender!r}}; {EXPECTED_GROUP}"
    BAD_DATE = "bad-date", f"{{date}} is no date of a recording; {EXPECTED_GROUP}"
    GARBLED_NAME = (
        "garbled-name",
        "did you mean {meant}? Rename the folder; if the broadcaster is really called so, add --as-named",
    )
    FOLDER_NOT_UTF8 = "bad-name", "the folder's path is not UTF-8; rename it"
    FILE_NOT_UTF8 = "bad-name", "the file's name is not UTF-8; rename it"
    LONG_PATH = "bad-name", "its path is longer than {most_bytes} bytes; move the folder up"
    FOLDER_INSIDE_GROUP = "folder", "a folder inside a group is not looked into; move its clips up"
    OUTSIDE_GROUP = "no-group", "not inside a group folder; move it into one"
    NO_FOLDER = "unreadable", "named as a group, but no folder to be opened"
    CLOSED_FOLDER = "unreadable", "{cause}; make the folder readable"
    LINK_OF_OTHERS = (
        "link",
        (
            "a link made by somebody else to a folder not theirs is not followed; look where it leads, then make it"
            " yours: chown -h {user_id} {link}"
        ),
    )

    # Pairs of files
    NO_CLIPS = "no-clips", "none of its files is audio that can be read ({endings}); convert them to flac"
    NO_TRANSCRIPT = "no-transcript", "there is no {name}.txt beside it"
    NO_AUDIO = "no-audio", "there is no {name} beside it that ends in {endings}"
    NAME_IN_OTHER_FOLDER = "duplicate-name", "another folder of this run has a clip of this name: {first}"
    NAME_ALIKE = "duplicate-name", "another file differs from it only in case, or in how marks are put on letters"
    SECOND_AUDIO = "duplicate-name", "a clip has one audio file, and {first} is there; remove one of the two"
    UNREADABLE = "unreadable", "{cause}; {remedy}"
    LINK_OUT = "link", "{cause}; {remedy}"
    UNSETTLED = "unsettled", "somebody is writing to it; ingest again once it is complete"
    LONG_TRANSCRIPT = "too-long", "a transcript of {size_bytes} bytes; is it another file?"

    # Sound
    CANNOT_BE_READ = "unreadable", "It cannot be read ({cause}): make it a readable file."
    NOT_REGULAR = "unreadable", "It is no regular file: put an audio file in its place."
    EMPTY = "empty", "It holds 0 bytes: copy or record it again."
    NO_SAMPLES = "empty", "It has a header and no samples: record or convert it again."
    TOO_LARGE = "too-long", "It holds {size_bytes} bytes, more than {most_bytes}: cut it by voice."
    TOO_LONG = "too-long", "It lasts {seconds:.0f} s, more than {most_s:.0f} s: cut it by voice."
    TOO_SHORT = "too-short", "It lasts {seconds:.3f} s, less than {least_s} s: leave it out or cut it longer."
    NO_FFMPEG = "no-ffmpeg", "Reading {kind} takes the program ffmpeg: install it, or convert the file to flac."
    NOT_WAV = "not-wav", "It is no {kind} that can be decoded ({cause}): convert it to one."
    NOT_AUDIO = "not-audio", "It is no {kind} that can be decoded ({cause}): convert it to one."
    NO_END_YET = "unsettled", "It has no end yet: somebody is writing to it. Ingest again once it is complete."
    SHORTER_THAN_TOLD = (
        "truncated",
        "It ends {missing_bytes} bytes before its header says: copy it again from where it was recorded.",
    )
    NO_END = "truncated", "Its end is missing: copy it again from where it was recorded."
    BREAKS_OFF = "truncated", "It breaks off ({cause}): copy it again from where it was recorded."
    TOO_MANY_CHANNELS = "too-many-channels", "It has {channels} channels, more than {most}: mix it down."
    BAD_RATE = "bad-rate", "It has {rate_hz} samples a second, not {least_hz} to {most_hz}: convert it."
    NOT_FINITE = (
        "not-finite",
        "It holds samples that are no numbers (NaN or infinity): export it again from its source.",
    )
    SILENT = "silent", "It is silent{below} (peak {swing:.1g} of full scale): leave it out or record it again."

    # Against what the registry has
    OTHER_SOUND = (
        "changed",
        (
            "it sounds other than what was ingested under this name from {known}, which stays; where the folder is"
            " right as it is now: registry replace {folder}"
        ),
    )
    BOTH_GENDERS = (
        "both-genders",
        (
            "the same recording is {first}, under the other gender; remove this file, or, where that one is wrong,"
            " that: registry withdraw {first_quoted}, and ingest again"
        ),
    )
    NO_EMBEDDING = "no-embedding", "{cause}"
    NO_EMBEDDING_OF_CLIP = "no-embedding", "{cause} Leave the clip out."
    NO_EMBEDDING_BESIDE = "no-embedding", "{cause} The model cannot decide while this clip is in the registry."
    FAILED_ON_NODES = "failed", "It could not be read on any node: {cause}. Try it alone."
    GONE = "missing", "no longer there; put it back, or ingest its folder where it is now"
    NO_LONGER_READABLE = "missing", "it cannot be read ({cause}); {remedy}"
    NO_LONGER_A_FILE = "missing", "{cause}"
    NO_LONGER_THE_SAME = "changed", "no longer what was taken in; put the file back as it was"

    # An exported tree
    FOREIGN_FILE = "foreign-file", f"{OTHERS_FILE}, then export again"
    FOREIGN_ALIASES = "foreign-file", OTHERS_FILE
    UNREADABLE_ALIASES = "foreign-file", "{cause}; move it, then export again"
    ONE_FOLDER = (
        "same-name",
        "this disk ignores case and takes the folder for {owner}; not exported, export to another disk",
    )
    NAME_THE_DISK_REFUSES = (
        "bad-name",
        "the disk cannot hold a file of this name ({cause}); not exported, export to another disk",
    )
    SOURCE_LOST = (
        "source-lost",
        "{cause}; not exported; put it back as it was, or ingest it from where it is now, then export again",
    )

    # Labels
    UNKNOWN_CLIP = "unknown-clip", "line {line}: {cause}"
    CONTRADICTED = "contradicted", "line {line}: {speaker!r} here, {others} elsewhere; keep one"

    def __init__(self, reason: str, message: str) -> None:
        """Name the two parts of a member's value."""
        self.reason = reason
        self.message = message

    def of(self, path: object, **facts: object) -> Rejected:
        """Reject what is at a path, with facts about it put into the message."""
        return Rejected(str(path), self.reason, self.message.format(**facts))
