"""Lay clips behind one another in packs of a few lengths: one call for many, and what was compiled for one serves all.

A call of the network costs a fixed time besides that of its frames, as much as two thirds of a second of sound do, and
more whenever the length differs from that of the call before. In a pack short clips share both.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple, TypeVar

import numpy as np

from registry.core.records import Floats, Integers

CONTEXT_FRAMES = 100  # of the network, after its halving: the stretch over which a gate of CAM++ looks around
REACH_FRAMES = 4  # frames beside a clip that the network looks at, no more than two after its halving
FRAMES_OF_A_PACK = 1600  # 16 s: longer packs are hardly faster, and two cores have enough of them in a batch
# (below so many frames, a multiple of so many): at the most an eighth more for 1.5 s alone, and 55 lengths up to 30 s.
STEPS = ((400, 20), (1000, 50), (np.inf, 100))
COLUMNS_STEP = 8  # clips of a pack, and segments, are rounded up too: their numbers are part of what is compiled
Result = TypeVar("Result")


class Pack(NamedTuple):
    """The inputs of `PackedCampPlus`, in its order, for c clips laid out over T frames; T2 is T halved.

    Between two clips, and after the last, are frames of none; columns past the clips and segments there are stay zero.
    """

    features: Floats  # (1, T, bands) zero where no clip is
    frames: Floats  # (T,) 1 in a clip, 0 elsewhere
    halved: Floats  # (T2,) the same after the network's halving
    pool: Floats  # (T2, segments) a column takes the mean of a segment plus that of its whole clip
    spread: Floats  # (segments, T2) gives each frame the value of its segment
    member: Floats  # (T2, c) 1 where the frame is of the clip
    clip_frames: Floats  # (c,) frames of each clip after the halving


@dataclass(frozen=True)
class Packing:
    """How a model embeds clips together; what a clip's embedding is does not depend on the others but for rounding."""

    infer: Callable[[Sequence[Floats]], Sequence[Floats]]  # (n,) samples of each -> (dimension,) of each
    most_samples: int  # of a call at its best; a longer clip goes alone
    gap_samples: int  # what a clip takes besides its own

    def share_out(self, lengths: Sequence[int]) -> list[list[int]]:
        """Share clips of so many samples out over calls; see `share_out`."""
        return share_out(lengths, self.most_samples, self.gap_samples)


def share_out(lengths: Sequence[int], most: int, gap: int = 0) -> list[list[int]]:
    """Share clips out over calls: the longest first, each to the first call that has room for it.

    Args:
        lengths: Of the clips, in any unit.
        most: What a call has room for; a longer clip goes alone.
        gap: What a clip takes besides its own length.

    Returns:
        The clips of each call, by position: every clip once. The same lengths are always shared out the same way.
    """
    calls: list[list[int]] = []
    room: list[int] = []
    for clip in sorted(range(len(lengths)), key=lambda clip: (-lengths[clip], clip)):
        taken = lengths[clip] + gap
        place = next((place for place, left in enumerate(room) if left >= taken), len(calls))
        if place == len(calls):
            calls.append([])
            room.append(most)
        calls[place].append(clip)
        room[place] -= taken
    return calls


def in_place(calls: Sequence[Sequence[int]], results: Iterable[Iterable[Result]]) -> list[Result]:
    """Put what came of each call of `share_out`, clip by clip, back in the order of the clips."""
    result_of = dict(zip(chain(*calls), chain.from_iterable(results), strict=True))
    return [result_of[clip] for clip in range(len(result_of))]


def padded_length(frames: int) -> int:
    """Give the length that so many frames are padded to."""
    step = next(step for below, step in STEPS if frames < below)
    return -(-frames // step) * step


def pack(clips: Sequence[Floats]) -> Pack:
    """Lay the features of clips behind one another, so far apart that no clip is seen from another.

    Args:
        clips: Features (n, bands) of each, n at least 3: statistics need two frames after the halving.
    """
    lengths = np.array([len(clip) for clip in clips])
    starts = _starts(lengths)
    length = padded_length(int(starts[-1] + lengths[-1]))
    features = np.zeros((1, length, clips[0].shape[1]), np.float32)
    frames = np.zeros(length, np.float32)
    for start, clip in zip(starts, clips, strict=True):
        features[0, start : start + len(clip)] = clip
        frames[start : start + len(clip)] = 1
    member = _columns(starts // 2, -(-lengths // 2), -(-length // 2))
    pool, spread = _segments(starts // 2, -(-lengths // 2), member)
    clip_frames = np.maximum(member.sum(axis=0), 2)  # of a column without a clip any: it comes to nothing
    return Pack(features, frames, member.sum(axis=1), pool, spread, member, clip_frames)


def _starts(lengths: Integers) -> Integers:
    """Begin each clip at an even frame, where the network's halving begins, out of reach of the one before."""
    taken = -(-(lengths + REACH_FRAMES) // 2) * 2
    return np.concatenate([[0], np.cumsum(taken)[:-1]])


def _segments(starts: Integers, lengths: Integers, member: Floats) -> tuple[Floats, Floats]:
    """Cut clips into the segments that the gates of CAM++ look at: `pool` and `spread`."""
    counts = -(-lengths // CONTEXT_FRAMES)
    clip = np.repeat(np.arange(len(lengths)), counts)
    before = (np.arange(len(clip)) - np.repeat(np.cumsum(counts) - counts, counts)) * CONTEXT_FRAMES
    sizes = np.minimum(lengths[clip] - before, CONTEXT_FRAMES)
    inside = _columns(starts[clip] + before, sizes, len(member))  # (T2, segments)
    pool = inside / np.maximum(inside.sum(axis=0), 1)
    pool[:, : len(clip)] += member[:, clip] / lengths[clip]
    return pool.astype(np.float32), np.ascontiguousarray(inside.T)


def _columns(starts: Integers, lengths: Integers, frames: int) -> Floats:
    """Mark stretches of frames, a column each: (frames, columns), columns rounded up."""
    columns = -(-len(starts) // COLUMNS_STEP) * COLUMNS_STEP
    marked = np.zeros((frames, columns), np.float32)
    for column, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        marked[start : start + length, column] = 1
    return marked
