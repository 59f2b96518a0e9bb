"""How good the registry is: against labels of one's own, or, without any, by its own probabilities."""

from registry.evaluation.against_labels import Evaluation, evaluate
from registry.evaluation.estimates import Estimates, estimate

__all__ = ["Estimates", "Evaluation", "estimate", "evaluate"]
