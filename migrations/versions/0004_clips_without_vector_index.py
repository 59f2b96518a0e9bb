"""Clips have no vector index: the speakers, which have one, are the way to them.

Finding a vector's place in an index of all clips took 7 ms in a million of them, most of what a night cost there.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    model_ids = op.get_bind().execute(sa.text("SELECT model_id FROM embedding_model ORDER BY model_id")).scalars()
    for model_id in model_ids.all():
        op.execute(f"DROP INDEX IF EXISTS embedding_model_{model_id}_hnsw")
