"""A registry may hold embeddings of a second model and move over to it, and back.

A doubtful clip has a speaker but no part in its profile. The false-merge rate counts all joins, of which it was the
share more exactly at two fifths of what it was called: what is set is called anew and decides as before. A night adds
to the profiles of those it gives clips, so sums are kept in double precision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STANDS = "to_operation IS NULL"
PROFILE_SUMS = {
    "duration_s": "How many seconds they last.",
    "inverse_s": "Mean of 1 / duration, per second: large for short clips.",
}
INDEXES = {  # name -> table, what of it
    "assignment_clip_idx": ("assignment", "clip_id"),
    "speaker_number_label_idx": (
        "speaker_number",
        "(gender::text || lpad(number::text, GREATEST(4, length(number::text)), '0'::text))",
    ),
    "clip_input_folder_idx": ("clip", "regexp_replace(wav_path, '/[^/]*/[^/]*$'::text, ''::text)"),
}


def upgrade() -> None:
    table = "model_role"
    op.create_table(
        table,
        sa.Column("role_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Key of the row."),
        sa.Column("model_id", sa.SmallInteger(), nullable=False, comment="The model."),
        sa.Column(
            "role",
            sa.Text(),
            nullable=False,
            comment="deciding: its embeddings decide who is who; beside: they are kept up beside those.",
        ),
        sa.Column("from_operation", sa.BigInteger(), nullable=False, comment="What made it."),
        sa.Column("to_operation", sa.BigInteger(), comment="What ended it; none while it stands."),
        sa.Column("origin", sa.BigInteger(), comment="The row that this one stands for again, after an undo."),
        sa.PrimaryKeyConstraint("role_id", name="model_role_pkey"),
        sa.ForeignKeyConstraint(["model_id"], ["embedding_model.model_id"], name="model_role_model_id_fkey"),
        sa.CheckConstraint("role IN ('deciding', 'beside')", name=op.f("model_role_role_check")),
        comment="What models other than the first are for; without a deciding one here, the registry's first decides.",
    )
    for column in ("from_operation", "to_operation"):
        op.create_foreign_key(f"{table}_{column}_fkey", table, "operation", [column], ["operation_id"])
        op.create_index(f"{table}_{column}_idx", table, [column])
    stands = sa.text(STANDS)
    op.create_index("model_role_current_key", table, ["model_id"], unique=True, postgresql_where=stands)
    deciding = sa.text(f"{STANDS} AND role = 'deciding'")
    op.create_index("model_role_deciding_key", table, ["role"], unique=True, postgresql_where=deciding)
    op.alter_column("registry", "model_id", comment="The model that it began with; see model_role.")
    op.execute("UPDATE registry SET false_merge_rate = false_merge_rate * 0.4")
    op.alter_column("registry", "false_merge_rate", server_default=sa.text("0.02"))
    builds = "Whether the clip is part of its speaker's profile: long, clear and certain enough."
    op.add_column(
        "assignment",
        sa.Column("builds_profile", sa.Boolean(), nullable=False, server_default=sa.text("true"), comment=builds),
    )
    for column, comment in PROFILE_SUMS.items():
        op.alter_column("profile", column, type_=sa.Double(), existing_nullable=False, existing_comment=comment)
    sums = "How many audios and the sum of their unit vectors, once nights have added to the mean."
    op.add_column("profile", sa.Column("sums", sa.ARRAY(sa.Double()), comment=sums))
    for name, (of_table, expression) in INDEXES.items():
        op.create_index(name, of_table, [sa.text(expression)])
