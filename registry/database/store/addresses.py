"""Addresses: how people name speakers, groups and clips, and which these are."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from registry.core.names import one_form
from registry.core.records import Group
from registry.errors import AmbiguousSpeaker, UnknownClip, UnknownSpeaker
from registry.input.group_folders import GROUP_NAME, group_called

SPEAKER = re.compile(r"(?:(?P<broadcaster>.+)[/ ])?(?P<gender>[FM])(?P<number>\d{1,18})", re.DOTALL | re.IGNORECASE)


# Follows "clip": keeps the clips that are present, called `c`, each with its assignment `a`.
NOW = "c JOIN assignment a ON a.clip_id = c.clip_id AND a.to_operation IS NULL"


@dataclass(frozen=True)
class Speaker:
    """A speaker that an address leads to. An alias leads to the speaker that its speaker was merged with."""

    speaker_id: int
    gender: str
    label: str  # such as "andaiafm/F0003"; of a speaker heard at several broadcasters, all its numbers


def is_speaker(address: str) -> bool:
    """Tell whether an address is a speaker's. A clip's address may end like one, for a clip may be named F0003."""
    folder = address.strip().rpartition("/")[0]
    return SPEAKER.fullmatch(address.strip()) is not None and GROUP_NAME.fullmatch(folder) is None


def find_speaker(connection: Connection, address: str) -> Speaker:
    """Find a speaker by number (F0003), by number at a broadcaster (andaiafm/F0003), or by alias.

    Raises:
        UnknownSpeaker: No speaker has this number.
        AmbiguousSpeaker: The number is of different speakers at different broadcasters.
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
    """Split a speaker's address into "gender", "number" and "broadcaster", which is None if the address names none.

    Raises:
        UnknownSpeaker: The address is not a speaker's.
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
    """Describe some speakers, in order of key. Speakers without a number are left out."""
    query = text("""
        SELECT speaker_id, min(gender), string_agg(broadcaster || '/' || number_label(gender, number), ' '
                                                   ORDER BY broadcaster)
        FROM speaker_number
        WHERE to_operation IS NULL AND NOT is_alias AND speaker_id = ANY(CAST(:speaker_ids AS bigint[]))
        GROUP BY speaker_id ORDER BY speaker_id
    """)
    return [Speaker(*row) for row in connection.execute(query, {"speaker_ids": speaker_ids})]


def as_group(address: str) -> Group | None:
    """Read an address as a group's: its name, or the path of its folder. Give None if it is a clip's address."""
    parent, _, name = address.rstrip("/").rpartition("/")
    if GROUP_NAME.fullmatch(parent.rpartition("/")[2]) is not None:
        return None
    return group_called(name)


def named_group(address: str) -> Group:
    """Read an address that must be a group's.

    Raises:
        UnknownClip: The address is not a group's.
    """
    group = as_group(address)
    if group is None:
        raise UnknownClip(address=address, cause="expected a group, such as andaiafm_F20201105")
    return group


def clips_by_key(connection: Connection, keys: Collection[int]) -> set[int]:
    """Tell which of some keys are keys of present clips."""
    query = text(f"SELECT c.clip_id FROM clip {NOW} WHERE c.clip_id = ANY(CAST(:keys AS bigint[]))")  # noqa: S608 - NOW
    return set(connection.execute(query, {"keys": list(keys)}).scalars())


def clips_by_audio(connection: Connection, hashes: Collection[str]) -> dict[str, list[int]]:
    """Find the present clips that carry some recordings, by audio hash (hex)."""
    query = text(f"""
        SELECT encode(audio_hash, 'hex'), c.clip_id FROM clip {NOW} JOIN audio USING (audio_id)
        WHERE audio_hash = ANY(CAST(:hashes AS bytea[])) ORDER BY c.clip_id
    """)  # noqa: S608 - NOW
    found: dict[str, list[int]] = defaultdict(list)
    for audio_hash, clip_id in connection.execute(query, {"hashes": [bytes.fromhex(one) for one in hashes]}):
        found[audio_hash].append(clip_id)
    return found


def clips_by_name(connection: Connection, names: Sequence[tuple[Group, str]]) -> dict[tuple[Group, str], list[int]]:
    """Find present clips by group and name."""
    query = text(f"""
        SELECT asked.place, c.clip_id
        FROM unnest(CAST(:broadcasters AS text[]), CAST(:genders AS text[]), CAST(:dates AS date[]),
                    CAST(:names AS text[])) WITH ORDINALITY AS asked (broadcaster, gender, date, name, place)
        JOIN clip_group g ON (g.broadcaster, g.gender, g.date) = (asked.broadcaster, asked.gender, asked.date)
        JOIN (SELECT c.clip_id, c.group_id, c.name FROM clip {NOW}) c ON c.group_id = g.group_id AND c.name = asked.name
    """)  # noqa: S608 - NOW
    asked = {
        "broadcasters": [group.broadcaster for group, _ in names],
        "genders": [group.gender for group, _ in names],
        "dates": [group.date for group, _ in names],
        "names": [name for _, name in names],
    }
    return {names[place - 1]: [clip_id] for place, clip_id in connection.execute(query, asked)}
