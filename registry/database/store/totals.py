"""Queries for what the tables `speaker_night` and `speaker_total` must hold, which triggers on `assignment` keep up."""

# The rows of `speaker_night`.
NIGHTS = """
    SELECT a.speaker_id, c.group_id, count(*) AS clips, sum(CAST(au.duration_s AS float8)) AS duration_s
    FROM assignment a JOIN clip c USING (clip_id) JOIN audio au USING (audio_id)
    WHERE a.to_operation IS NULL GROUP BY a.speaker_id, c.group_id
"""
# The rows of `speaker_total`, computed from the rows of `speaker_night`.
TOTALS = """
    SELECT n.speaker_id, g.broadcaster, sum(n.clips) AS clips, sum(n.duration_s) AS duration_s,
           count(DISTINCT g.date) AS nights, min(g.date) AS first_night, max(g.date) AS last_night
    FROM speaker_night n JOIN clip_group g USING (group_id) GROUP BY n.speaker_id, g.broadcaster
"""
