"""Addresses without their secrets, as messages and the journal show them.

Only scheme, user, host, port and path are shown. Everything else is hidden, so that a parameter which this module does
not know to be a secret is hidden too.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.*", re.DOTALL)  # to the text's end: a password may hold spaces and quotes
HIDDEN = "***"
PORT = re.compile(r"[\d,]*")
USER = re.compile(r"[\w.%+~-]*")
HOST = re.compile(r"[\w.,%-]*(:\d*)?|\[[0-9a-fA-F:.]*\](:\d*)?")


def shown_url(url: str) -> str:
    """Show a URL without its secrets. Of a malformed URL rather too much is hidden than too little.

    Args:
        url: SCHEME://[USER[:PASSWORD]@]HOST[:PORT][/PATH][?...]
    """
    scheme, _, rest = url.partition("://")
    first = rest.partition("/")[0]
    # Where a host comes first there are no credentials, and an @ further on belongs to the path.
    begins_with_host = HOST.fullmatch(first) and not scheme.startswith("postgres")
    if begins_with_host:
        credentials, at, place = "", "", rest
    else:
        credentials, at, place = rest.rpartition("@")  # the last @, because a password may hold any character
    host, slash, path = place.partition("?")[0].partition("#")[0].partition("/")
    user, colon, _ = credentials.partition(":")
    whom = _shown_or_hidden(user, USER) + (f":{HIDDEN}" if colon else "")
    where = f"{host}{slash}{shown_text(path)}" if HOST.fullmatch(host) else HIDDEN  # a path may hold a URL too
    return f"{scheme}://{whom}{at}{where}"


def shown_database(address: Mapping[str, object]) -> str:
    """Show the address of a PostgreSQL database without its secrets.

    Args:
        address: The address as libpq reads it: "host", "port", "user", "password", "dbname".
    """
    host, port, user, name = (str(address.get(key) or "") for key in ("host", "port", "user", "dbname"))
    whom = quote(user) + (f":{HIDDEN}" if address.get("password") else "")
    is_socket = host.startswith("/")
    place = "" if is_socket else f"[{host}]" if ":" in host else host
    parameters = f"?host={host}" if is_socket else ""
    return f"postgresql://{whom}{'@' if whom else ''}{place}{f':{port}' if port else ''}/{quote(name)}{parameters}"


def is_plain(address: Mapping[str, object]) -> bool:
    """Tell whether libpq read an address as it was meant.

    A / or @ in a password makes libpq take parts of the password for the port, the database name or the host.

    Args:
        address: The address as libpq reads it: "host", "port", "user", "password", "dbname".
    """
    has_at = any("@" in str(address.get(key) or "") for key in ("host", "dbname"))
    return PORT.fullmatch(str(address.get("port") or "")) is not None and not has_at


def shown_text(text: str) -> str:
    """Show a text with a URL in it, the URL without its secrets.

    Where a URL ends in a text cannot be known, so all that follows is taken for a part of the URL.
    """
    return URL.sub(lambda found: shown_url(found[0]), text)


def holds_secret(url: str) -> bool:
    """Tell whether a URL holds what may be a secret: a password, a token in place of a user name, or a query."""
    scheme, _, rest = url.partition("://")
    credentials, _, _ = rest.partition("/")[0].rpartition("@")
    return (
        ":" in credentials or bool(credentials and scheme.startswith("http")) or re.search(r"\?.*=", rest) is not None
    )


def _shown_or_hidden(text: str, kind: re.Pattern[str]) -> str:
    """Show a text that is wholly of a kind, and hide any other."""
    return text if kind.fullmatch(text) else HIDDEN
