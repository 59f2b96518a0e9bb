"""Which clips may build their speaker's profile: a clip is labelled sooner than it is trusted to tell a voice."""

import numpy as np

from registry.core.linking.likeness import Bar, Sets, each_log_odds, probability
from registry.core.records import Booleans, Integers


def builders(clips: Sets, part: Integers, stored: Sets, got: Integers, bar: Bar) -> Booleans:
    """Tell which clips are long enough, and like enough to the rest of their speaker; a lone clip is.

    A clip of two voices, of music or of somebody else is unlike the rest.

    Args:
        clips: The clips (n,).
        part: For each the part of a speaker that it belongs to (n,), counting from 0 without gaps.
        stored: Stored speakers.
        got: For each part the row of the stored speaker that it became part of, -1 for none (p,).
        bar: What they are compared by.
    """
    known = np.flatnonzero(got >= 0)
    whole = bar.united(stored.take(got[known]).followed_by(clips), np.concatenate([known, part]))
    is_alone = whole.voices.size[part] == 1
    rest = bar.without(whole.take(part), clips, ~is_alone)
    is_long = clips.voices.inverse_s <= 1 / bar.rule.builder_s
    likely = probability(each_log_odds(clips, rest, bar)) >= bar.rule.builder_probability
    builds: Booleans = is_long & (is_alone | likely)
    return builds
