"""What of today's speakers lives on in a clustering of all clips anew."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Succession:
    """Which speaker each cluster is, and who takes the numbers of those that are none."""

    speaker_ids: tuple[int | None, ...]  # of each cluster; None for a voice that no speaker was before
    heirs: Mapping[int, int]  # speaker that is no cluster -> the cluster that has most of its clips


def succeed(
    clusters: Sequence[Collection[int]], taken: Sequence[int | None], speaker_of: Mapping[int, int]
) -> Succession:
    """Let clusters and speakers that share the most clips be one, the greatest overlap first, each once.

    Args:
        clusters: The clips of each cluster.
        taken: The speaker of those clusters that are decided already, None for the rest.
        speaker_of: Clip -> its speaker until now.
    """
    shared = Counter((speaker_of[clip], position) for position, clips in enumerate(clusters) for clip in clips)
    by_overlap = sorted(shared, key=lambda pair: (-shared[pair], pair))
    speaker_ids = list(taken)
    there = {speaker_id for speaker_id in taken if speaker_id is not None}
    for speaker_id, position in by_overlap:
        if speaker_ids[position] is None and speaker_id not in there:
            speaker_ids[position] = speaker_id
            there.add(speaker_id)
    heirs: dict[int, int] = {}
    for speaker_id, position in by_overlap:
        if speaker_id not in there:
            heirs.setdefault(speaker_id, position)
    return Succession(tuple(speaker_ids), heirs)
