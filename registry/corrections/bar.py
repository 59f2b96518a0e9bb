"""By what the stored speakers of a gender are compared."""

from sqlalchemy import Connection

from registry.core.linking.likeness import Bar, bar_among
from registry.database.store import speakers
from registry.database.store.models import Foundation
from registry.database.store.strangers import strangers


def bar_of(connection: Connection, foundation: Foundation, gender: str) -> Bar:
    """Learn the bar from all stored speakers of a gender and their strangers."""
    rule = foundation.rule
    _, voices = speakers.all_voices(connection, foundation, gender)
    return bar_among(voices, strangers(connection, foundation, gender, rule.most_strangers), rule)
