"""The process that stops a server once nobody has used it for a while; `linger` starts it."""

import sys
import time
from pathlib import Path

from registry.database.embedded.server import EmbeddedServer


def main() -> None:
    """Wait until nobody has used the server of a home for a while, then stop it."""
    server = EmbeddedServer(Path(sys.argv[1]))
    while (left_s := server.lingers_s()) is not None:
        time.sleep(left_s)
