"""Transactions for the steps of a run: each step in a transaction of its own, or all steps in one transaction."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from sqlalchemy import Connection


class Transactions(Protocol):
    """What gives each step a connection in a transaction. An Engine gives each step a transaction of its own."""

    def begin(self) -> AbstractContextManager[Connection]:
        """Begin a transaction, which is committed at the end of the block, or rolled back after an error."""


class OneTransaction:
    """One transaction for all steps. Whoever began the transaction ends it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Begin a savepoint in the transaction, which is rolled back after an error."""
        with self._connection.begin_nested():
            yield self._connection
