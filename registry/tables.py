"""The tables as SQLAlchemy sees them; migrations create them, a test keeps the two equal."""

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import (
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

operation = Table(
    "operation",
    metadata,
    Column(
        "operation_id",
        BigInteger,
        Identity(always=True),
        primary_key=True,
        comment="Counts up in order of time.",
    ),
    Column("kind", Text, nullable=False, comment="What was done: ingest, ..."),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now(), comment="When it began."),
    Column("user_name", Text, nullable=False, comment="Who ran it, by login name."),
    Column("command", Text, nullable=False, comment="The command line that ran it."),
    Column("summary", JSONB, nullable=False, comment="What it was about and what it counted, as printed."),
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
        comment="The model whose embeddings decide who is who.",
    ),
    Column(
        "scope",
        Text,
        nullable=False,
        comment="Whom a voice is compared to: all of its gender, or its broadcaster's only.",
    ),
    CheckConstraint("only_row", name="only_row"),
    CheckConstraint("scope IN ('registry', 'broadcaster')", name="scope"),
    comment="What this registry is built on; one row, written by the first ingest.",
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
    Column("operation_id", ForeignKey("operation.operation_id"), nullable=False, comment="What brought it in."),
    UniqueConstraint("group_id", "name"),
    comment="One .wav and .txt pair of a group.",
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
    Column("broadcaster", Text, primary_key=True, comment="At which broadcaster."),
    Column("gender", String(1), primary_key=True, comment="F or M, the letter before the number."),
    Column("number", Integer, primary_key=True, autoincrement=False, comment="1, 2, ...: 1 is written F0001."),
    Column("speaker_id", ForeignKey("speaker.speaker_id"), nullable=False, comment="Who has it."),
    Column("operation_id", ForeignKey("operation.operation_id"), nullable=False, comment="What gave it."),
    UniqueConstraint("speaker_id", "broadcaster"),
    CheckConstraint("number > 0", name="number"),
    comment="A speaker's number at a broadcaster: given once, never given to another.",
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
    Column("from_operation", ForeignKey("operation.operation_id"), nullable=False, comment="What made it."),
    Column("to_operation", ForeignKey("operation.operation_id"), comment="What ended it; none while it stands."),
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
    Column("duration_s", REAL, nullable=False, comment="How many seconds they last."),
    comment="What a speaker sounds like under one model; always equal to the mean over its clips.",
)
