"""A server that stays for a moment after its last user, so that the next command finds it running.

The last user to leave starts a process, which waits and then stops the server unless somebody uses it.
It holds nothing of whoever started it: it is in a session of its own, in the server's folder, and neither reads nor
writes their streams. Where it is killed, the server runs on until its next last user.
"""

import os
import subprocess
import sys
from pathlib import Path

LINGER_S = 60.0
VARIABLE = "REGISTRY_LINGER_S"
INIT = 1  # the process that all of a container end with


def linger_s() -> float:
    """Tell how many seconds a server stays, 0 for not at all.

    It stays not at all where the command is all that a container or a unit of systemd runs, since these kill what is
    left when it ends.
    """
    if named := os.environ.get(VARIABLE):
        try:
            return max(0.0, float(named))
        except ValueError:
            return LINGER_S
    return 0.0 if INIT in (os.getpid(), os.getppid()) else LINGER_S


def start(home: Path) -> None:
    """Start the process that is to stop the server of the home."""
    folders = os.pathsep.join(os.path.abspath(folder) for folder in sys.path if folder)  # noqa: PTH100 - as text
    program = [sys.executable, "-P", "-c", f"from {__package__}.stopping import main; main()", str(home)]
    subprocess.run(  # by a shell that ends at once, so that it is nobody's child who would have to wait for it
        ["/bin/sh", "-c", '"$@" &', "sh", *program],
        cwd=home,
        env={**os.environ, "PYTHONPATH": folders, VARIABLE: str(linger_s())},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=False,
    )
