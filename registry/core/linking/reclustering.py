"""Which speakers live on when all clips are clustered anew."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Succession:
    """Which speaker each cluster becomes, and which cluster inherits the numbers of the other speakers."""

    speaker_ids: tuple[int | None, ...]  # the speaker of each cluster; None for a cluster that becomes a new speaker
    heirs: Mapping[int, int]  # speaker that no cluster becomes -> place of the cluster that has most of its clips


def succeed(
    clusters: Sequence[Collection[int]], taken: Sequence[int | None], speaker_of: Mapping[int, int]
) -> Succession:
    """Pair clusters with the speakers that they share the most clips with, the greatest overlap first.

    Each cluster becomes at most one speaker, and each speaker at most one cluster.

    Args:
        clusters: The keys of each cluster's clips.
        taken: For each cluster the speaker that is decided already, or None.
        speaker_of: Clip -> its speaker so far.
    """
    shared = Counter((speaker_of[clip], position) for position, clips in enumerate(clusters) for clip in clips)
    by_overlap = sorted(shared, key=lambda pair: (-shared[pair], pair))
    speaker_ids = list(taken)
    paired = {speaker_id for speaker_id in taken if speaker_id is not None}
    for speaker_id, position in by_overlap:
        if speaker_ids[position] is None and speaker_id not in paired:
            speaker_ids[position] = speaker_id
            paired.add(speaker_id)
    heirs: dict[int, int] = {}
    for speaker_id, position in by_overlap:
        if speaker_id not in paired:
            heirs.setdefault(speaker_id, position)
    return Succession(tuple(speaker_ids), heirs)
