"""Constants of linking may be measured for a model: those that ship were set for one model's embeddings.

Where none were measured, those that ship hold, as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLE = "calibration"
CONSTANTS = {
    "other_gender_offset": "From cosines of both genders, times a factor, to those of strangers of one.",
    "other_gender_spread": "Standard deviation of a clip's cosines with the other gender's.",
    "stranger_variance": "Variance of the cosines of two clips of strangers, were these 0 on average.",
    "base_noise": "Noise-to-voice power of a very long clip.",
    "stranger": "Mean cosine of strangers heard as in a studio.",
    "stranger_by_telephone": "Mean cosine of strangers heard over a telephone.",
}


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column(
            "calibration_id", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="Key of the row."
        ),
        sa.Column("model_id", sa.SmallInteger(), nullable=False, comment="The model."),
        *(sa.Column(name, sa.Double(), nullable=False, comment=comment) for name, comment in CONSTANTS.items()),
        sa.Column("from_operation", sa.BigInteger(), nullable=False, comment="What made it."),
        sa.Column("to_operation", sa.BigInteger(), comment="What ended it; none while it stands."),
        sa.Column("origin", sa.BigInteger(), comment="The row that this one stands for again, after an undo."),
        sa.PrimaryKeyConstraint("calibration_id", name="calibration_pkey"),
        sa.ForeignKeyConstraint(["model_id"], ["embedding_model.model_id"], name="calibration_model_id_fkey"),
        sa.CheckConstraint(
            "other_gender_spread > 0 AND stranger_variance > 0 AND base_noise > 0",
            name=op.f("calibration_positive_check"),
        ),
        sa.CheckConstraint("stranger < 1 AND stranger_by_telephone < 1", name=op.f("calibration_cosines_check")),
        comment="Constants of linking measured for a model on labelled clips; without a row the package's own hold.",
    )
    for column in ("from_operation", "to_operation"):
        op.create_foreign_key(f"{TABLE}_{column}_fkey", TABLE, "operation", [column], ["operation_id"])
        op.create_index(f"{TABLE}_{column}_idx", TABLE, [column])
    stands = sa.text("to_operation IS NULL")
    op.create_index("calibration_current_key", TABLE, ["model_id"], unique=True, postgresql_where=stands)
