"""Who is who: the rule by which clips and speakers are joined, and how sure each decision is.

Words of this room, as its modules use them:

- Recording: a sound, known by the hash of its samples. Several clips of the registry may carry one recording. The rule
  sees each recording once, under the key `audio_id`. Where numbers of clips do not matter, a clip is its recording.
- Set: clips that are taken for one voice: a single clip, a cluster of a night's clips, or a stored speaker. `Voices`
  sums up k sets by their mean vectors. `Sets` adds what the bar needs to know of each set.
- Stored speaker: a speaker whose profile, the summary of its clips, is in the database.
- Join: take two sets for one voice. Joining goes step by step, and each step is a `Merge`.
- Unite: compute the summary of a set from the summaries of its parts.
- Strangers: clips of the other gender. No voice of one gender is heard in a clip of the other, so two such clips are
  certainly of two people. Population: what strangers and stored speakers teach about a gender.
- Cohort: the stored speakers and strangers beside which a recording is judged.
- Level: the mean cosine that a set has with other voices of its gender.
- Bar: the mean cosine that two sets must reach to be one voice.
- Margin: how far the mean cosine of two sets is above the bar.
- Log odds: log(P / (1 - P)), where P is the probability that two sets are one voice.
- Channel: how a sound came to the recorder, from a studio (narrowness 0) to a telephone (narrowness 1).
- Black hole: a speaker that takes in the clips of many people. Growth: the clips that a speaker would take in at once.
- To build a profile: to be one of the clips that a profile is the mean of. A doubtful clip has a speaker, but does not
  build the speaker's profile.
"""
