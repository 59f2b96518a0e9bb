-- What users query: the documented views and functions. Every command makes them anew where another version of this
-- script made them, and every command that writes does so where somebody changed them.
-- Columns are only ever added, at the end. What a body in quotes says is looked up when it runs: by whoever that may be,
-- only where our own sessions look.

CREATE OR REPLACE FUNCTION number_label(gender text, number integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN gender || lpad(number::text, greatest(4, length(number::text)), '0');

COMMENT ON FUNCTION number_label(text, integer) IS 'A number as folders show it: F, 1 gives F0001.';


CREATE OR REPLACE FUNCTION deciding_model() RETURNS smallint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(
    (SELECT model_id FROM model_role WHERE role = 'deciding' AND to_operation IS NULL), (SELECT model_id FROM registry));

COMMENT ON FUNCTION deciding_model() IS 'Key of the embedding model that decides who is who.';


CREATE OR REPLACE VIEW speaker_nights AS
SELECT
    t.speaker_id,
    g.broadcaster,
    number_label(n.gender, n.number) AS number,
    g.gender::text AS gender,
    g.date,
    t.clips,
    t.duration_s::real AS duration_s
FROM speaker_night t
JOIN clip_group g USING (group_id)
JOIN speaker_number n ON n.speaker_id = t.speaker_id AND n.broadcaster = g.broadcaster
    AND n.to_operation IS NULL AND NOT n.is_alias;

COMMENT ON VIEW speaker_nights IS 'Who was heard when: one row for every speaker, broadcaster and night.';
COMMENT ON COLUMN speaker_nights.speaker_id IS 'Key of the speaker, the same at every broadcaster.';
COMMENT ON COLUMN speaker_nights.broadcaster IS 'Where the speaker was heard.';
COMMENT ON COLUMN speaker_nights.number IS 'The speaker''s number at this broadcaster, as in the folder: F0001.';
COMMENT ON COLUMN speaker_nights.gender IS 'F or M.';
COMMENT ON COLUMN speaker_nights.date IS 'The night.';
COMMENT ON COLUMN speaker_nights.clips IS 'Clips of the speaker that night.';
COMMENT ON COLUMN speaker_nights.duration_s IS 'Seconds of the speaker that night.';


CREATE OR REPLACE VIEW speakers AS
SELECT
    n.speaker_id,
    n.broadcaster,
    number_label(n.gender, n.number) AS number,
    n.gender::text AS gender,
    coalesce(heard.clips, 0) AS clips,
    coalesce(heard.duration_s, 0)::real AS duration_s,
    coalesce(heard.nights, 0) AS nights,
    heard.first_night,
    heard.last_night,
    named.name,
    named.notes,
    named.speaker_id IS NULL
    AND NOT EXISTS (SELECT FROM verdict v WHERE v.speaker_id = n.speaker_id AND v.to_operation IS NULL)
    AND coalesce(p.audios < 3 OR p.duration_s < 8, true) AS is_provisional
FROM speaker_number n
LEFT JOIN profile p ON p.speaker_id = n.speaker_id AND p.model_id = deciding_model()
LEFT JOIN speaker_name named ON named.speaker_id = n.speaker_id AND named.to_operation IS NULL
LEFT JOIN speaker_total heard ON heard.speaker_id = n.speaker_id AND heard.broadcaster = n.broadcaster
WHERE n.to_operation IS NULL AND NOT n.is_alias;

COMMENT ON VIEW speakers IS 'One row for every numbered folder: a speaker heard by two broadcasters has a row at each.';
COMMENT ON COLUMN speakers.speaker_id IS 'Key of the speaker, the same at every broadcaster.';
COMMENT ON COLUMN speakers.broadcaster IS 'The broadcaster that the number counts at.';
COMMENT ON COLUMN speakers.number IS 'The speaker''s number there, as in the folder: F0001.';
COMMENT ON COLUMN speakers.gender IS 'F or M.';
COMMENT ON COLUMN speakers.clips IS 'Clips of the speaker at this broadcaster.';
COMMENT ON COLUMN speakers.duration_s IS 'Seconds of the speaker at this broadcaster.';
COMMENT ON COLUMN speakers.nights IS 'Nights on which the speaker was heard there.';
COMMENT ON COLUMN speakers.first_night IS 'The earliest of them.';
COMMENT ON COLUMN speakers.last_night IS 'The latest of them.';
COMMENT ON COLUMN speakers.name IS 'What people call the speaker.';
COMMENT ON COLUMN speakers.notes IS 'What people noted about the speaker.';
COMMENT ON COLUMN speakers.is_provisional IS
'Little evidence, less than 3 recordings or 8 s in all, and no person said who it is: a later night may find it to be another.';


CREATE OR REPLACE VIEW aliases AS
SELECT
    alias.broadcaster,
    number_label(alias.gender, alias.number) AS alias,
    number_label(n.gender, n.number) AS number,
    alias.speaker_id,
    alias.from_operation AS operation_id
FROM speaker_number alias
JOIN speaker_number n ON n.speaker_id = alias.speaker_id AND n.broadcaster = alias.broadcaster
    AND n.to_operation IS NULL AND NOT n.is_alias
WHERE alias.to_operation IS NULL AND alias.is_alias;

COMMENT ON VIEW aliases IS 'Numbers that a merge retired: one row for every number that now leads to another.';
COMMENT ON COLUMN aliases.broadcaster IS 'The broadcaster that both numbers count at.';
COMMENT ON COLUMN aliases.alias IS 'The number that is retired: F0007.';
COMMENT ON COLUMN aliases.number IS 'The number it leads to: F0003.';
COMMENT ON COLUMN aliases.speaker_id IS 'Key of the speaker.';
COMMENT ON COLUMN aliases.operation_id IS 'The operation that retired it.';


CREATE OR REPLACE VIEW assignment_history AS
SELECT
    a.clip_id,
    g.broadcaster,
    g.date,
    g.gender::text AS gender,
    c.name,
    a.speaker_id,
    a.reason,
    a.score,
    a.runner_up_id,
    a.runner_up_score,
    a.from_operation,
    opened.at AS from_time,
    opened.user_name,
    a.to_operation,
    closed.at AS to_time
FROM assignment a
JOIN clip c USING (clip_id)
JOIN clip_group g USING (group_id)
JOIN operation opened ON opened.operation_id = a.from_operation
LEFT JOIN operation closed ON closed.operation_id = a.to_operation;

COMMENT ON VIEW assignment_history IS 'Who each clip was held to be, from which operation to which.';
COMMENT ON COLUMN assignment_history.clip_id IS 'Key of the clip.';
COMMENT ON COLUMN assignment_history.broadcaster IS 'Who was recorded.';
COMMENT ON COLUMN assignment_history.date IS 'The night of the recording.';
COMMENT ON COLUMN assignment_history.gender IS 'F or M, as the input folder says.';
COMMENT ON COLUMN assignment_history.name IS 'File name of the clip without its ending.';
COMMENT ON COLUMN assignment_history.speaker_id IS 'Key of the speaker.';
COMMENT ON COLUMN assignment_history.reason IS 'Why: new, matched, same-audio, merged, moved, split, ...';
COMMENT ON COLUMN assignment_history.score IS 'Mean cosine of its cluster to the speaker; none where nothing was compared.';
COMMENT ON COLUMN assignment_history.runner_up_id IS 'The next best speaker, if there was one.';
COMMENT ON COLUMN assignment_history.runner_up_score IS 'Mean cosine of its cluster to the runner-up.';
COMMENT ON COLUMN assignment_history.from_operation IS 'The operation that made the assignment.';
COMMENT ON COLUMN assignment_history.from_time IS 'When that was.';
COMMENT ON COLUMN assignment_history.user_name IS 'Who ran it.';
COMMENT ON COLUMN assignment_history.to_operation IS 'The operation that ended it; none while it stands.';
COMMENT ON COLUMN assignment_history.to_time IS 'When that was.';


CREATE OR REPLACE VIEW clips AS
SELECT
    c.clip_id,
    g.broadcaster,
    g.date,
    g.gender::text AS gender,
    c.name,
    a.speaker_id,
    number_label(n.gender, n.number) AS number,
    au.duration_s,
    c.transcript,
    a.score,
    a.reason,
    a.runner_up_id,
    a.runner_up_score,
    c.wav_path,
    c.txt_path,
    au.sample_rate_hz,
    au.channels,
    encode(au.audio_hash, 'hex') AS audio_hash,
    a.from_operation AS operation_id,
    named.name AS speaker_name,
    a.probability,
    a.runner_up_probability,
    ct.probability AS probability_now,
    -- Running numbers count through the group by speaker number, then by name: whole speakers from what is kept of
    -- their nights, and the clips of this one.
    format('%1$s/%1$s-%2$s/%1$s%2$s_%3$s%4$s',
           g.broadcaster || to_char(g.date, 'YYYYMMDD'), number_label(n.gender, n.number), replace(format('%6s',
        (SELECT coalesce(sum(lower_night.clips), 0) FROM speaker_night lower_night
         JOIN speaker_number lower_number ON lower_number.speaker_id = lower_night.speaker_id
             AND lower_number.broadcaster = g.broadcaster
             AND lower_number.to_operation IS NULL AND NOT lower_number.is_alias
         WHERE lower_night.group_id = g.group_id AND lower_number.number < n.number)
        + (SELECT count(*) FROM clip earlier
           JOIN assignment theirs ON theirs.clip_id = earlier.clip_id AND theirs.to_operation IS NULL
           WHERE earlier.group_id = g.group_id AND theirs.speaker_id = a.speaker_id
               AND earlier.name COLLATE "C" < c.name COLLATE "C")), ' ', '0'),
           lower(substring(c.wav_path from '\.[^./]*$'))) AS exported_as
FROM clip c
JOIN clip_group g USING (group_id)
JOIN audio au USING (audio_id)
LEFT JOIN certainty ct USING (clip_id)
JOIN assignment a ON a.clip_id = c.clip_id AND a.to_operation IS NULL
JOIN speaker_number n ON n.speaker_id = a.speaker_id AND n.broadcaster = g.broadcaster
    AND n.to_operation IS NULL AND NOT n.is_alias
LEFT JOIN speaker_name named ON named.speaker_id = a.speaker_id AND named.to_operation IS NULL;

COMMENT ON VIEW clips IS 'One row for every clip, with its speaker and why.';
COMMENT ON COLUMN clips.clip_id IS 'Key of the clip.';
COMMENT ON COLUMN clips.broadcaster IS 'Who was recorded.';
COMMENT ON COLUMN clips.date IS 'The night of the recording.';
COMMENT ON COLUMN clips.gender IS 'F or M, as the input folder says.';
COMMENT ON COLUMN clips.name IS 'File name without its ending.';
COMMENT ON COLUMN clips.speaker_id IS 'Key of the speaker, the same at every broadcaster.';
COMMENT ON COLUMN clips.number IS 'The speaker''s number at this broadcaster, as in the folder: F0001.';
COMMENT ON COLUMN clips.duration_s IS 'Length in seconds.';
COMMENT ON COLUMN clips.transcript IS 'What the .txt says.';
COMMENT ON COLUMN clips.score IS 'Mean cosine of its cluster to the speaker; none where nothing was compared.';
COMMENT ON COLUMN clips.reason IS 'Why this speaker: new, matched, same-audio, merged, moved, split, ...';
COMMENT ON COLUMN clips.runner_up_id IS 'The next best speaker, if there was one.';
COMMENT ON COLUMN clips.runner_up_score IS 'Mean cosine of its cluster to the runner-up.';
COMMENT ON COLUMN clips.wav_path IS 'Where the .wav was last seen.';
COMMENT ON COLUMN clips.txt_path IS 'Where the .txt was last seen.';
COMMENT ON COLUMN clips.sample_rate_hz IS 'Samples a second, as it came.';
COMMENT ON COLUMN clips.channels IS 'Channels, as it came.';
COMMENT ON COLUMN clips.audio_hash IS 'SHA-256 of the decoded audio, hex: the same audio has the same hash anywhere.';
COMMENT ON COLUMN clips.operation_id IS 'The operation that gave it this speaker.';
COMMENT ON COLUMN clips.probability IS 'P(same voice) of its cluster and the speaker as it was then.';
COMMENT ON COLUMN clips.runner_up_probability IS 'P(same voice) of its cluster and the runner-up.';
COMMENT ON COLUMN clips.speaker_name IS 'What people call the speaker.';
COMMENT ON COLUMN clips.probability_now IS
'P(same voice) of the clip and the rest of its speaker; of a lone recording, that it is nobody else''s. Computed again when the speaker loses clips or has grown by a tenth.';
COMMENT ON COLUMN clips.exported_as IS 'Where an export of everything puts the clip''s audio, below OUTDIR.';


-- Both are planned for the registry's own model and its dimension, so that the vector index of its profiles serves.
-- Voices lie far apart in all directions, so the index is searched widely: by the default, 40, it misses a third of the
-- nearest among 50,000. What it gives is sorted again, since it compares rounded vectors. The search's settings are made
-- inside, since only a superuser may name them to CREATE FUNCTION, and a backup is restored by an ordinary role.
CREATE OR REPLACE FUNCTION similar_speakers(speaker bigint, k integer DEFAULT 10)
RETURNS TABLE (speaker_id bigint, numbers text, gender text, similarity real)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT
AS $$
DECLARE
    model embedding_model;
    sought vector := '[1]';  -- loads pgvector, whose settings mean nothing before
    iterative_scan text := current_setting('hnsw.iterative_scan', true);
    ef_search text := current_setting('hnsw.ef_search', true);
BEGIN
    SELECT m.* INTO model FROM embedding_model m WHERE m.model_id = deciding_model();
    SELECT p.mean INTO sought FROM profile p WHERE p.speaker_id = speaker AND p.model_id = model.model_id;
    IF sought IS NULL THEN
        RETURN;
    END IF;
    PERFORM set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', '400', true);
    RETURN QUERY EXECUTE format(
        'WITH near AS MATERIALIZED (
             SELECT p.speaker_id, p.mean::halfvec(%1$s) <=> $1::halfvec(%1$s) AS distance
             FROM profile p WHERE p.model_id = %2$s AND p.speaker_id <> $2
             ORDER BY p.mean::halfvec(%1$s) <=> $1::halfvec(%1$s) LIMIT $3)
         SELECT near.speaker_id,
                (SELECT string_agg(n.broadcaster || '' '' || number_label(n.gender, n.number), '', ''
                                   ORDER BY n.broadcaster)
                 FROM speaker_number n
                 WHERE n.speaker_id = near.speaker_id AND n.to_operation IS NULL AND NOT n.is_alias),
                s.gender::text, (1 - near.distance)::real
         FROM near JOIN speaker s USING (speaker_id) ORDER BY (1 - near.distance)::real DESC, near.speaker_id',
        model.dimension, model.model_id) USING sought, speaker, k;
    PERFORM set_config('hnsw.iterative_scan', iterative_scan, true), set_config('hnsw.ef_search', ef_search, true);
END $$;

COMMENT ON FUNCTION similar_speakers(bigint, integer) IS
'The k speakers whose profiles are nearest to a speaker''s, nearest first, with the cosine of the two.';


-- Speakers are the cells of an inverted file: clips of the speakers that are nearest, and of these the nearest. So a
-- clip costs nothing to keep; a vector index of all clips would cost a night the more, the larger the registry is.
CREATE OR REPLACE FUNCTION similar_clips(clip bigint, k integer DEFAULT 10)
RETURNS TABLE (clip_id bigint, speaker_id bigint, similarity real)
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT
AS $$
DECLARE
    model embedding_model;
    sought vector := '[1]';  -- loads pgvector, whose settings mean nothing before
    iterative_scan text := current_setting('hnsw.iterative_scan', true);
    ef_search text := current_setting('hnsw.ef_search', true);
BEGIN
    SELECT m.* INTO model FROM embedding_model m WHERE m.model_id = deciding_model();
    SELECT e.vector INTO sought FROM embedding e JOIN clip c USING (audio_id)
    WHERE c.clip_id = clip AND e.model_id = model.model_id;
    IF sought IS NULL THEN
        RETURN;
    END IF;
    -- 100 hold 99.9 % of the ten nearest clips of real speech, 300 voices. One more than asked for have enough clips.
    PERFORM set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', '400', true);
    RETURN QUERY EXECUTE format(
        'WITH cell AS MATERIALIZED (
             SELECT p.speaker_id FROM profile p WHERE p.model_id = %2$s
             ORDER BY p.mean::halfvec(%1$s) <=> $1::halfvec(%1$s) LIMIT greatest(100, $3 + 1))
         SELECT c.clip_id, a.speaker_id, (1 - (e.vector <=> $1))::real
         FROM cell JOIN assignment a ON a.speaker_id = cell.speaker_id AND a.to_operation IS NULL
         JOIN clip c ON c.clip_id = a.clip_id
         JOIN embedding e ON e.audio_id = c.audio_id AND e.model_id = %2$s
         WHERE c.clip_id <> $2 ORDER BY e.vector <=> $1, c.clip_id LIMIT $3',
        model.dimension, model.model_id) USING sought, clip, k;
    PERFORM set_config('hnsw.iterative_scan', iterative_scan, true), set_config('hnsw.ef_search', ef_search, true);
END $$;

COMMENT ON FUNCTION similar_clips(bigint, integer) IS
'The k clips whose embeddings are nearest to a clip''s, of the speakers nearest to it; nearest first, with the cosine.';


-- People name speakers as folders do.
CREATE OR REPLACE FUNCTION speaker_key(speaker text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT
AS $$
DECLARE
    part text[] := regexp_match(speaker, '^(?:(.+)[/ ])?([FMfm])0*([0-9]{1,9})$');
    found bigint[];
BEGIN
    SELECT array_agg(DISTINCT n.speaker_id) INTO found FROM speaker_number n
    WHERE n.gender = upper(part[2]) AND n.number = part[3]::integer AND n.to_operation IS NULL
      AND (part[1] IS NULL OR n.broadcaster = part[1]);
    IF found IS NULL THEN
        RAISE EXCEPTION 'there is no speaker %; name one as folders do, F0003 or andaiafm/F0003', quote_literal(speaker);
    ELSIF cardinality(found) > 1 THEN
        RAISE EXCEPTION '% is the number of several speakers; name the broadcaster too, andaiafm/F0003', speaker;
    END IF;
    RETURN found[1];
END $$;

COMMENT ON FUNCTION speaker_key(text) IS 'Key of the speaker of a number: F0003, or andaiafm/F0003 where two have it.';


CREATE OR REPLACE FUNCTION similar_speakers(speaker text, k integer DEFAULT 10)
RETURNS TABLE (speaker_id bigint, numbers text, gender text, similarity real)
LANGUAGE sql STABLE SET search_path FROM CURRENT
AS $$ SELECT * FROM similar_speakers(speaker_key(speaker), k) $$;

COMMENT ON FUNCTION similar_speakers(text, integer) IS 'The same for a speaker named by number: F0003, andaiafm/F0003.';
