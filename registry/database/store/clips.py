"""Clips, the groups that they belong to, and the files that they came from."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from operator import attrgetter

from sqlalchemy import ColumnElement, Connection, exists, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from registry.core.records import Gender, Group
from registry.database.store.arrays import copy_rows, types_of
from registry.database.store.tables import assignment, audio, clip, clip_group
from registry.input.scan import SourceFile
from registry.input.trust import stored_path


@dataclass(frozen=True)
class HashedFile:
    """A source file and the SHA-256 (hex) of its bytes."""

    source: SourceFile
    sha256: str


@dataclass(frozen=True)
class Clip:
    """A clip as it was read from its two files."""

    name: str  # file name without its ending
    audio_hash: str  # of the recording, hex
    wav: HashedFile
    txt: HashedFile
    transcript: str  # what the .txt file says
    txt_content: bytes  # the .txt file itself


@dataclass(frozen=True)
class KnownClip:
    """A stored clip with its two files as they were when they were last read."""

    wav: HashedFile
    txt: HashedFile
    audio_hash: str  # of the recording, hex


FILES = tuple(f"{file}_{fact}" for file in ("wav", "txt") for fact in ("path", "size", "mtime_ns", "sha256"))
WRITTEN = ("transcript", "txt_content")  # columns of `clip` that are fields of the class `Clip`
NOTED = (*FILES, *WRITTEN)  # columns of `clip` that say what its files were, and held, when they were last read


def known_clips(connection: Connection, group: Group) -> dict[str, KnownClip]:
    """List the present clips of a group: name -> clip.

    A clip whose ingest was undone has no speaker. It is stored, but it is not present.
    """
    columns = [clip.c.name, *(clip.c[name] for name in FILES), audio.c.audio_hash]
    is_present = exists().where(assignment.c.clip_id == clip.c.clip_id, assignment.c.to_operation.is_(None))
    query = select(*columns).select_from(clip).join(clip_group).join(audio).where(*_is(group), is_present)
    return {
        name: KnownClip(_file(*files[:4]), _file(*files[4:]), audio_hash.hex())
        for name, *files, audio_hash in connection.execute(query)
    }


def under_other_gender(
    connection: Connection, gender: Gender, hashes: Collection[str], leaving: Group | None = None
) -> dict[str, str]:
    """Tell which recordings are carried by a present clip of the other gender.

    Args:
        connection: Where they are looked for.
        gender: The gender under which the recordings come in.
        hashes: Audio hashes (hex) of the recordings.
        leaving: A group that is about to be taken out, whose clips do not count; None for none.

    Returns:
        Audio hash (hex) -> such a clip, as GROUP/NAME.
    """
    query = text("""
        SELECT encode(audio_hash, 'hex'),
               min(g.broadcaster || '_' || g.gender || to_char(g.date, 'YYYYMMDD') || '/' || c.name)
        FROM audio JOIN clip c USING (audio_id) JOIN clip_group g USING (group_id)
        WHERE audio_hash = ANY(:hashes) AND g.gender <> :gender
          AND (g.broadcaster, g.gender, g.date) IS DISTINCT FROM (:broadcaster, :leaving_gender, CAST(:date AS date))
          AND EXISTS (SELECT FROM assignment a WHERE a.clip_id = c.clip_id AND a.to_operation IS NULL)
        GROUP BY audio_hash
    """)
    asked = {
        "gender": gender,
        "hashes": [bytes.fromhex(audio_hash) for audio_hash in hashes],
        "broadcaster": leaving and leaving.broadcaster,
        "leaving_gender": leaving and leaving.gender,
        "date": leaving and leaving.date,
    }
    return {row[0]: row[1] for row in connection.execute(query, asked)}


def has_more_audios(connection: Connection, count: int) -> bool:
    """Tell whether the registry holds more than `count` recordings."""
    return bool(
        connection.execute(text("SELECT exists(SELECT FROM audio OFFSET :count)"), {"count": count}).scalar_one()
    )


def came_from_urls(connection: Connection) -> bool:
    """Tell whether any clip came from a URL."""
    return bool(connection.execute(text("SELECT EXISTS (SELECT FROM clip WHERE wav_path LIKE '%://%')")).scalar_one())


def columns_of(group: Group) -> dict[str, object]:
    """Give the columns of `clip_group` that tell one group from another: name -> value."""
    return {"broadcaster": group.broadcaster, "gender": group.gender, "date": group.date}


def _is(group: Group) -> tuple[ColumnElement[bool], ...]:
    """Write the conditions that choose a group among `clip_group`."""
    return (
        clip_group.c.broadcaster == group.broadcaster,
        clip_group.c.gender == group.gender,
        clip_group.c.date == group.date,
    )


def _file(path: str, size: int, mtime_ns: int, sha256: bytes) -> HashedFile:
    """Read a file from its four columns, which are in the order of FILES."""
    return HashedFile(SourceFile(stored_path(path), size, mtime_ns), sha256.hex())


def add_clips(connection: Connection, group: Group, clips: Sequence[Clip], operation_id: int) -> dict[int, list[int]]:
    """Store clips of a group. Their recordings must be stored; a clip whose recording is not stored is left out.

    A clip that is stored and not present, with the same name and recording, keeps its key.

    Returns:
        Recording -> its clips, both in order of clip name.
    """
    group_id = _group_id(connection, group)
    _copy_clips(connection, clips)
    noted = ", ".join(NOTED)
    query = text(f"""
        INSERT INTO clip (group_id, name, audio_id, operation_id, {noted})
        SELECT :group_id, name, audio_id, :operation_id, {noted}
        FROM incoming_clip JOIN audio USING (audio_hash)
        ORDER BY name COLLATE "C"
        ON CONFLICT (group_id, name, audio_id) DO UPDATE SET
            operation_id = EXCLUDED.operation_id, {_noted_from("EXCLUDED")}
        RETURNING name, audio_id, clip_id
    """)  # noqa: S608 - names of columns
    added = connection.execute(query, {"group_id": group_id, "operation_id": operation_id}).all()
    by_audio: dict[int, list[int]] = {}
    for _, audio_id, clip_id in sorted(added):
        by_audio.setdefault(audio_id, []).append(clip_id)
    return by_audio


def relocate_clips(connection: Connection, group: Group, clips: Sequence[Clip]) -> None:
    """Note what the files of present clips are now, and what their transcripts say now."""
    _copy_clips(connection, clips)
    connection.execute(
        text(f"""
        UPDATE clip SET {_noted_from("incoming")}
        FROM incoming_clip incoming, clip_group g
        WHERE g.broadcaster = :broadcaster AND g.gender = :gender AND g.date = :date
          AND clip.group_id = g.group_id AND clip.name = incoming.name
          AND EXISTS (SELECT FROM assignment a WHERE a.clip_id = clip.clip_id AND a.to_operation IS NULL)
        """),  # noqa: S608 - names of columns
        columns_of(group),
    )


def keep_transcripts(connection: Connection, group: Group, names: Sequence[str], operation_id: int) -> None:
    """Keep the transcripts of some clips of a group, by name, as they are before an operation replaces them."""
    connection.execute(
        text("""
        INSERT INTO former_transcript (clip_id, to_operation, txt_sha256, txt_content)
        SELECT clip_id, :operation_id, txt_sha256, txt_content
        FROM clip JOIN clip_group g USING (group_id)
        WHERE g.broadcaster = :broadcaster AND g.gender = :gender AND g.date = :date
          AND clip.name = ANY(:names) AND txt_content IS NOT NULL
          AND EXISTS (SELECT FROM assignment a WHERE a.clip_id = clip.clip_id AND a.to_operation IS NULL)
        """),
        columns_of(group) | {"names": list(names), "operation_id": operation_id},
    )


def _group_id(connection: Connection, group: Group) -> int:
    """Give the key of a group, which is stored if it is new."""
    connection.execute(upsert(clip_group).values(columns_of(group)).on_conflict_do_nothing())
    return int(connection.execute(select(clip_group.c.group_id).where(*_is(group))).scalar_one())


def _copy_clips(connection: Connection, clips: Sequence[Clip]) -> None:
    """Write clips into the temporary table `incoming_clip`."""
    columns = types_of(audio, ["audio_hash"]) | types_of(clip, ["name", *NOTED])
    written = attrgetter(*WRITTEN)
    rows = ((c.audio_hash, c.name, *_file_row(c.wav), *_file_row(c.txt), *written(c)) for c in clips)
    copy_rows(connection, "incoming_clip", columns, rows)


def _file_row(file: HashedFile) -> tuple[str, int, int, str]:
    """Give the four columns of a file, in the order of FILES."""
    source = file.source
    return str(source.path), source.size, source.mtime_ns, file.sha256


def _noted_from(row: str) -> str:
    """Write for an UPDATE that the columns NOTED of a clip become the same columns of another row."""
    return ", ".join(f"{name} = {row}.{name}" for name in NOTED)
