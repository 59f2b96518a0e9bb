"""Which clips may build their speaker's profile: less is asked of a clip to get a speaker than to build a profile."""

import numpy as np

from registry.core.linking.likeness import Bar, Sets, each_log_odds, probability
from registry.core.records import Booleans, Integers


def builders(clips: Sets, cluster: Integers, stored: Sets, got: Integers, bar: Bar) -> Booleans:
    """Tell which clips may build their speaker's profile (n,).

    A clip may, if it is long enough, and like enough to the other clips of its speaker. A speaker's only clip need only
    be long enough. A clip of two voices, of music or of somebody else is unlike the other clips.

    Args:
        clips: The clips (n).
        cluster: The cluster that each clip is in (n,), counting from 0 without gaps.
        stored: Stored speakers (s).
        got: For each cluster (c,) the row of the stored speaker that it belongs to, -1 for a new speaker.
        bar: The bar.
    """
    known = np.flatnonzero(got >= 0)
    whole = bar.united(stored.take(got[known]).followed_by(clips), np.concatenate([known, cluster]))
    is_alone = whole.voices.size[cluster] == 1
    rest = bar.without(whole.take(cluster), clips, ~is_alone)
    is_long = clips.voices.inverse_s <= 1 / bar.rule.builder_s
    likely = probability(each_log_odds(clips, rest, bar)) >= bar.rule.builder_probability
    builds: Booleans = is_long & (is_alone | likely)
    return builds
