"""By what the stored speakers of a gender are compared."""

from sqlalchemy import Connection

from registry.core.likeness import Bar, bar_among
from registry.store import speakers
from registry.store.models import Foundation
from registry.store.strangers import strangers


def bar_of(connection: Connection, foundation: Foundation, gender: str) -> Bar:
    """Learn the bar from all stored speakers of a gender and their strangers."""
    rule = foundation.rule
    _, voices = speakers.all_voices(connection, foundation, gender)
    return bar_among(voices, strangers(connection, foundation, gender, rule.most_strangers), rule)
