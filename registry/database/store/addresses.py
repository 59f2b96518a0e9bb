"""What people call speakers and clips, and who that is."""

import datetime as dt
import os
import re
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Connection, text

from registry.core.names import one_form
from registry.core.records import GENDERS, Gender, Group, Rejected
from registry.errors import AmbiguousSpeaker, UnknownClip, UnknownSpeaker
from registry.input.formats import without_audio_suffix
from registry.input.group_folders import GROUP_NAME
from registry.input.remote import AnyPath, is_remote, to_path
from registry.input.sources import read_anywhere

SPEAKER = re.compile(r"(?:(?P<broadcaster>.+)[/ ])?(?P<gender>[FM])(?P<number>\d{1,18})", re.DOTALL | re.IGNORECASE)

KEY_DIGITS = 18  # the database's keys have no more


@dataclass(frozen=True)
class Speaker:
    """A speaker as addressed; an alias leads to the speaker it became."""

    speaker_id: int
    gender: str
    label: str  # "andaiafm/F0003", at every broadcaster that has heard it


def is_speaker(address: str) -> bool:
    """Tell whether an address is a speaker's and not a clip's, which may be named like a number."""
    folder = address.strip().rpartition("/")[0]
    return SPEAKER.fullmatch(address.strip()) is not None and GROUP_NAME.fullmatch(folder) is None


def find_speaker(connection: Connection, address: str) -> Speaker:
    """Find a speaker by number (F0003), by number at a broadcaster (andaiafm/F0003), or by alias.

    Raises:
        UnknownSpeaker: Nobody has this number.
        AmbiguousSpeaker: Several broadcasters have this number, for different voices.
    """
    query = text("""
        SELECT DISTINCT speaker_id FROM speaker_number
        WHERE gender = :gender AND number = :number AND to_operation IS NULL
          AND (CAST(:broadcaster AS text) IS NULL OR broadcaster = :broadcaster)
    """)
    found = sorted(connection.execute(query, parts_of(address)).scalars())
    if not found:
        raise UnknownSpeaker(address=address)
    speakers = describe(connection, found)
    if len(speakers) > 1:
        raise AmbiguousSpeaker(address=address, labels=", ".join(speaker.label for speaker in speakers))
    return speakers[0]


def parts_of(address: str) -> dict[str, str | int | None]:
    """Part a speaker's address into broadcaster, None if it names none, gender and number.

    Raises:
        UnknownSpeaker: It is no number.
    """
    match = SPEAKER.fullmatch(one_form(address.strip()))
    if match is None:
        raise UnknownSpeaker(address=address)
    return {
        "gender": match["gender"].upper(),
        "number": int(match["number"]),
        "broadcaster": match["broadcaster"] and one_form(match["broadcaster"]),
    }


def describe(connection: Connection, speaker_ids: list[int]) -> list[Speaker]:
    """Describe speakers that have a number, in order of key."""
    query = text("""
        SELECT speaker_id, min(gender), string_agg(broadcaster || '/' || number_label(gender, number), ' '
                                                   ORDER BY broadcaster)
        FROM speaker_number
        WHERE to_operation IS NULL AND NOT is_alias AND speaker_id = ANY(CAST(:speaker_ids AS bigint[]))
        GROUP BY speaker_id ORDER BY speaker_id
    """)
    return [Speaker(*row) for row in connection.execute(query, {"speaker_ids": speaker_ids})]


def find_clips(connection: Connection, address: str) -> list[int]:
    """Find clips by key (1234), as GROUP/NAME (andaiafm_F20201105/mclip-00000003), or by what a wav file holds.

    A file, an exported one say, stands for every clip with its audio, since they are one recording.

    Raises:
        UnknownClip: There is none, or the file cannot be read.
    """
    if address.isdecimal():
        is_key = len(address) <= KEY_DIGITS
        found = _present(connection, "c.clip_id = :clip_id", {"clip_id": int(address)}) if is_key else []
    elif is_remote(address) or os.path.isfile(address):  # noqa: PTH113 - pathlib raises where a name is too long
        found = _by_audio(connection, to_path(address))
    else:
        found = _by_name(connection, address)
    if not found:
        raise UnknownClip(address=address, cause="the registry has no such clip")
    return found


def as_group(address: str) -> Group | None:
    """Read an address as that of a whole group, its name or the path of its folder; None if it is of a clip."""
    parent, _, name = address.rstrip("/").rpartition("/")
    if GROUP_NAME.fullmatch(parent.rpartition("/")[2]) is not None:
        return None
    return _named_group(name)


def named_group(address: str) -> Group:
    """Read an address that must be that of a group.

    Raises:
        UnknownClip: It is none.
    """
    group = as_group(address)
    if group is None:
        raise UnknownClip(address=address, cause="expected a group, such as andaiafm_F20201105")
    return group


def _named_group(name: str) -> Group | None:
    match = GROUP_NAME.fullmatch(one_form(name))
    try:
        if match is None or match["gender"].upper() not in GENDERS:
            return None
        date = dt.date.fromisoformat(match["date"])
    except ValueError:
        return None
    return Group(date, match["broadcaster"], cast("Gender", match["gender"].upper()))


def _by_audio(connection: Connection, path: AnyPath) -> list[int]:
    audio = read_anywhere(path)
    if isinstance(audio, Rejected):
        raise UnknownClip(address=str(path), cause=audio.message)
    condition = "c.audio_id = (SELECT audio_id FROM audio WHERE audio_hash = :audio_hash)"
    return _present(connection, condition, {"audio_hash": bytes.fromhex(audio.sound.audio_hash)})


def _by_name(connection: Connection, address: str) -> list[int]:
    folder, _, name = address.rpartition("/")
    group = _named_group(folder)
    if group is None:
        raise UnknownClip(
            address=address, cause="expected a key, GROUP/NAME such as andaiafm_F20201105/x, or a wav file"
        )
    condition = """
        c.name = ANY(:names) AND c.group_id = (
            SELECT group_id FROM clip_group
            WHERE broadcaster = :broadcaster AND gender = :gender AND date = :date)
    """
    names = [one_form(name), one_form(without_audio_suffix(name))]
    return _present(connection, condition, {"names": names, **vars(group)})


def _present(connection: Connection, condition: str, values: dict[str, object]) -> list[int]:
    query = text(f"""
        SELECT c.clip_id FROM clip c JOIN assignment a ON a.clip_id = c.clip_id AND a.to_operation IS NULL
        WHERE {condition} ORDER BY c.clip_id
    """)  # noqa: S608 - conditions of this module
    return list(connection.execute(query, values).scalars())
