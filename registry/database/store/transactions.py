"""Where steps get their transactions: each its own, or all of them one."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from sqlalchemy import Connection


class Transactions(Protocol):
    """What gives a step a connection in a transaction; an Engine gives every step its own."""

    def begin(self) -> AbstractContextManager[Connection]:
        """Begin one; it is committed at the end, or rolled back after an error."""


class OneTransaction:
    """Make all steps one transaction, which whoever began it ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Begin a step inside it."""
        with self._connection.begin_nested():
            yield self._connection
