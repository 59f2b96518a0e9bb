"""Connections to a registry's database that mean the same on any server, whatever its settings and the shell's."""

import getpass
import os
import socket
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from registry.database import search_path
from registry.database.embedded import environment
from registry.database.search_path import Facts
from registry.errors import EncodingUnfit, SchemaOpenToOthers

CONNECT_TIMEOUT_S = 10  # unless the URL says otherwise
ENCODING = "UTF8"
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


@dataclass(frozen=True)
class Session:
    """How connections to one database are opened."""

    address: dict[str, Any]  # as psycopg takes it
    is_own: bool  # the embedded server's: nothing of the shell's environment reaches it
    settings: dict[str, str]
    facts: Facts = field(default_factory=Facts)

    def connect(self) -> psycopg.Connection[Any]:
        """Open a connection with all settings made.

        Raises:
            psycopg.Error: The server does not answer or refuses.
        """
        connection = _open(self.address, is_own=self.is_own)
        calls = ", ".join(["pg_catalog.set_config(%s, %s, false)"] * len(self.settings))
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
        SchemaOpenToOthers: Somebody else could have our commands run what they put there.
        psycopg.Error: The server does not answer or refuses.
    """
    address = address_of(url)
    with _open(address, is_own=is_own) as connection:
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != ENCODING:
            raise EncodingUnfit(url=shown_url, encoding=encoding)
        facts = search_path.look(connection)
        if found := search_path.intrusions(connection, facts):
            raise SchemaOpenToOthers(url=shown_url, cause=found[0].words, way_out=found[0].way_out)
        settings = SETTINGS | dict.fromkeys(facts.limits, "0")
        if facts.looked_in:
            settings["search_path"] = search_path.as_setting(connection, facts.looked_in)
    return Session(address, is_own, settings, facts)


def address_of(url: str) -> dict[str, Any]:
    """Give a URL's address, and who we are for those who look at the server's sessions."""
    own = {"connect_timeout": CONNECT_TIMEOUT_S, "fallback_application_name": _application_name()}
    return own | conninfo_to_dict(url) | {"client_encoding": ENCODING}


def _application_name() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number that has no name
        user = str(os.getuid())
    return f"registry of {user} on {socket.gethostname()}, process {os.getpid()}"


def _open(address: dict[str, Any], *, is_own: bool) -> psycopg.Connection[Any]:
    if not is_own:
        return psycopg.connect(**address, autocommit=True)
    with environment.hidden():
        return psycopg.connect(**address, autocommit=True)
