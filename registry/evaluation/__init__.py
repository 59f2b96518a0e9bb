"""How good the registry is: against labels of one's own, or, without any, by its own probabilities."""

from registry.evaluation.estimates import Estimates, estimate
from registry.evaluation.run import Evaluation, evaluate

__all__ = ["Estimates", "Evaluation", "estimate", "evaluate"]
