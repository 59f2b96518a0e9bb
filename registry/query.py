"""Answer a user's SQL without letting it change anything."""

from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import Engine

from registry.errors import QueryFailed


@dataclass(frozen=True)
class Answer:
    """The rows of a query."""

    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]


def ask(engine: Engine, query: str) -> Answer:
    """Run one statement in a read-only transaction.

    Raises:
        QueryFailed: The database refuses it: a mistake, a change, or more than one statement.
    """
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            driver: Any = connection.connection.driver_connection
            # A prepared query is a single statement, so it cannot end the transaction and go on writing.
            cursor = driver.execute(query, prepare=True)
            columns = tuple(column.name for column in cursor.description or ())
            return Answer(columns, cursor.fetchall() if columns else [])
    except (psycopg.Error, UnicodeEncodeError) as error:
        raise QueryFailed(cause=str(error).strip()) from error
