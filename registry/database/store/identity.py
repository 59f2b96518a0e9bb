"""Which registry this is, and whether anything is in it."""

from sqlalchemy import Connection, text


def registry_id(connection: Connection) -> str:
    """Give the registry's identity, a UUID in hex digits and hyphens."""
    return str(connection.execute(text("SELECT registry_id FROM identity")).scalar_one())


def holds_clips(connection: Connection) -> bool:
    """Tell whether any clip was ever ingested."""
    return bool(connection.execute(text("SELECT EXISTS (SELECT FROM clip)")).scalar_one())


def is_untouched(connection: Connection) -> bool:
    """Tell whether nothing was done to the registry yet: it has no operation and no recording."""
    query = "SELECT NOT EXISTS (SELECT FROM operation) AND NOT EXISTS (SELECT FROM audio)"
    return bool(connection.execute(text(query)).scalar_one())


def owe_vacuum(connection: Connection, *, is_owed: bool) -> None:
    """Note whether bytes of forgotten clips may still be in the database's files, so that a vacuum is owed."""
    connection.execute(text("UPDATE identity SET vacuum_owed = :is_owed"), {"is_owed": is_owed})


def is_vacuum_owed(connection: Connection) -> bool:
    """Tell whether bytes of forgotten clips may still be in the database's files."""
    return bool(connection.execute(text("SELECT vacuum_owed FROM identity")).scalar_one())
