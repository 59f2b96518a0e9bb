"""Who had which clip from one operation to another, as the registry's assignments tell it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from registry.core.measures import STILL, Calibration
from registry.database.store.evaluation import Tenure
from registry.evaluation.against_labels import calibration_of
from tests.benchmarks.scores import codes


@dataclass
class Ledger:
    """The tenures of all clips."""

    operation: int = 0
    present: dict[int, Tenure] = field(default_factory=dict)  # clip -> what holds now
    ended: list[Tenure] = field(default_factory=list)

    def note(self, speaker_of: Mapping[int, int], matched: Mapping[int, float]) -> None:
        """Note one more operation.

        Args:
            speaker_of: Clip -> its speaker from now on.
            matched: Those that the operation brought in and matched with a known speaker -> P(same voice).
        """
        self.operation += 1
        for clip, speaker_id in speaker_of.items():
            former = self.present.get(clip)
            if former is None:
                self.present[clip] = Tenure(clip, self.operation, speaker_id, self.operation, STILL, matched.get(clip))
            elif former.speaker_id != speaker_id:
                self.ended.append(replace(former, ends=self.operation))
                self.present[clip] = Tenure(clip, former.arrived, speaker_id, self.operation, STILL, None)

    def calibration(self, speaker: np.ndarray) -> Calibration:
        """Hold the probabilities of matches against who speaks in truth (n,), as `registry evaluate` does."""
        return calibration_of([*self.ended, *self.present.values()], dict(enumerate(codes(speaker).tolist())))
