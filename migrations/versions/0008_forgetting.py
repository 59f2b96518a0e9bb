"""What was forgotten can be proved gone: no undo touches it, nothing on its list is held.

Operations name the forgetting that erased what they changed, and cannot be undone from then on. The list of forgotten
audio held sounds that a newer night was allowed to keep, and vectors stored by an ingest that had begun before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "operation",
        sa.Column(
            "erased_by",
            sa.BigInteger(),
            nullable=True,
            comment="The forgetting that erased what it changed, so that it cannot be undone; none if none did.",
        ),
    )
    op.create_foreign_key(op.f("operation_erased_by_fkey"), "operation", "operation", ["erased_by"], ["operation_id"])
    op.add_column(
        "identity",
        sa.Column(
            "vacuum_owed",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="Whether bytes of what was forgotten may still be in the database's files.",
        ),
    )
    op.execute("UPDATE identity SET vacuum_owed = true WHERE EXISTS (SELECT FROM operation WHERE kind = 'forget')")
    _keep_what_newer_nights_hold()
    _erase_vectors_left_over()


def _keep_what_newer_nights_hold() -> None:
    """Take sounds off the list whose clips were there before the last forgetting and stayed."""
    op.execute("""
        DELETE FROM forgotten_audio f USING audio a, clip c
        WHERE a.audio_hash = f.audio_hash AND c.audio_id = a.audio_id
          AND c.operation_id < (SELECT max(operation_id) FROM operation WHERE kind = 'forget')
    """)


def _erase_vectors_left_over() -> None:
    """Erase what an ingest stored of a forgotten sound that no clip came to carry."""
    unheld = """
        SELECT audio_id FROM audio JOIN forgotten_audio USING (audio_hash)
        WHERE NOT EXISTS (SELECT FROM clip WHERE clip.audio_id = audio.audio_id)
    """
    op.execute(f"DELETE FROM embedding WHERE audio_id IN ({unheld})")  # noqa: S608 - a constant of this function
    op.execute(f"DELETE FROM audio WHERE audio_id IN ({unheld})")  # noqa: S608
