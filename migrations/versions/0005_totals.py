"""What each speaker's clips add up to is kept, by night and by broadcaster.

A question about all speakers, such as the longest heard, added up all clips for it: a minute in a million of them. The
totals are kept by triggers on `assignment`, so that they are right whatever writes there.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NIGHTS = """
    INSERT INTO speaker_night (speaker_id, group_id, clips, duration_s)
    SELECT a.speaker_id, c.group_id, count(*), sum(CAST(au.duration_s AS float8))
    FROM assignment a JOIN clip c USING (clip_id) JOIN audio au USING (audio_id)
    WHERE a.to_operation IS NULL GROUP BY a.speaker_id, c.group_id
"""
TOTALS = """
    INSERT INTO speaker_total (speaker_id, broadcaster, clips, duration_s, nights, first_night, last_night)
    SELECT n.speaker_id, g.broadcaster, sum(n.clips), sum(n.duration_s),
           count(DISTINCT g.date), min(g.date), max(g.date)
    FROM speaker_night n JOIN clip_group g USING (group_id)
    {condition} GROUP BY n.speaker_id, g.broadcaster
"""
# Seconds come as single precision and are added up in double: exact in any order, up to 37,000 hours of a voice.
KEEP_TOTALS = f"""
    CREATE FUNCTION keep_totals() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        touched bigint[];
    BEGIN
        EXECUTE format(
            'WITH counted AS (
                 INSERT INTO speaker_night AS night (speaker_id, group_id, clips, duration_s)
                 SELECT a.speaker_id, c.group_id, sum(a.sign), sum(a.sign * CAST(au.duration_s AS float8))
                 FROM (%s) a JOIN clip c USING (clip_id) JOIN audio au USING (audio_id)
                 WHERE a.to_operation IS NULL
                 GROUP BY a.speaker_id, c.group_id
                 HAVING sum(a.sign) <> 0 OR sum(a.sign * CAST(au.duration_s AS float8)) <> 0
                 ON CONFLICT (speaker_id, group_id) DO UPDATE
                     SET clips = night.clips + EXCLUDED.clips, duration_s = night.duration_s + EXCLUDED.duration_s
                 RETURNING speaker_id)
             SELECT array_agg(DISTINCT speaker_id) FROM counted', TG_ARGV[0]) INTO touched;
        IF touched IS NOT NULL THEN
            DELETE FROM speaker_night WHERE speaker_id = ANY(touched) AND clips = 0;
            DELETE FROM speaker_total WHERE speaker_id = ANY(touched);
            {TOTALS.format(condition="WHERE n.speaker_id = ANY(touched)")};
        END IF;
        RETURN NULL;
    END $$
"""  # noqa: S608 - a constant of this module
TRIGGERS = {  # event -> rows before and after it, what to count of them
    "INSERT": ("NEW TABLE AS opened", "SELECT *, 1 AS sign FROM opened"),
    "UPDATE": (
        "OLD TABLE AS closed NEW TABLE AS opened",
        "SELECT *, 1 AS sign FROM opened UNION ALL SELECT *, -1 FROM closed",
    ),
    "DELETE": ("OLD TABLE AS closed", "SELECT *, -1 AS sign FROM closed"),
}


def upgrade() -> None:
    op.create_table(
        "speaker_night",
        sa.Column("speaker_id", sa.BigInteger(), nullable=False, comment="The speaker."),
        sa.Column("group_id", sa.BigInteger(), nullable=False, comment="The group of the night."),
        sa.Column("clips", sa.BigInteger(), nullable=False, comment="Clips of the speaker in it now."),
        sa.Column("duration_s", sa.Double(), nullable=False, comment="How many seconds they last."),
        sa.PrimaryKeyConstraint("speaker_id", "group_id", name=op.f("speaker_night_pkey")),
        sa.ForeignKeyConstraint(["speaker_id"], ["speaker.speaker_id"], name=op.f("speaker_night_speaker_id_fkey")),
        sa.ForeignKeyConstraint(["group_id"], ["clip_group.group_id"], name=op.f("speaker_night_group_id_fkey")),
        comment="What a speaker's clips of a night add up to; kept by triggers on assignment.",
    )
    op.create_table(
        "speaker_total",
        sa.Column("speaker_id", sa.BigInteger(), nullable=False, comment="The speaker."),
        sa.Column("broadcaster", sa.Text(), nullable=False, comment="Where it was heard."),
        sa.Column("clips", sa.BigInteger(), nullable=False, comment="Clips of the speaker there now."),
        sa.Column("duration_s", sa.Double(), nullable=False, comment="How many seconds they last."),
        sa.Column("nights", sa.BigInteger(), nullable=False, comment="On how many nights it was heard there."),
        sa.Column("first_night", sa.Date(), nullable=False, comment="The earliest of them."),
        sa.Column("last_night", sa.Date(), nullable=False, comment="The latest of them."),
        sa.PrimaryKeyConstraint("speaker_id", "broadcaster", name=op.f("speaker_total_pkey")),
        sa.ForeignKeyConstraint(["speaker_id"], ["speaker.speaker_id"], name=op.f("speaker_total_speaker_id_fkey")),
        comment="What a speaker's nights at a broadcaster add up to; kept with them.",
    )
    op.execute(NIGHTS)
    op.create_index(op.f("speaker_night_group_id_idx"), "speaker_night", ["group_id"])
    op.execute(TOTALS.format(condition=""))
    op.execute(KEEP_TOTALS)
    op.execute("COMMENT ON FUNCTION keep_totals() IS 'Keeps speaker_night and speaker_total equal to the clips.'")
    for event, (rows, counted) in TRIGGERS.items():
        op.execute(f"""
            CREATE TRIGGER keep_totals_on_{event.lower()} AFTER {event} ON assignment
            REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION keep_totals('{counted}')
        """)
