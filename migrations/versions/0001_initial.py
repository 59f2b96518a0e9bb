"""The first schema: clips, embeddings, speakers, numbers, assignments and the journal they hang on."""

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import VECTOR
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audio",
        sa.Column("audio_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Key of the audio."),
        sa.Column(
            "audio_hash",
            sa.LargeBinary(),
            nullable=False,
            comment="SHA-256 of the decoded samples with rate and channels: one row wherever heard.",
        ),
        sa.Column("duration_s", sa.REAL(), nullable=False, comment="Length in seconds."),
        sa.Column("sample_rate_hz", sa.Integer(), nullable=False, comment="Samples a second, as it came."),
        sa.Column("channels", sa.SmallInteger(), nullable=False, comment="Channels, as it came."),
        sa.PrimaryKeyConstraint("audio_id", name=op.f("audio_pkey")),
        sa.UniqueConstraint("audio_hash", name=op.f("audio_audio_hash_key")),
        comment="Audio heard, once however many clips carry it.",
    )
    op.create_table(
        "clip_group",
        sa.Column("group_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Key of the group."),
        sa.Column("broadcaster", sa.Text(), nullable=False, comment="Who was recorded."),
        sa.Column("gender", sa.String(length=1), nullable=False, comment="F or M, as the input folder says."),
        sa.Column("date", sa.Date(), nullable=False, comment="The night of the recording."),
        sa.CheckConstraint("gender IN ('F', 'M')", name=op.f("clip_group_gender_check")),
        sa.PrimaryKeyConstraint("group_id", name=op.f("clip_group_pkey")),
        sa.UniqueConstraint("broadcaster", "gender", "date", name=op.f("clip_group_broadcaster_gender_date_key")),
        comment="One input folder: broadcaster, gender and date.",
    )
    op.create_table(
        "embedding_model",
        sa.Column(
            "model_id",
            sa.SmallInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Key of the model.",
        ),
        sa.Column(
            "name",
            sa.Text(),
            nullable=False,
            comment="campplus, a Hugging Face id, or the path of a checkpoint.",
        ),
        sa.Column("fingerprint", sa.Text(), nullable=False, comment="SHA-256 of weights and extraction code, hex."),
        sa.Column("dimension", sa.SmallInteger(), nullable=False, comment="Length of its embeddings."),
        sa.Column(
            "added_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="First used.",
        ),
        sa.PrimaryKeyConstraint("model_id", name=op.f("embedding_model_pkey")),
        sa.UniqueConstraint("fingerprint", name=op.f("embedding_model_fingerprint_key")),
        comment="Embedding models seen; embeddings of two models are never compared.",
    )
    op.create_table(
        "operation",
        sa.Column(
            "operation_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Counts up in order of time.",
        ),
        sa.Column("kind", sa.Text(), nullable=False, comment="What was done: ingest, ..."),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
            comment="When it began.",
        ),
        sa.Column("user_name", sa.Text(), nullable=False, comment="Who ran it, by login name."),
        sa.Column("command", sa.Text(), nullable=False, comment="The command line that ran it."),
        sa.Column(
            "summary",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="What it was about and what it counted, as printed.",
        ),
        sa.PrimaryKeyConstraint("operation_id", name=op.f("operation_pkey")),
        comment="The journal: one row for every change of the registry.",
    )
    op.create_table(
        "clip",
        sa.Column("clip_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Key of the clip."),
        sa.Column("group_id", sa.BigInteger(), nullable=False, comment="The group it belongs to."),
        sa.Column("name", sa.Text(), nullable=False, comment="File name without its ending."),
        sa.Column("audio_id", sa.BigInteger(), nullable=False, comment="What is heard in it."),
        sa.Column(
            "transcript",
            sa.Text(),
            nullable=False,
            comment="What the .txt says; the file is what is exported.",
        ),
        sa.Column("wav_path", sa.Text(), nullable=False, comment="Where the .wav was last seen."),
        sa.Column("wav_size", sa.BigInteger(), nullable=False, comment="Its size in bytes."),
        sa.Column(
            "wav_mtime_ns",
            sa.BigInteger(),
            nullable=False,
            comment="Its modification time, nanoseconds since 1970.",
        ),
        sa.Column("wav_sha256", sa.LargeBinary(), nullable=False, comment="SHA-256 of the .wav file."),
        sa.Column("txt_path", sa.Text(), nullable=False, comment="Where the .txt was last seen."),
        sa.Column("txt_size", sa.BigInteger(), nullable=False, comment="Its size in bytes."),
        sa.Column(
            "txt_mtime_ns",
            sa.BigInteger(),
            nullable=False,
            comment="Its modification time, nanoseconds since 1970.",
        ),
        sa.Column("txt_sha256", sa.LargeBinary(), nullable=False, comment="SHA-256 of the .txt file."),
        sa.Column("operation_id", sa.BigInteger(), nullable=False, comment="What brought it in."),
        sa.ForeignKeyConstraint(["audio_id"], ["audio.audio_id"], name=op.f("clip_audio_id_fkey")),
        sa.ForeignKeyConstraint(["group_id"], ["clip_group.group_id"], name=op.f("clip_group_id_fkey")),
        sa.ForeignKeyConstraint(["operation_id"], ["operation.operation_id"], name=op.f("clip_operation_id_fkey")),
        sa.PrimaryKeyConstraint("clip_id", name=op.f("clip_pkey")),
        sa.UniqueConstraint("group_id", "name", name=op.f("clip_group_id_name_key")),
        comment="One .wav and .txt pair of a group.",
    )
    op.create_index(op.f("clip_audio_id_idx"), "clip", ["audio_id"], unique=False)
    op.create_table(
        "embedding",
        sa.Column("audio_id", sa.BigInteger(), nullable=False, comment="The audio."),
        sa.Column("model_id", sa.SmallInteger(), nullable=False, comment="The model."),
        sa.Column("vector", VECTOR(), nullable=False, comment="The embedding as the model gave it, not normalised."),
        sa.ForeignKeyConstraint(["audio_id"], ["audio.audio_id"], name=op.f("embedding_audio_id_fkey")),
        sa.ForeignKeyConstraint(["model_id"], ["embedding_model.model_id"], name=op.f("embedding_model_id_fkey")),
        sa.PrimaryKeyConstraint("audio_id", "model_id", name=op.f("embedding_pkey")),
        comment="The vector of one audio under one model; every one is kept.",
    )
    op.create_table(
        "registry",
        sa.Column("only_row", sa.Boolean(), nullable=False, comment="Always true."),
        sa.Column(
            "model_id",
            sa.SmallInteger(),
            nullable=False,
            comment="The model whose embeddings decide who is who.",
        ),
        sa.Column(
            "scope",
            sa.Text(),
            nullable=False,
            comment="Whom a voice is compared to: all of its gender, or its broadcaster's only.",
        ),
        sa.CheckConstraint("scope IN ('registry', 'broadcaster')", name=op.f("registry_scope_check")),
        sa.CheckConstraint("only_row", name=op.f("registry_only_row_check")),
        sa.ForeignKeyConstraint(["model_id"], ["embedding_model.model_id"], name=op.f("registry_model_id_fkey")),
        sa.PrimaryKeyConstraint("only_row", name=op.f("registry_pkey")),
        comment="What this registry is built on; one row, written by the first ingest.",
    )
    op.create_table(
        "speaker",
        sa.Column(
            "speaker_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Key of the speaker.",
        ),
        sa.Column(
            "gender",
            sa.String(length=1),
            nullable=False,
            comment="F or M; genders are never mixed automatically.",
        ),
        sa.Column("operation_id", sa.BigInteger(), nullable=False, comment="What made it."),
        sa.CheckConstraint("gender IN ('F', 'M')", name=op.f("speaker_gender_check")),
        sa.ForeignKeyConstraint(["operation_id"], ["operation.operation_id"], name=op.f("speaker_operation_id_fkey")),
        sa.PrimaryKeyConstraint("speaker_id", name=op.f("speaker_pkey")),
        comment="A voice with an identity that outlives the night.",
    )
    op.create_table(
        "assignment",
        sa.Column(
            "assignment_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Key of the assignment.",
        ),
        sa.Column("clip_id", sa.BigInteger(), nullable=False, comment="The clip."),
        sa.Column("speaker_id", sa.BigInteger(), nullable=False, comment="Its speaker."),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why: new, matched, same-audio, ..."),
        sa.Column(
            "score",
            sa.REAL(),
            nullable=True,
            comment="Mean cosine of its cluster to the speaker; none where nothing was compared.",
        ),
        sa.Column("runner_up_id", sa.BigInteger(), nullable=True, comment="The next best speaker, if there was one."),
        sa.Column(
            "runner_up_score",
            sa.REAL(),
            nullable=True,
            comment="Mean cosine of its cluster to the runner-up.",
        ),
        sa.Column("from_operation", sa.BigInteger(), nullable=False, comment="What made it."),
        sa.Column("to_operation", sa.BigInteger(), nullable=True, comment="What ended it; none while it stands."),
        sa.ForeignKeyConstraint(["clip_id"], ["clip.clip_id"], name=op.f("assignment_clip_id_fkey")),
        sa.ForeignKeyConstraint(
            ["from_operation"], ["operation.operation_id"], name=op.f("assignment_from_operation_fkey")
        ),
        sa.ForeignKeyConstraint(["runner_up_id"], ["speaker.speaker_id"], name=op.f("assignment_runner_up_id_fkey")),
        sa.ForeignKeyConstraint(["speaker_id"], ["speaker.speaker_id"], name=op.f("assignment_speaker_id_fkey")),
        sa.ForeignKeyConstraint(
            ["to_operation"], ["operation.operation_id"], name=op.f("assignment_to_operation_fkey")
        ),
        sa.PrimaryKeyConstraint("assignment_id", name=op.f("assignment_pkey")),
        comment="Clip to speaker, with score, reason and the operations it holds between.",
    )
    op.create_index(
        "assignment_current_clip_key",
        "assignment",
        ["clip_id"],
        unique=True,
        postgresql_where=sa.text("to_operation IS NULL"),
    )
    op.create_index(
        "assignment_current_speaker_idx",
        "assignment",
        ["speaker_id"],
        unique=False,
        postgresql_where=sa.text("to_operation IS NULL"),
    )
    op.create_table(
        "profile",
        sa.Column("speaker_id", sa.BigInteger(), nullable=False, comment="The speaker."),
        sa.Column("model_id", sa.SmallInteger(), nullable=False, comment="The model."),
        sa.Column(
            "mean",
            VECTOR(),
            nullable=False,
            comment="Mean of the unit vectors of its audios, not normalised again.",
        ),
        sa.Column("audios", sa.Integer(), nullable=False, comment="How many different audios it is the mean of."),
        sa.Column("duration_s", sa.REAL(), nullable=False, comment="How many seconds they last."),
        sa.ForeignKeyConstraint(["model_id"], ["embedding_model.model_id"], name=op.f("profile_model_id_fkey")),
        sa.ForeignKeyConstraint(["speaker_id"], ["speaker.speaker_id"], name=op.f("profile_speaker_id_fkey")),
        sa.PrimaryKeyConstraint("speaker_id", "model_id", name=op.f("profile_pkey")),
        comment="What a speaker sounds like under one model; always equal to the mean over its clips.",
    )
    op.create_table(
        "speaker_number",
        sa.Column("broadcaster", sa.Text(), nullable=False, comment="At which broadcaster."),
        sa.Column("gender", sa.String(length=1), nullable=False, comment="F or M, the letter before the number."),
        sa.Column(
            "number",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="1, 2, ...: 1 is written F0001.",
        ),
        sa.Column("speaker_id", sa.BigInteger(), nullable=False, comment="Who has it."),
        sa.Column("operation_id", sa.BigInteger(), nullable=False, comment="What gave it."),
        sa.CheckConstraint("number > 0", name=op.f("speaker_number_number_check")),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operation.operation_id"], name=op.f("speaker_number_operation_id_fkey")
        ),
        sa.ForeignKeyConstraint(["speaker_id"], ["speaker.speaker_id"], name=op.f("speaker_number_speaker_id_fkey")),
        sa.PrimaryKeyConstraint("broadcaster", "gender", "number", name=op.f("speaker_number_pkey")),
        sa.UniqueConstraint("speaker_id", "broadcaster", name=op.f("speaker_number_speaker_id_broadcaster_key")),
        comment="A speaker's number at a broadcaster: given once, never given to another.",
    )
    op.execute("COMMENT ON TABLE alembic_version IS 'The revision that the schema is at.'")
    op.execute("COMMENT ON COLUMN alembic_version.version_num IS 'Name of the migration that was run last.'")
