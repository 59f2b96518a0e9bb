"""A registry has an identity, and every clip a probability that is kept up.

An exported tree names the registry that wrote it, so that no other one empties it. What `assignment.probability` says
is of the night that decided, and none of a speaker's first clips have it: `certainty` holds P(its speaker) of every
clip as things stand now. Names and transcripts have one form each, Unicode's NFC: a station written in another was two.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "identity",
        sa.Column("only_row", sa.Boolean(), nullable=False, comment="Always true."),
        sa.Column(
            "registry_id",
            sa.Uuid(),
            server_default=sa.text("gen_random_uuid()"),
            nullable=False,
            comment="Tells this registry, and its restored backups, from every other.",
        ),
        sa.Column(
            "made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False, comment="When."
        ),
        sa.Column(
            "views",
            sa.Text(),
            nullable=True,
            comment="How views and functions were put in place: hashes of their script and of them.",
        ),
        sa.CheckConstraint("only_row", name=op.f("identity_only_row_check")),
        sa.PrimaryKeyConstraint("only_row", name=op.f("identity_pkey")),
        comment="Which registry this is; one row, written when the tables were made.",
    )
    op.execute("INSERT INTO identity (only_row) VALUES (true)")
    op.create_table(
        "certainty",
        sa.Column("clip_id", sa.BigInteger(), nullable=False, comment="The clip."),
        sa.Column(
            "probability",
            sa.REAL(),
            nullable=False,
            comment="P(its speaker's voice), when the speaker was last judged.",
        ),
        sa.ForeignKeyConstraint(["clip_id"], ["clip.clip_id"], name=op.f("certainty_clip_id_fkey"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("clip_id", name=op.f("certainty_pkey")),
        comment="How sure it is that a clip is its speaker's; kept up as the speaker grows by a tenth or loses clips.",
    )
    op.create_table(
        "judgement",
        sa.Column("speaker_id", sa.BigInteger(), nullable=False, comment="The speaker."),
        sa.Column("audios", sa.Integer(), nullable=False, comment="How many audios its profile was the mean of then."),
        sa.ForeignKeyConstraint(
            ["speaker_id"], ["speaker.speaker_id"], name=op.f("judgement_speaker_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("speaker_id", name=op.f("judgement_pkey")),
        comment="When the certainty of all of a speaker's clips was last computed; none if it has to be.",
    )
    _give_texts_one_form()


def _give_texts_one_form() -> None:
    """Bring names and transcripts to NFC; a name whose NFC is another one's stays, so that no two become one."""
    connection = op.get_bind()
    if connection.exec_driver_sql("SHOW server_encoding").scalar_one() != "UTF8":
        return  # there are no such letters
    forms = """
        SELECT min(broadcaster) FROM (SELECT broadcaster FROM clip_group UNION SELECT broadcaster FROM speaker_number) b
        GROUP BY normalize(broadcaster, NFC)
        HAVING count(*) = 1 AND min(broadcaster) IS NOT NFC NORMALIZED
    """
    former = list(connection.exec_driver_sql(forms).scalars())
    for table in ("clip_group", "speaker_number", "speaker_total"):
        update = f"UPDATE {table} SET broadcaster = normalize(broadcaster, NFC) WHERE broadcaster = ANY(%(former)s)"  # noqa: S608
        connection.exec_driver_sql(update, {"former": former})
    connection.exec_driver_sql("""
        UPDATE clip SET name = normalize(name, NFC) WHERE name IS NOT NFC NORMALIZED AND NOT EXISTS (
            SELECT FROM clip other WHERE other.group_id = clip.group_id AND other.name <> clip.name
            AND normalize(other.name, NFC) = normalize(clip.name, NFC))
    """)
    _read_utf_16()
    connection.exec_driver_sql(
        "UPDATE clip SET transcript = normalize(transcript, NFC) WHERE transcript IS NOT NFC NORMALIZED"
    )


def _read_utf_16() -> None:
    """Read again what was taken for Latin-1 with every other letter missing."""
    connection = op.get_bind()
    marked = r"SELECT clip_id, txt_content FROM clip WHERE substr(txt_content, 1, 2) IN ('\xfffe', '\xfeff')"
    read = [
        {"clip_id": clip_id, "transcript": bytes(content).decode("utf-16", "replace").replace("\0", "").strip()}
        for clip_id, content in connection.exec_driver_sql(marked)
    ]
    if read:
        connection.execute(sa.text("UPDATE clip SET transcript = :transcript WHERE clip_id = :clip_id"), read)
