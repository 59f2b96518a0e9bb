"""What a telephone line does to embeddings can be told apart from the voice: every recording's narrowness is kept.

Of those that came at 8 kHz or less it is known. Of the others it is not, until they are measured from their files.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# A profile is the mean over its speaker's different audios; doubtful clips count only where there are no others.
MEANS = """
    UPDATE profile SET narrowness = found.narrowness
    FROM (SELECT speaker_id, model_id, avg(coalesce(narrowness, 0) ORDER BY audio_hash) AS narrowness
          FROM (SELECT a.speaker_id, c.audio_id, bool_or(a.builds_profile) AS builds,
                       bool_or(bool_or(a.builds_profile)) OVER (PARTITION BY a.speaker_id) AS any_builds
                FROM assignment a JOIN clip c USING (clip_id)
                WHERE a.to_operation IS NULL GROUP BY a.speaker_id, c.audio_id) member
          JOIN audio USING (audio_id) JOIN embedding USING (audio_id)
          WHERE builds OR NOT any_builds
          GROUP BY speaker_id, model_id HAVING bool_or(narrowness <> 0)) found
    WHERE profile.speaker_id = found.speaker_id AND profile.model_id = found.model_id
"""


def upgrade() -> None:
    of_audio = "0 heard as in a studio, 1 as over a telephone; none if an earlier version embedded it, taken for 0."
    of_profile = "Mean of the audios' narrowness: 0 studio, 1 telephone."
    op.add_column("audio", sa.Column("narrowness", sa.REAL(), comment=of_audio))
    op.add_column(
        "profile",
        sa.Column("narrowness", sa.Double(), nullable=False, server_default=sa.text("0"), comment=of_profile),
    )
    if op.get_bind().execute(sa.text("UPDATE audio SET narrowness = 1 WHERE sample_rate_hz <= 8000")).rowcount:
        op.execute(MEANS)
    op.execute("DELETE FROM judgement")  # all clips are judged again, by the rule that comes with narrowness
