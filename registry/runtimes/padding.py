"""Round clips up to a few lengths, so that what was compiled for one serves the next, and say what is padding."""

from typing import NamedTuple

import numpy as np

from registry.core.records import Floats

CONTEXT_FRAMES = 100  # of the network, after its halving: the stretch over which a gate of CAM++ looks around
# (below so many feature frames, a multiple of so many): an eighth of a second more on 3 s, and 55 lengths up to 30 s.
STEPS = ((400, 20), (1000, 50), (np.inf, 100))


class Padded(NamedTuple):
    """The inputs of `MaskedCampPlus`, in its order, for a clip of n frames padded to T; T2 is T halved, up."""

    features: Floats  # (1, T, bands) zero after the clip
    frames: Floats  # (T,) 1 in the clip, 0 after it
    halved: Floats  # (T2,) the same after the network's halving
    pool: Floats  # (T2, segments) a column takes the mean of a segment plus that of the whole clip
    spread: Floats  # (segments, T2) gives each frame the value of its segment
    clip_frames: Floats  # () frames of the clip after the halving


def padded_length(frames: int) -> int:
    """Give the length that a clip of some frames is padded to."""
    step = next(step for below, step in STEPS if frames < below)
    return -(-frames // step) * step


def pad(features: Floats) -> Padded:
    """Pad the features of a clip.

    Args:
        features: (n, bands), n at least 3: statistics need two frames after the halving.
    """
    n, bands = features.shape
    length = padded_length(n)
    filled = np.zeros((1, length, bands), np.float32)
    filled[0, :n] = features
    count, halved_length = -(-n // 2), -(-length // 2)
    frames = (np.arange(length) < n).astype(np.float32)
    halved = (np.arange(halved_length) < count).astype(np.float32)
    segment = np.arange(halved_length) // CONTEXT_FRAMES
    member = (segment[:, None] == np.arange(segment[-1] + 1)) * halved[:, None]  # (T2, segments)
    pool = member / np.maximum(member.sum(axis=0), 1) + halved[:, None] / count
    spread = np.ascontiguousarray(member.T)
    return Padded(filled, frames, halved, pool.astype(np.float32), spread, np.array(count, np.float32))
