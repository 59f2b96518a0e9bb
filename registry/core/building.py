"""Which clips may build their speaker's profile: a clip is labelled sooner than it is trusted to tell a voice."""

import numpy as np

from registry.core.likeness import Bar, Sets
from registry.core.records import Booleans, Floats, Integers

BLOCK_CLIPS = 64  # compared at a time, each with what is left of its speaker; only the diagonal is needed


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
    likely = own_probabilities(clips, rest, bar) >= bar.rule.builder_probability
    builds: Booleans = is_long & (is_alone | likely)
    return builds


def own_probabilities(clips: Sets, rest: Sets, bar: Bar) -> Floats:
    """Give P(same voice) of each clip and what is left of its own speaker (n,)."""
    blocks = (np.arange(start, min(start + BLOCK_CLIPS, len(clips))) for start in range(0, len(clips), BLOCK_CLIPS))
    own = [np.diagonal(bar.probabilities(clips.take(block), rest.take(block))) for block in blocks]
    return np.concatenate(own) if own else np.empty(0, dtype=np.float32)
