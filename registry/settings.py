"""Every knob of the registry: its default, its unit, and why this value."""

from registry.core.linking import LinkingRule

# Average linkage inside a night stops at a mean cosine of 0.54, a little under the match, since the clips of
# one night share studio and microphone. A cluster joins a stored speaker at 0.56 when both have many clips and
# at 0.64 when both have one: the mean cosine of few pairs is a noisy witness. The three values gave the best
# mean B-cubed F1 over four labelled sets (audiobooks, read speech of learners, two of acted emotions).
LINKING = LinkingRule(cluster_cosine=0.54, match_cosine=0.56, scarcity_cosine=0.08)

# Embeddings reach the database in batches: a kill loses one batch at the most, a batch is seconds of work.
EMBEDDING_BATCH_CLIPS = 64
EMBEDDING_BATCH_S = 600.0  # of audio: 40 MB in memory, also where clips are long

# A voice heard by two broadcasters is one speaker unless the registry is told to keep them apart.
DEFAULT_SCOPE = "registry"

# A group's folder name becomes part of exported file names, which file systems cut at 255 bytes.
MAX_BROADCASTER_BYTES = 200
