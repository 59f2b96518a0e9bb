"""How far readers may be ahead of those who embed."""

from threading import Condition


class ReadAhead:
    """How much sound was read and not yet taken; who reads waits while it is too much, unless it is taken next."""

    def __init__(self, most_s: float) -> None:
        """Let so many seconds wait to be taken, and what is being read besides."""
        self._most_s = most_s
        self._waiting_s = 0.0
        self._taken = 0
        self._changed = Condition()

    def wait(self, turn: int) -> None:
        """Wait until the clip of a turn, counted from 0, may be read."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting_s < self._most_s or turn <= self._taken)

    def add(self, seconds: float) -> None:
        """Count what was read."""
        with self._changed:
            self._waiting_s += seconds

    def take(self, seconds: float) -> None:
        """Count what was taken, in order of turns."""
        with self._changed:
            self._waiting_s -= seconds
            self._taken += 1
            self._changed.notify_all()

    def stop(self) -> None:
        """Let all who wait go on."""
        with self._changed:
            self._most_s = float("inf")
            self._changed.notify_all()
