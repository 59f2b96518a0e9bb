"""Rows and vectors on their way out of the database and into it."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from pgvector.psycopg import register_vector
from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql

from registry.core.records import Floats

HEADER_BYTES = 4  # vector_send: dimension and a reserved field, two bytes each, before big-endian floats


def to_matrix(sent: Sequence[bytes], dimension: int) -> Floats:
    """Stack what `vector_send` gives into an array (n, dimension)."""
    rows = np.frombuffer(b"".join(sent), dtype=np.uint8).reshape(len(sent), HEADER_BYTES + 4 * dimension)
    return np.ascontiguousarray(rows[:, HEADER_BYTES:]).view(">f4").astype(np.float32)


def types_of(table: Table, columns: Iterable[str]) -> dict[str, str]:
    """Give the PostgreSQL type of some columns of a table, by name."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    return {name: table.c[name].type.compile(dialect).lower() for name in columns}


def copy_rows(connection: Connection, table: str, columns: dict[str, str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows by binary COPY into a temporary table made for them, dropped with the transaction.

    Args:
        connection: In a transaction.
        table: Name of the temporary table.
        columns: Its columns in order, name -> PostgreSQL type.
        rows: Values in the order of the columns; of a bytea also as hex.
    """
    declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS pg_temp.{table}")  # of an earlier step of the transaction
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
