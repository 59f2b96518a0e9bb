"""Connections to a registry's database that mean the same on any server, whatever its settings and the shell's."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from registry.embedded import environment
from registry.errors import EncodingUnfit

CONNECT_TIMEOUT_S = 10  # unless the URL says otherwise
ENCODING = "UTF8"
LASTING_TABLES = {"registry", "speaker_number"}  # at every revision; what knows a registry by
# How we write and read values, whatever the server, the database or the role are set to.
SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "standard_conforming_strings": "on",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "quote_all_identifiers": "off",
    "default_transaction_isolation": "read committed",
    "default_transaction_deferrable": "off",
    "max_parallel_maintenance_workers": "0",  # they build indexes in /dev/shm, of which a container has 64 MB
}
# A night's transaction takes its time; who wants limits says so in the URL's options.
PATIENCE = (
    *("statement_timeout", "lock_timeout", "transaction_timeout"),
    *("idle_in_transaction_session_timeout", "idle_session_timeout"),
)
# The schema of the registry is the first on the path that holds its tables, else the one that tables are made in.
PLACE = """
    WITH path AS (SELECT name, number FROM unnest(current_schemas(false)) WITH ORDINALITY AS path (name, number)),
    holding AS (
        SELECT n.nspname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relname = ANY(%(tables)s) AND c.relkind IN ('r', 'p')
        GROUP BY n.nspname HAVING count(*) = cardinality(%(tables)s))
    SELECT coalesce((SELECT name FROM path JOIN holding USING (name) ORDER BY number LIMIT 1), current_schema()),
           ARRAY(SELECT name FROM path ORDER BY number),
           (SELECT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
            WHERE e.extname = 'vector'),
           ARRAY(SELECT name FROM holding ORDER BY name),
           ARRAY(SELECT name FROM pg_settings WHERE name = ANY(%(patience)s) AND source <> 'client')
"""


@dataclass(frozen=True)
class Session:
    """How connections to one database are opened."""

    address: dict[str, Any]  # as psycopg takes it
    is_own: bool  # the embedded server's: nothing of the shell's environment reaches it
    settings: dict[str, str]
    registries: Sequence[str] = ()  # schemas that hold a registry, on the search_path or off it

    def connect(self) -> psycopg.Connection[Any]:
        """Open a connection with all settings made.

        Raises:
            psycopg.Error: The server does not answer or refuses.
        """
        connection = _open(self.address, is_own=self.is_own)
        calls = ", ".join(["set_config(%s, %s, false)"] * len(self.settings))
        values = [word for setting in self.settings.items() for word in setting]
        connection.execute(f"SELECT {calls}".encode(), values)
        connection.autocommit = False
        return connection


def session_for(url: str, shown_url: str, *, is_own: bool) -> Session:
    """Look once what a database is like, and what every session there has to set.

    Args:
        url: As libpq takes it, so that whatever works with psql works here.
        shown_url: The same without the password, for messages.
        is_own: True for the embedded server.

    Raises:
        EncodingUnfit: The database keeps text in another encoding than UTF-8.
        psycopg.Error: The server does not answer or refuses.
    """
    address = {"connect_timeout": CONNECT_TIMEOUT_S, **conninfo_to_dict(url), "client_encoding": ENCODING}
    with _open(address, is_own=is_own) as connection:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != ENCODING:
            raise EncodingUnfit(url=shown_url, encoding=encoding)
        asked = {"tables": sorted(LASTING_TABLES), "patience": list(PATIENCE)}
        row = connection.execute(PLACE, asked).fetchone()
    assert row is not None  # noqa: S101 - a query without a FROM gives one row
    home, path, of_vector, registries, limits = row
    settings = SETTINGS | dict.fromkeys(limits, "0")
    if found := search_path(home, path, of_vector):
        settings["search_path"] = ", ".join(map(_quoted, found))
    return Session(address, is_own, settings, registries)


def search_path(home: str | None, path: Sequence[str], of_vector: str | None) -> list[str]:
    """Order the schemas to look in: the registry's, what else the role's path names, pgvector's."""
    return list(dict.fromkeys(name for name in (home, *path, of_vector) if name is not None))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _open(address: dict[str, Any], *, is_own: bool) -> psycopg.Connection[Any]:
    if not is_own:
        return psycopg.connect(**address, autocommit=True)
    with environment.hidden():
        return psycopg.connect(**address, autocommit=True)
