"""Which clips of the registry rows of labels mean, and who speaks in them."""

from collections.abc import Sequence

from sqlalchemy import Connection

from registry.core.records import Rejected
from registry.corrections.addressed import find_labelled
from registry.evaluation.labels import Label, true_speakers


def labelled_clips(connection: Connection, labels: Sequence[Label]) -> tuple[dict[int, str], list[Rejected]]:
    """Give the true speaker of each clip that the labels name, by key, and the rows that say nothing about any."""
    found, faults = find_labelled(connection, [label.clip for label in labels])
    return true_speakers(labels, found, faults)
