"""Run the migrations on the connection handed in, or on the configured database for a developer."""

from alembic import context
from sqlalchemy import Connection, text

from registry.database.store.tables import metadata


def is_in_tables(name: str | None, kind: str, _: object) -> bool:
    """Tell what to compare with tables.py: not the vector indexes, made for each model when it is first used."""
    is_vector_index = kind == "index" and name is not None and name.endswith("_hnsw")
    return not is_vector_index and not (kind == "table" and name == "alembic_version")


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_name=is_in_tables,
        version_table_schema=connection.execute(text("SELECT current_schema()")).scalar_one(),  # not another program's
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


handed_in = context.config.attributes.get("connection")
if handed_in is not None:
    run(handed_in)
else:
    from registry.database import reach as database

    with database.reach(None, create=True, upgrade=False) as server, server.engine.begin() as own_connection:
        run(own_connection)
