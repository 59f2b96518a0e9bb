"""Whether processes of a server still hold its data, by the shared memory noted in its postmaster.pid."""

from contextlib import suppress
from pathlib import Path

TABLE = Path("/proc/sysvipc/shm")  # key, id, mode, size, creator, last user, processes attached, ...


def processes(data: Path) -> int | None:
    """Count the processes attached to the server's shared memory; None where the system does not tell.

    The process number in that file proves nothing after a crash: another process may have it by now.
    """
    noted = _segment(_seventh_line(data / "postmaster.pid"))
    with suppress(OSError):
        rows = [line.split() for line in TABLE.read_text().splitlines()[1:]]
        return sum(int(row[6]) for row in rows if _segment(row) == noted)
    return None


def _seventh_line(pid_file: Path) -> list[str]:
    with suppress(OSError, IndexError):
        return pid_file.read_text().splitlines()[6].split()
    return []


def _segment(words: list[str]) -> tuple[int, ...]:
    return tuple(int(word) % 2**32 for word in words[:2])  # the key has a sign in one of the two
