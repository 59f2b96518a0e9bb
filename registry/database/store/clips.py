"""Clips and the groups they belong to."""

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
    """A clip as read: its two files, what is heard and what is written."""

    name: str
    audio_hash: str  # hex
    wav: HashedFile
    txt: HashedFile
    transcript: str
    txt_content: bytes  # the transcript's file as it is


@dataclass(frozen=True)
class KnownClip:
    """A clip as it was last seen."""

    wav: HashedFile
    txt: HashedFile
    audio_hash: str  # hex


FILES = tuple(f"{file}_{fact}" for file in ("wav", "txt") for fact in ("path", "size", "mtime_ns", "sha256"))
WRITTEN = ("transcript", "txt_content")
NOTED = (*FILES, *WRITTEN)  # columns of a clip that say what its files held when they were last seen


def known_clips(connection: Connection, group: Group) -> dict[str, KnownClip]:
    """List the clips that a group has now, by name.

    A clip whose ingest was undone has no speaker; it is stored, but not there.
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
    """Tell which audio (hash in hex) is there in a group of the other gender, and give one such clip, as GROUP/NAME.

    A group that is about to leave does not count.
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
    """Tell whether the registry holds more different recordings than so many."""
    return bool(
        connection.execute(text("SELECT exists(SELECT FROM audio OFFSET :count)"), {"count": count}).scalar_one()
    )


def came_from_urls(connection: Connection) -> bool:
    """Tell whether any clip was taken from a URL."""
    return bool(connection.execute(text("SELECT EXISTS (SELECT FROM clip WHERE wav_path LIKE '%://%')")).scalar_one())


def columns_of(group: Group) -> dict[str, object]:
    """Give the columns of `clip_group` that tell one group from another."""
    return {"broadcaster": group.broadcaster, "gender": group.gender, "date": group.date}


def _is(group: Group) -> tuple[ColumnElement[bool], ...]:
    return (
        clip_group.c.broadcaster == group.broadcaster,
        clip_group.c.gender == group.gender,
        clip_group.c.date == group.date,
    )


def _file(path: str, size: int, mtime_ns: int, sha256: bytes) -> HashedFile:
    return HashedFile(SourceFile(stored_path(path), size, mtime_ns), sha256.hex())


def add_clips(connection: Connection, group: Group, clips: Sequence[Clip], operation_id: int) -> dict[int, list[int]]:
    """Store the clips of a group whose audio is stored; a clip from before an undo is the same clip again.

    Returns:
        Audio key -> clip keys, both in order of clip name.
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
    """Note where stored clips were seen now, in which files, and what their transcripts say now."""
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
    """Keep the transcripts of some clips of a group as they were before an operation replaces them."""
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
    connection.execute(upsert(clip_group).values(columns_of(group)).on_conflict_do_nothing())
    return int(connection.execute(select(clip_group.c.group_id).where(*_is(group))).scalar_one())


def _copy_clips(connection: Connection, clips: Sequence[Clip]) -> None:
    columns = types_of(audio, ["audio_hash"]) | types_of(clip, ["name", *NOTED])
    rows = ((c.audio_hash, c.name, *_file_row(c.wav), *_file_row(c.txt), *attrgetter(*WRITTEN)(c)) for c in clips)
    copy_rows(connection, "incoming_clip", columns, rows)


def _file_row(file: HashedFile) -> tuple[str, int, int, str]:
    source = file.source
    return str(source.path), source.size, source.mtime_ns, file.sha256


def _noted_from(row: str) -> str:
    """Write for an UPDATE that what is noted of a clip becomes what another row says."""
    return ", ".join(f"{name} = {row}.{name}" for name in NOTED)
