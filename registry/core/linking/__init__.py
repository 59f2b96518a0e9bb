"""Who is who: the rule by which clips and speakers are joined, and how sure each decision is.

Words of this room, as its modules use them:

- Recording: what is heard in a clip, known by the hash of its samples. Several clips may carry one recording. The rule
  sees each recording once, under the key `audio_id`. Where numbers of clips do not matter, "clip" means its recording.
- Set: clips that are taken for one voice: a single clip, a cluster of a night's clips, or a stored speaker. `Voices`
  sums up k sets by their mean vectors. `Sets` adds what the bar needs to know of each set.
- Stored speaker: a speaker whose profile, the summary of its clips, is in the database.
- Join: take two sets for one voice. Joining goes step by step, and each step is a `Merge`.
- Unite: compute the summary of a set from the summaries of its parts.
- Strangers: different voices. Clips of the other gender are certain strangers, because no voice of one gender is heard
  in a clip of the other. Arguments and fields called `strangers` hold such clips.
- Population: what strangers and stored speakers teach about the voices of a gender as a whole.
- Cohort: the stored speakers and strangers beside which a recording is judged.
- Kind of sound: studio, hall, telephone, and so on. Narrowness, from 0, a studio, to 1, a telephone, is measured.
- Channel: what narrowness does to the embeddings of all voices of a gender.
- Level: the mean cosine that a set has with other voices of its gender.
- Bar: the mean cosine that two sets must reach to be one voice.
- Margin: how far the mean cosine of two sets is above the bar.
- Log odds: log(P / (1 - P)), where P is the probability that two sets are one voice.
- In reach: so near the bar that growing may bring two sets above it.
- Black hole: a speaker that takes in the clips of many people.
- Growth: the clips that a speaker would take in at once.
- To build a profile: to be one of the clips that a profile is the mean of. A doubtful clip has a speaker, but does not
  build the speaker's profile.
"""
