"""The tables, as SQLAlchemy describes them. Migrations create them; a test compares the two."""

from typing import Any

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import (
    ARRAY,
    DOUBLE_PRECISION,
    REAL,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    },
)


def _holds_between_operations() -> tuple[Column[Any], ...]:
    """Make the columns that say from which operation to which other operation a row holds."""
    return (
        Column(
            "from_operation", ForeignKey("operation.operation_id"), nullable=False, index=True, comment="What made it."
        ),
        Column(
            "to_operation",
            ForeignKey("operation.operation_id"),
            index=True,
            comment="What ended it; none while it stands.",
        ),
        Column("origin", BigInteger, comment="The row that this one stands for again, after an undo."),
    )


operation = Table(
    "operation",
    metadata,
    Column(
        "operation_id",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="Counts up in order of time.",
    ),
    Column("kind", Text, nullable=False, comment="What was done: ingest, ..."),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="When it began."),
    Column("user_name", Text, nullable=False, comment="Who ran it, by login name."),
    Column("command", Text, nullable=False, comment="The command line that ran it."),
    Column("summary", JSONB, nullable=False, comment="What it was about and what it counted, as printed."),
    Column(
        "erased_by",
        ForeignKey("operation.operation_id"),
        comment="The forgetting that erased what it changed, so that it cannot be undone; none if none did.",
    ),
    comment="The journal: one row for every change of the registry.",
)

embedding_model = Table(
    "embedding_model",
    metadata,
    Column("model_id", SmallInteger, Identity(always=True), primary_key=True, comment="Key of the model."),
    Column("name", Text, nullable=False, comment="campplus, a Hugging Face id, or the path of a checkpoint."),
    Column(
        "fingerprint",
        Text,
        nullable=False,
        unique=True,
        comment="SHA-256 of weights and extraction code, hex.",
    ),
    Column("dimension", SmallInteger, nullable=False, comment="Length of its embeddings."),
    Column("added_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="First used."),
    comment="Embedding models seen; embeddings of two models are never compared.",
)

registry = Table(
    "registry",
    metadata,
    Column(
        "only_row",
        Boolean,
        primary_key=True,
        comment="Always true.",
    ),
    Column(
        "model_id",
        ForeignKey("embedding_model.model_id"),
        nullable=False,
        comment="The model that it began with; see model_role.",
    ),
    Column(
        "scope",
        Text,
        nullable=False,
        comment="Whom a voice is compared to: all of its gender, or its broadcaster's only.",
    ),
    Column(
        "false_merge_rate",
        REAL,
        nullable=False,
        server_default=text("0.02"),
        comment="Accepted share of automatic joins that put two voices together; the one knob of linking.",
    ),
    CheckConstraint("only_row", name="only_row"),
    CheckConstraint("false_merge_rate > 0 AND false_merge_rate < 1", name="false_merge_rate"),
    CheckConstraint("scope IN ('registry', 'broadcaster')", name="scope"),
    comment="What this registry is built on; one row, written by the first ingest.",
)

identity = Table(
    "identity",
    metadata,
    Column("only_row", Boolean, primary_key=True, comment="Always true."),
    Column(
        "registry_id",
        Uuid,
        nullable=False,
        server_default=text("gen_random_uuid()"),
        comment="Tells this registry, and its restored backups, from every other.",
    ),
    Column("made_at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="When."),
    Column("views", Text, comment="How views and functions were put in place: hashes of their script and of them."),
    Column(
        "vacuum_owed",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="Whether bytes of what was forgotten may still be in the database's files.",
    ),
    CheckConstraint("only_row", name="only_row"),
    comment="Which registry this is; one row, written when the tables were made.",
)

model_role = Table(
    "model_role",
    metadata,
    Column("role_id", BigInteger, Identity(always=True), primary_key=True, comment="Key of the row."),
    Column("model_id", ForeignKey("embedding_model.model_id"), nullable=False, comment="The model."),
    Column(
        "role",
        Text,
        nullable=False,
        comment="deciding: its embeddings decide who is who; beside: they are kept up beside those.",
    ),
    *_holds_between_operations(),
    Index("model_role_current_key", "model_id", unique=True, postgresql_where=text("to_operation IS NULL")),
    Index(
        "model_role_deciding_key",
        "role",
        unique=True,
        postgresql_where=text("to_operation IS NULL AND role = 'deciding'"),
    ),
    CheckConstraint("role IN ('deciding', 'beside')", name="role"),
    comment="What models other than the first are for; without a deciding one here, the registry's first decides.",
)

calibration = Table(
    "calibration",
    metadata,
    Column("calibration_id", BigInteger, Identity(always=True), primary_key=True, comment="Key of the row."),
    Column("model_id", ForeignKey("embedding_model.model_id"), nullable=False, comment="The model."),
    Column(
        "other_gender_offset",
        DOUBLE_PRECISION,
        nullable=False,
        comment="From cosines of both genders, times a factor, to those of strangers of one.",
    ),
    Column(
        "other_gender_spread",
        DOUBLE_PRECISION,
        nullable=False,
        comment="Standard deviation of a clip's cosines with the other gender's.",
    ),
    Column(
        "stranger_variance",
        DOUBLE_PRECISION,
        nullable=False,
        comment="Variance of the cosines of two clips of strangers, were these 0 on average.",
    ),
    Column("base_noise", DOUBLE_PRECISION, nullable=False, comment="Noise-to-voice power of a very long clip."),
    Column("stranger", DOUBLE_PRECISION, nullable=False, comment="Mean cosine of strangers heard as in a studio."),
    Column(
        "stranger_by_telephone",
        DOUBLE_PRECISION,
        nullable=False,
        comment="Mean cosine of strangers heard over a telephone.",
    ),
    *_holds_between_operations(),
    Index("calibration_current_key", "model_id", unique=True, postgresql_where=text("to_operation IS NULL")),
    CheckConstraint("other_gender_spread > 0 AND stranger_variance > 0 AND base_noise > 0", name="positive"),
    CheckConstraint("stranger < 1 AND stranger_by_telephone < 1", name="cosines"),
    comment="Constants of linking measured for a model on labelled clips; without a row the package's own hold.",
)

audio = Table(
    "audio",
    metadata,
    Column("audio_id", BigInteger, Identity(always=True), primary_key=True, comment="Key of the audio."),
    Column(
        "audio_hash",
        LargeBinary,
        nullable=False,
        unique=True,
        comment="SHA-256 of the decoded samples with rate and channels: one row wherever heard.",
    ),
    Column("duration_s", REAL, nullable=False, comment="Length in seconds."),
    Column("sample_rate_hz", Integer, nullable=False, comment="Samples a second, as it came."),
    Column("channels", SmallInteger, nullable=False, comment="Channels, as it came."),
    Column(
        "narrowness",
        REAL,
        comment="0 heard as in a studio, 1 as over a telephone; none if an earlier version embedded it, taken for 0.",
    ),
    comment="Audio heard, once however many clips carry it.",
)

embedding = Table(
    "embedding",
    metadata,
    Column("audio_id", ForeignKey("audio.audio_id"), primary_key=True, comment="The audio."),
    Column("model_id", ForeignKey("embedding_model.model_id"), primary_key=True, comment="The model."),
    Column("vector", VECTOR(), nullable=False, comment="The embedding as the model gave it, not normalised."),
    comment="The vector of one audio under one model; every one is kept.",
)

clip_group = Table(
    "clip_group",
    metadata,
    Column("group_id", BigInteger, Identity(always=True), primary_key=True, comment="Key of the group."),
    Column("broadcaster", Text, nullable=False, comment="Who was recorded."),
    Column(
        "gender",
        String(1),
        nullable=False,
        comment="F or M, as the input folder says.",
    ),
    Column("date", Date, nullable=False, comment="The night of the recording."),
    UniqueConstraint("broadcaster", "gender", "date"),
    CheckConstraint("gender IN ('F', 'M')", name="gender"),
    comment="One input folder: broadcaster, gender and date.",
)

clip = Table(
    "clip",
    metadata,
    Column("clip_id", BigInteger, Identity(always=True), primary_key=True, comment="Key of the clip."),
    Column("group_id", ForeignKey("clip_group.group_id"), nullable=False, comment="The group it belongs to."),
    Column("name", Text, nullable=False, comment="File name without its ending."),
    Column("audio_id", ForeignKey("audio.audio_id"), nullable=False, index=True, comment="What is heard in it."),
    Column("transcript", Text, nullable=False, comment="What the .txt says; the file is what is exported."),
    Column("wav_path", Text, nullable=False, comment="Where the .wav was last seen."),
    Column("wav_size", BigInteger, nullable=False, comment="Its size in bytes."),
    Column("wav_mtime_ns", BigInteger, nullable=False, comment="Its modification time, nanoseconds since 1970."),
    Column("wav_sha256", LargeBinary, nullable=False, comment="SHA-256 of the .wav file."),
    Column("txt_path", Text, nullable=False, comment="Where the .txt was last seen."),
    Column("txt_size", BigInteger, nullable=False, comment="Its size in bytes."),
    Column("txt_mtime_ns", BigInteger, nullable=False, comment="Its modification time, nanoseconds since 1970."),
    Column("txt_sha256", LargeBinary, nullable=False, comment="SHA-256 of the .txt file."),
    Column("txt_content", LargeBinary, comment="The .txt file itself; none if taken in before it was kept."),
    Column("operation_id", ForeignKey("operation.operation_id"), nullable=False, comment="What brought it in."),
    UniqueConstraint("group_id", "name", "audio_id"),
    # The folder in which a clip's group lies: an export asks whether it would write into such a folder.
    Index("clip_input_folder_idx", text("regexp_replace(wav_path, '/[^/]*/[^/]*$'::text, ''::text)")),
    comment="One .wav and .txt pair of a group.",
)

former_transcript = Table(
    "former_transcript",
    metadata,
    Column("clip_id", ForeignKey("clip.clip_id"), primary_key=True, comment="The clip."),
    Column("to_operation", ForeignKey("operation.operation_id"), primary_key=True, comment="What replaced it."),
    Column("txt_sha256", LargeBinary, nullable=False, comment="SHA-256 of the .txt file as it was."),
    Column("txt_content", LargeBinary, nullable=False, comment="The .txt file as it was."),
    comment="Transcripts that were replaced, for exports of what was then.",
)

speaker = Table(
    "speaker",
    metadata,
    Column("speaker_id", BigInteger, Identity(always=True), primary_key=True, comment="Key of the speaker."),
    Column(
        "gender",
        String(1),
        nullable=False,
        comment="F or M; genders are never mixed automatically.",
    ),
    Column("operation_id", ForeignKey("operation.operation_id"), nullable=False, comment="What made it."),
    CheckConstraint("gender IN ('F', 'M')", name="gender"),
    comment="A voice with an identity that outlives the night.",
)

speaker_number = Table(
    "speaker_number",
    metadata,
    Column("holding_id", BigInteger, Identity(always=True), primary_key=True, comment="Key of the row."),
    Column("broadcaster", Text, nullable=False, comment="At which broadcaster."),
    Column("gender", String(1), nullable=False, comment="F or M, the letter before the number."),
    Column("number", Integer, nullable=False, comment="1, 2, ...: 1 is written F0001."),
    Column("speaker_id", ForeignKey("speaker.speaker_id"), nullable=False, index=True, comment="Whom it leads to."),
    Column(
        "is_alias",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="True for a number that a merge retired: it leads to the speaker but names no folder.",
    ),
    *_holds_between_operations(),
    Index(
        "speaker_number_current_key",
        "broadcaster",
        "gender",
        "number",
        unique=True,
        postgresql_where=text("to_operation IS NULL"),
    ),
    Index(
        "speaker_number_current_speaker_key",
        "speaker_id",
        "broadcaster",
        unique=True,
        postgresql_where=text("to_operation IS NULL AND NOT is_alias"),
    ),
    Index("speaker_number_all_idx", "broadcaster", "gender", "number"),
    # The expression of number_label(), so that a view which is asked for F0001 need not compute every label.
    Index(
        "speaker_number_label_idx",
        text("(gender::text || lpad(number::text, GREATEST(4, length(number::text)), '0'::text))"),
    ),
    CheckConstraint("number > 0", name="number"),
    comment="Numbers of speakers at broadcasters: given once, never given to another voice.",
)

speaker_name = Table(
    "speaker_name",
    metadata,
    Column("naming_id", BigInteger, Identity(always=True), primary_key=True, comment="Key of the row."),
    Column("speaker_id", ForeignKey("speaker.speaker_id"), nullable=False, comment="The speaker."),
    Column("name", Text, nullable=False, comment="What people call the speaker."),
    Column("notes", Text, nullable=False, comment="Anything else to remember."),
    *_holds_between_operations(),
    Index("speaker_name_current_key", "speaker_id", unique=True, postgresql_where=text("to_operation IS NULL")),
    comment="Human names of speakers.",
)

verdict = Table(
    "verdict",
    metadata,
    Column("verdict_id", BigInteger, Identity(always=True), primary_key=True, comment="Key of the verdict."),
    Column(
        "kind",
        Text,
        nullable=False,
        comment="confirmed, rejected (a clip is not this voice), different or same (two speakers).",
    ),
    Column("speaker_id", ForeignKey("speaker.speaker_id"), nullable=False, comment="The speaker it is about."),
    Column(
        "subject_id",
        BigInteger,
        nullable=False,
        comment="The clip or the other speaker, 0 for none: tells verdicts of one kind apart.",
    ),
    Column("clip_id", ForeignKey("clip.clip_id"), comment="The clip it is about, if any."),
    Column("other_id", ForeignKey("speaker.speaker_id"), comment="The other speaker it is about, if any."),
    *_holds_between_operations(),
    Index(
        "verdict_current_key",
        "kind",
        "speaker_id",
        "subject_id",
        unique=True,
        postgresql_where=text("to_operation IS NULL"),
    ),
    Index("verdict_clip_idx", "clip_id"),
    Index("verdict_other_idx", "other_id"),
    CheckConstraint("kind IN ('confirmed', 'rejected', 'different', 'same')", name="kind"),
    comment="What people decided; every automatic step honours it.",
)

assignment = Table(
    "assignment",
    metadata,
    Column("assignment_id", BigInteger, Identity(always=True), primary_key=True, comment="Key of the assignment."),
    Column("clip_id", ForeignKey("clip.clip_id"), nullable=False, comment="The clip."),
    Column("speaker_id", ForeignKey("speaker.speaker_id"), nullable=False, comment="Its speaker."),
    Column("reason", Text, nullable=False, comment="Why: new, matched, same-audio, ..."),
    Column("score", REAL, comment="Mean cosine of its cluster to the speaker; none where nothing was compared."),
    Column("runner_up_id", ForeignKey("speaker.speaker_id"), comment="The next best speaker, if there was one."),
    Column("runner_up_score", REAL, comment="Mean cosine of its cluster to the runner-up."),
    Column("probability", REAL, comment="P(same voice) of its cluster and the speaker as it was then."),
    Column("runner_up_probability", REAL, comment="P(same voice) of its cluster and the runner-up."),
    *_holds_between_operations(),
    Column(
        "builds_profile",
        Boolean,
        nullable=False,
        server_default=text("true"),
        comment="Whether the clip is part of its speaker's profile: long, clear and certain enough.",
    ),
    Index("assignment_clip_idx", "clip_id"),
    Index("assignment_current_clip_key", "clip_id", unique=True, postgresql_where=text("to_operation IS NULL")),
    Index("assignment_current_speaker_idx", "speaker_id", postgresql_where=text("to_operation IS NULL")),
    comment="Clip to speaker, with score, reason and the operations it holds between.",
)

profile = Table(
    "profile",
    metadata,
    Column("speaker_id", ForeignKey("speaker.speaker_id"), primary_key=True, comment="The speaker."),
    Column("model_id", ForeignKey("embedding_model.model_id"), primary_key=True, comment="The model."),
    Column(
        "mean",
        VECTOR(),
        nullable=False,
        comment="Mean of the unit vectors of its audios, not normalised again.",
    ),
    Column("audios", Integer, nullable=False, comment="How many different audios it is the mean of."),
    Column("duration_s", DOUBLE_PRECISION, nullable=False, comment="How many seconds they last."),
    Column(
        "inverse_s",
        DOUBLE_PRECISION,
        nullable=False,
        comment="Mean of 1 / duration, per second: large for short clips.",
    ),
    Column(
        "sums",
        ARRAY(DOUBLE_PRECISION),
        comment="How many audios and the sum of their unit vectors, once nights have added to the mean.",
    ),
    Column(
        "narrowness",
        DOUBLE_PRECISION,
        nullable=False,
        server_default=text("0"),
        comment="Mean of the audios' narrowness: 0 studio, 1 telephone.",
    ),
    comment="What a speaker sounds like under one model; always equal to the mean over its clips.",
)

certainty = Table(
    "certainty",
    metadata,
    Column("clip_id", ForeignKey("clip.clip_id", ondelete="CASCADE"), primary_key=True, comment="The clip."),
    Column("probability", REAL, nullable=False, comment="P(its speaker's voice), when the speaker was last judged."),
    comment="How sure it is that a clip is its speaker's; kept up as the speaker grows by a tenth or loses clips.",
)

judgement = Table(
    "judgement",
    metadata,
    Column(
        "speaker_id", ForeignKey("speaker.speaker_id", ondelete="CASCADE"), primary_key=True, comment="The speaker."
    ),
    Column("audios", Integer, nullable=False, comment="How many audios its profile was the mean of then."),
    comment="When the certainty of all of a speaker's clips was last computed; none if it has to be.",
)

speaker_night = Table(
    "speaker_night",
    metadata,
    Column("speaker_id", ForeignKey("speaker.speaker_id"), primary_key=True, comment="The speaker."),
    Column(
        "group_id", ForeignKey("clip_group.group_id"), primary_key=True, index=True, comment="The group of the night."
    ),
    Column("clips", BigInteger, nullable=False, comment="Clips of the speaker in it now."),
    Column("duration_s", DOUBLE_PRECISION, nullable=False, comment="How many seconds they last."),
    comment="What a speaker's clips of a night add up to; kept by triggers on assignment.",
)

speaker_total = Table(
    "speaker_total",
    metadata,
    Column("speaker_id", ForeignKey("speaker.speaker_id"), primary_key=True, comment="The speaker."),
    Column("broadcaster", Text, primary_key=True, comment="Where it was heard."),
    Column("clips", BigInteger, nullable=False, comment="Clips of the speaker there now."),
    Column("duration_s", DOUBLE_PRECISION, nullable=False, comment="How many seconds they last."),
    Column("nights", BigInteger, nullable=False, comment="On how many nights it was heard there."),
    Column("first_night", Date, nullable=False, comment="The earliest of them."),
    Column("last_night", Date, nullable=False, comment="The latest of them."),
    comment="What a speaker's nights at a broadcaster add up to; kept with them.",
)

forgotten_audio = Table(
    "forgotten_audio",
    metadata,
    Column("audio_hash", LargeBinary, primary_key=True, comment="SHA-256 as in audio."),
    comment="Audio that was forgotten: an ingest leaves it out. The hash tells nothing of the voice.",
)


def columns_naming(table: Table) -> list[Column[Any]]:
    """List the columns of all tables that are foreign keys to a table."""
    return [key.parent for other in metadata.sorted_tables for key in other.foreign_keys if key.column.table is table]
