"""The caller's environment, kept away from connections to a server of our own."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

# What libpq reads beside the variables that go with a keyword of an address.
MORE_VARIABLES = {"PGSERVICEFILE", "PGSYSCONFDIR", "PGLOCALEDIR", "PGDATESTYLE", "PGTZ", "PGGEQO", "PGREQUIRESSL"}

_at_work = threading.Lock()


def variables() -> set[str]:
    """Name the environment variables that libpq, as it is installed here, takes settings from."""
    named = {one.envvar.decode() for one in psycopg.pq.Conninfo.get_defaults() if one.envvar}
    return named | MORE_VARIABLES


@contextmanager
def hidden() -> Iterator[None]:
    """Hide these variables from a connection that is opened inside, and give them back afterwards."""
    with _at_work:
        given = {name: os.environ.pop(name) for name in variables() & set(os.environ)}
        try:
            yield
        finally:
            os.environ.update(given)
