"""The constants of the linking rule that belong to an embedding model: where its cosines lie, and how far they vary."""

from dataclasses import asdict, dataclass, fields, replace

from registry.core.linking.probability_rule import ProbabilityRule


@dataclass(frozen=True)
class ModelConstants:
    """What the linking rule assumes of a model's embeddings. `ProbabilityRule` explains each constant."""

    other_gender_offset: float
    other_gender_spread: float
    stranger_variance: float
    base_noise: float
    stranger: float
    stranger_by_telephone: float

    @classmethod
    def of(cls, rule: ProbabilityRule) -> "ModelConstants":
        """Give the model's constants that a rule holds."""
        return cls(**{field.name: getattr(rule, field.name) for field in fields(cls)})

    def put_into(self, rule: ProbabilityRule) -> ProbabilityRule:
        """Give a rule with these constants in place of its own."""
        return replace(rule, **asdict(self))
