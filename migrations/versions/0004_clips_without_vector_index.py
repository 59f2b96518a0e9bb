"""Clips have no vector index: the speakers, which have one, are the way to them.

Finding a vector's place in an index of all clips took 7 ms in a million of them, most of what a night cost there.
"""

from importlib.resources import files
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for model_id, _ in _models():
        op.execute(f"DROP INDEX IF EXISTS embedding_model_{model_id}_hnsw")


def downgrade() -> None:
    for model_id, dimension in _models():
        op.execute(
            f"CREATE INDEX embedding_model_{model_id}_hnsw ON embedding"
            f" USING hnsw ((vector::halfvec({dimension})) halfvec_cosine_ops) WHERE model_id = {model_id}"
        )
    script = files("migrations").joinpath("views_0003.sql").read_text(encoding="utf-8")
    driver: Any = op.get_bind().connection.driver_connection  # SQLAlchemy would look for placeholders in it
    driver.execute(script)


def _models() -> list[tuple[int, int]]:
    rows = op.get_bind().execute(sa.text("SELECT model_id, dimension FROM embedding_model ORDER BY model_id"))
    return [(int(model_id), int(dimension)) for model_id, dimension in rows]
