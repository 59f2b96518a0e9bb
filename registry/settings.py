"""Every knob of the registry: its default, its unit, and why this value."""

from registry.core.linking.model_constants import ModelConstants
from registry.core.linking.probability_rule import ProbabilityRule


def linking_rule(false_merge_rate: float, constants: ModelConstants | None = None) -> ProbabilityRule:
    """Give the constants of linking, each explained where it stands, for an accepted rate of false merges.

    The rate is the one knob: at 0.02, the default of a new registry, a join needs a probability of one half, which
    gave the best B-cubed F1 on labelled speech; at 0.01 it needs 0.67. Constants that were measured for the model stand
    in the places of those that ship.
    """
    shipped = ProbabilityRule(false_merge_rate=false_merge_rate)
    return shipped if constants is None else constants.put_into(shipped)


# A decision between these probabilities is called unsure: a person should look.
UNSURE = (0.2, 0.8)

# Embeddings reach the database in batches: a kill loses two batches at the most, a batch is seconds of work.
EMBEDDING_BATCH_CLIPS = 64
EMBEDDING_BATCH_S = 600.0  # of audio: 40 MB in memory, also where clips are long
# So many workers find enough to do in a batch, a call of the model taking several clips; for more it is as much larger.
EMBEDDING_BATCH_WORKERS = 8

# Up to so many different recordings a registry is young: all its clips are clustered anew after every night, which
# takes seconds. Nights of a few dozen clips decide wrongly while little is known, and by then enough is.
YOUNG_AUDIOS = 5_000

# A disk is read fastest by one reader; an object store answers each after tens of milliseconds, but many at once. The
# S3 client opens ten connections.
REMOTE_READERS = 8

# A voice heard by two broadcasters is one speaker unless the registry is told to keep them apart.
DEFAULT_SCOPE = "registry"

# A group's folder name becomes part of exported file names, which file systems cut at 255 bytes.
MAX_BROADCASTER_BYTES = 200

# PostgreSQL indexes no text of 2700 bytes; file systems take paths of 4096.
MAX_PATH_BYTES = 2000

# An hour in 24 bit at 384 kHz is 4.1 GB a channel; a clip that is larger is another thing, or was made to fill memory.
MAX_AUDIO_BYTES = 8_000_000_000

# What has to wait for another command's change, or night, waits so long: an archive takes hours; one that hangs is told
# that day.
PATIENCE_S = 6 * 3600.0

# A person's query is ended after so long: one that was meant otherwise reads everything times everything.
QUERY_TIMEOUT_S = 600.0
