"""Everything that says who is who holds between two operations, so that any of them can be taken back.

Numbers get that history too, and aliases; names, people's verdicts and forgotten audio are new.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NOW = sa.text("to_operation IS NULL")
NOW_MAIN = sa.text("to_operation IS NULL AND NOT is_alias")

EXACT_INVERSE = """
    UPDATE profile SET inverse_s = known.inverse_s
    FROM (SELECT a.speaker_id, avg(1 / au.duration_s) AS inverse_s
          FROM (SELECT DISTINCT a.speaker_id, c.audio_id FROM assignment a JOIN clip c USING (clip_id)
                WHERE a.to_operation IS NULL) a
          JOIN audio au USING (audio_id) GROUP BY a.speaker_id) known
    WHERE profile.speaker_id = known.speaker_id
"""


def upgrade() -> None:
    op.execute("ALTER TABLE operation ALTER operation_id DROP IDENTITY")  # counted under the registry's lock instead
    _give_numbers_a_history()
    _let_copies_name_their_origin()
    _note_probabilities()
    _create_names()
    _create_verdicts()
    op.create_table(
        "forgotten_audio",
        sa.Column("audio_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 as in audio."),
        sa.PrimaryKeyConstraint("audio_hash", name="forgotten_audio_pkey"),
        comment="Audio that was forgotten: an ingest leaves it out. The hash tells nothing of the voice.",
    )
    _keep_transcripts()
    op.drop_constraint("clip_group_id_name_key", "clip")
    op.create_unique_constraint("clip_group_id_name_audio_id_key", "clip", ["group_id", "name", "audio_id"])


def _give_numbers_a_history() -> None:
    table = "speaker_number"
    op.drop_constraint("speaker_number_speaker_id_broadcaster_key", table)
    op.drop_constraint("speaker_number_pkey", table)
    op.drop_constraint("speaker_number_operation_id_fkey", table)
    op.alter_column(table, "operation_id", new_column_name="from_operation", comment="What made it.")
    op.alter_column(table, "speaker_id", comment="Whom it leads to.")
    op.add_column(table, sa.Column("holding_id", sa.BigInteger(), sa.Identity(always=True), comment="Key of the row."))
    op.create_primary_key("speaker_number_pkey", table, ["holding_id"])
    op.add_column(
        table,
        sa.Column(
            "is_alias",
            sa.Boolean(),
            nullable=False,
            server_default=sa.text("false"),
            comment="True for a number that a merge retired: it leads to the speaker but names no folder.",
        ),
    )
    op.add_column(table, sa.Column("to_operation", sa.BigInteger(), comment="What ended it; none while it stands."))
    op.add_column(table, _origin())
    _refer_to_operations(table)
    op.create_index("speaker_number_speaker_id_idx", table, ["speaker_id"])
    place = ["broadcaster", "gender", "number"]
    op.create_index("speaker_number_all_idx", table, place)
    op.create_index("speaker_number_current_key", table, place, unique=True, postgresql_where=NOW)
    op.create_index(
        "speaker_number_current_speaker_key",
        table,
        ["speaker_id", "broadcaster"],
        unique=True,
        postgresql_where=NOW_MAIN,
    )
    op.create_table_comment(table, "Numbers of speakers at broadcasters: given once, never given to another voice.")


def _origin() -> sa.Column[int]:
    return sa.Column("origin", sa.BigInteger(), comment="The row that this one stands for again, after an undo.")


def _refer_to_operations(table: str) -> None:
    for column in ("from_operation", "to_operation"):
        op.create_foreign_key(f"{table}_{column}_fkey", table, "operation", [column], ["operation_id"])
        op.create_index(f"{table}_{column}_idx", table, [column])


def _let_copies_name_their_origin() -> None:
    op.add_column("assignment", _origin())
    for column in ("from_operation", "to_operation"):
        op.create_index(f"assignment_{column}_idx", "assignment", [column])


def _note_probabilities() -> None:
    same = "P(same voice) of its cluster and the"
    op.add_column("assignment", sa.Column("probability", sa.REAL(), comment=f"{same} speaker as it was then."))
    op.add_column("assignment", sa.Column("runner_up_probability", sa.REAL(), comment=f"{same} runner-up."))
    inverse_s = "Mean of 1 / duration, per second: large for short clips."
    op.add_column("profile", sa.Column("inverse_s", sa.REAL(), comment=inverse_s))
    op.execute(EXACT_INVERSE)
    op.alter_column("profile", "inverse_s", nullable=False)
    op.add_column(
        "registry",
        sa.Column(
            "false_merge_rate",
            sa.REAL(),
            nullable=False,
            server_default=sa.text("0.05"),
            comment="Accepted share of automatic joins that put two voices together; the one knob of linking.",
        ),
    )
    op.create_check_constraint(
        op.f("registry_false_merge_rate_check"), "registry", "false_merge_rate > 0 AND false_merge_rate < 1"
    )


def _keep_transcripts() -> None:
    kept = "The .txt file itself; none if taken in before it was kept."
    op.add_column("clip", sa.Column("txt_content", sa.LargeBinary(), comment=kept))
    op.create_table(
        "former_transcript",
        sa.Column("clip_id", sa.BigInteger(), nullable=False, comment="The clip."),
        sa.Column("to_operation", sa.BigInteger(), nullable=False, comment="What replaced it."),
        sa.Column("txt_sha256", sa.LargeBinary(), nullable=False, comment="SHA-256 of the .txt file as it was."),
        sa.Column("txt_content", sa.LargeBinary(), nullable=False, comment="The .txt file as it was."),
        sa.PrimaryKeyConstraint("clip_id", "to_operation", name="former_transcript_pkey"),
        sa.ForeignKeyConstraint(["clip_id"], ["clip.clip_id"], name="former_transcript_clip_id_fkey"),
        sa.ForeignKeyConstraint(
            ["to_operation"], ["operation.operation_id"], name="former_transcript_to_operation_fkey"
        ),
        comment="Transcripts that were replaced, for exports of what was then.",
    )


def _create_names() -> None:
    op.create_table(
        "speaker_name",
        sa.Column("naming_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Key of the row."),
        sa.Column("speaker_id", sa.BigInteger(), nullable=False, comment="The speaker."),
        sa.Column("name", sa.Text(), nullable=False, comment="What people call the speaker."),
        sa.Column("notes", sa.Text(), nullable=False, comment="Anything else to remember."),
        *_between_operations(),
        sa.PrimaryKeyConstraint("naming_id", name="speaker_name_pkey"),
        sa.ForeignKeyConstraint(["speaker_id"], ["speaker.speaker_id"], name="speaker_name_speaker_id_fkey"),
        comment="Human names of speakers.",
    )
    _refer_to_operations("speaker_name")
    op.create_index("speaker_name_current_key", "speaker_name", ["speaker_id"], unique=True, postgresql_where=NOW)


def _create_verdicts() -> None:
    op.create_table(
        "verdict",
        sa.Column(
            "verdict_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Key of the verdict."
        ),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="confirmed, rejected (a clip is not this voice), different or same (two speakers).",
        ),
        sa.Column("speaker_id", sa.BigInteger(), nullable=False, comment="The speaker it is about."),
        sa.Column(
            "subject_id",
            sa.BigInteger(),
            nullable=False,
            comment="The clip or the other speaker, 0 for none: tells verdicts of one kind apart.",
        ),
        sa.Column("clip_id", sa.BigInteger(), comment="The clip it is about, if any."),
        sa.Column("other_id", sa.BigInteger(), comment="The other speaker it is about, if any."),
        *_between_operations(),
        sa.PrimaryKeyConstraint("verdict_id", name="verdict_pkey"),
        sa.ForeignKeyConstraint(["speaker_id"], ["speaker.speaker_id"], name="verdict_speaker_id_fkey"),
        sa.ForeignKeyConstraint(["other_id"], ["speaker.speaker_id"], name="verdict_other_id_fkey"),
        sa.ForeignKeyConstraint(["clip_id"], ["clip.clip_id"], name="verdict_clip_id_fkey"),
        sa.CheckConstraint("kind IN ('confirmed', 'rejected', 'different', 'same')", name=op.f("verdict_kind_check")),
        comment="What people decided; every automatic step honours it.",
    )
    _refer_to_operations("verdict")
    key = ["kind", "speaker_id", "subject_id"]
    op.create_index("verdict_current_key", "verdict", key, unique=True, postgresql_where=NOW)
    op.create_index("verdict_clip_idx", "verdict", ["clip_id"])
    op.create_index("verdict_other_idx", "verdict", ["other_id"])


def _between_operations() -> tuple[sa.Column[int], ...]:
    return (
        sa.Column("from_operation", sa.BigInteger(), nullable=False, comment="What made it."),
        sa.Column("to_operation", sa.BigInteger(), comment="What ended it; none while it stands."),
        _origin(),
    )
