"""Rows and vectors between the database and numpy: reading vectors, and writing rows by COPY."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from pgvector.psycopg import register_vector
from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql

from registry.core.records import Floats

HEADER_BYTES = 4  # what `vector_send` gives before the big-endian floats: the dimension and 0, two bytes each


def to_matrix(sent: Sequence[bytes], dimension: int) -> Floats:
    """Stack vectors, as `vector_send` gives them (n), into an array (n, dimension)."""
    rows = np.frombuffer(b"".join(sent), dtype=np.uint8).reshape(len(sent), HEADER_BYTES + 4 * dimension)
    return np.ascontiguousarray(rows[:, HEADER_BYTES:]).view(">f4").astype(np.float32)


def transposed(rows: Sequence[Sequence[Any]], width: int) -> tuple[tuple[Any, ...], ...]:
    """Give the columns of some rows (n, width), one tuple (n) for each column; empty tuples where there are no rows."""
    return tuple(zip(*rows, strict=True)) if rows else ((),) * width


def types_of(table: Table, columns: Iterable[str]) -> dict[str, str]:
    """Give the PostgreSQL types of some columns of a table: name -> type."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return {name: table.c[name].type.compile(dialect).lower() for name in columns}


def copy_rows(connection: Connection, table: str, columns: dict[str, str], rows: Iterable[Sequence[Any]]) -> None:
    """Make a temporary table and write rows into it by binary COPY. It is dropped when the transaction ends.

    Args:
        connection: In a transaction.
        table: Name of the temporary table.
        columns: The columns of the table in order, name -> PostgreSQL type.
        rows: The values of each row in the order of the columns. A bytea may also be given as hex.
    """
    declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS pg_temp.{table}")  # left by an earlier step of the transaction
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {table} ({declared}) ON COMMIT DROP")
    driver: Any = connection.connection.driver_connection
    if "vector" in columns.values():
        register_vector(driver)
    is_bytes = [kind == "bytea" for kind in columns.values()]
    with driver.cursor().copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row([_as_bytes(value) if binary else value for value, binary in zip(row, is_bytes, strict=True)])


def _as_bytes(value: str | bytes) -> bytes:
    return bytes.fromhex(value) if isinstance(value, str) else value
