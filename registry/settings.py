"""Every knob of the registry: its default, its unit, and why this value."""

from registry.core.linking import LinkingRule

# Average linkage inside a night stops at a mean cosine of 0.37. A cluster joins a stored speaker at 0.38 when
# both have many clips and at 0.50 when both have one: the mean cosine of few pairs is a noisy witness. The three
# lie in the middle of a plateau of the mean B-cubed F1 over four labelled sets (audiobooks, read speech of
# learners, two of acted emotions): a step of 0.02 in any of them costs less than 0.005.
LINKING = LinkingRule(cluster_cosine=0.37, match_cosine=0.38, scarcity_cosine=0.12)

# Embeddings reach the database in batches: a kill loses one batch at the most, a batch is seconds of work.
EMBEDDING_BATCH_CLIPS = 64
EMBEDDING_BATCH_S = 600.0  # of audio: 40 MB in memory, also where clips are long

# A voice heard by two broadcasters is one speaker unless the registry is told to keep them apart.
DEFAULT_SCOPE = "registry"

# A group's folder name becomes part of exported file names, which file systems cut at 255 bytes.
MAX_BROADCASTER_BYTES = 200
