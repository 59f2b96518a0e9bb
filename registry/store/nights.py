"""One night at a time: a lock that lasts as long as its connection."""

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

NIGHT_LOCK = 0x5EED_0003  # any constant
LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL's code where a lock was waited for too long


def begin_alone(connection: Connection) -> bool:
    """Keep other nights out until the connection is closed; False if another is under way."""
    is_ours = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": NIGHT_LOCK}).scalar_one()
    connection.commit()  # the lock stays, it is the session's
    return bool(is_ours)


def begin_after_other(connection: Connection, patience_s: float) -> bool:
    """Wait until the other night has ended, then keep others out; False if it lasts longer than the patience."""
    connection.execute(
        text("SELECT set_config('lock_timeout', :limit, false)"), {"limit": f"{patience_s * 1000:.0f}ms"}
    )
    try:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": NIGHT_LOCK})
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        return False
    connection.commit()
    return True
