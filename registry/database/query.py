"""Answer a user's SQL without letting it change anything."""

import itertools
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, cast

import psycopg
from psycopg.pq import ExecStatus

from registry import settings
from registry.database import reader
from registry.database.reach import Database
from registry.errors import QueryFailed, QueryTooLong

NO_QUESTION = "it gives no rows; only what does can be asked: SELECT, VALUES, TABLE, WITH, EXPLAIN, SHOW"


@dataclass(frozen=True)
class Answer:
    """The rows of a query, as they come from the server: none is kept here."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[object, ...]]


@contextmanager
def ask(opened: Database, query: str, timeout_s: float = settings.QUERY_TIMEOUT_S) -> Iterator[Answer]:
    """Run one statement in a read-only transaction, as a role that may only read where there is one.

    Args:
        opened: The registry.
        query: One statement.
        timeout_s: How long it may take, in seconds; 0 for as long as it needs.

    Raises:
        QueryFailed: The database refuses it, at once or at a later row: a mistake, a change, or a second statement.
        QueryTooLong: It takes longer than it may; reading the rows counts.
        Also what `reader.connect` raises.
    """
    began_s = time.monotonic()
    with closing(reader.connect(opened, timeout_s)) as connection, _explained(began_s, timeout_s):
        columns = _columns(connection, query)
        rows = cast("Generator[tuple[object, ...]]", connection.cursor().stream(query.encode()))
        with closing(rows):  # which cancels what is left of it
            first = list(itertools.islice(rows, 1))  # what fails at once does so before anything is printed
            yield Answer(columns, itertools.chain(first, rows))


@contextmanager
def _explained(began_s: float, timeout_s: float) -> Iterator[None]:
    """Tell what the database refuses as an error of the query's."""
    try:
        yield
    except psycopg.errors.QueryCanceled as error:
        if not timeout_s or time.monotonic() - began_s < timeout_s:
            raise QueryFailed(cause=str(error).strip()) from error
        raise QueryTooLong(seconds=f"{timeout_s:g}") from error
    except psycopg.Error as error:
        raise QueryFailed(cause=str(error).strip()) from error


def _columns(connection: psycopg.Connection[Any], query: str) -> tuple[str, ...]:
    """Have the server read a statement without running it; a second one in it is refused."""
    try:
        words = query.encode()
    except UnicodeEncodeError as error:
        raise QueryFailed(cause=error) from error
    read = connection.pgconn.prepare(b"", words)
    if read.status != ExecStatus.COMMAND_OK:
        raise psycopg.errors.error_from_result(read)
    described = connection.pgconn.describe_prepared(b"")
    names = [described.fname(column) or b"" for column in range(described.nfields)]
    if not names:
        raise QueryFailed(cause=NO_QUESTION)
    return tuple(name.decode() for name in names)
