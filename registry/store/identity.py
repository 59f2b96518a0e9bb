"""Which registry this is, and whether anything is in it."""

from sqlalchemy import Connection, text


def registry_id(connection: Connection) -> str:
    """Give the registry's identity, a UUID in hex digits and hyphens."""
    return str(connection.execute(text("SELECT registry_id FROM identity")).scalar_one())


def holds_clips(connection: Connection) -> bool:
    """Tell whether any clip was ever taken in."""
    return bool(connection.execute(text("SELECT EXISTS (SELECT FROM clip)")).scalar_one())


def is_untouched(connection: Connection) -> bool:
    """Tell whether nothing was done to a registry yet: no operation, no recording heard."""
    query = "SELECT NOT EXISTS (SELECT FROM operation) AND NOT EXISTS (SELECT FROM audio)"
    return bool(connection.execute(text(query)).scalar_one())
