"""Addresses as messages and the journal show them: scheme, user, host, port and path by name, and nothing else.

What is shown is listed, not what is hidden: so a parameter that nobody here knows to be a secret is hidden too.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://.*", re.DOTALL)  # a password may hold spaces and quotes
HIDDEN = "***"
PORT = re.compile(r"[\d,]*")
USER = re.compile(r"[\w.%+~-]*")
HOST = re.compile(r"[\w.,%-]*(:\d*)?|\[[0-9a-fA-F:.]*\](:\d*)?")


def shown_url(url: str) -> str:
    """Show any URL, also a malformed one: rather too much is hidden than too little.

    Args:
        url: SCHEME://[USER[:PASSWORD]@]HOST[:PORT][/PATH][?...]
    """
    scheme, _, rest = url.partition("://")
    first = rest.partition("/")[0]
    has_none = HOST.fullmatch(first) and not scheme.startswith("postgres")  # else an @ further on is one of the path
    credentials, at, place = ("", "", rest) if has_none else rest.rpartition("@")  # a password may hold any character
    host, slash, path = place.partition("?")[0].partition("#")[0].partition("/")
    user, colon, _ = credentials.partition(":")
    whom = _if_it_is_one(user, USER) + (f":{HIDDEN}" if colon else "")
    where = f"{host}{slash}{shown_text(path)}" if HOST.fullmatch(host) else HIDDEN  # a path may hold a URL too
    return f"{scheme}://{whom}{at}{where}"


def shown_database(address: Mapping[str, object]) -> str:
    """Show the address of a PostgreSQL database, given as libpq reads it."""
    host, port, user, name = (str(address.get(key) or "") for key in ("host", "port", "user", "dbname"))
    whom = quote(user) + (f":{HIDDEN}" if address.get("password") else "")
    is_socket = host.startswith("/")
    place = "" if is_socket else f"[{host}]" if ":" in host else host
    parameters = f"?host={host}" if is_socket else ""
    return f"postgresql://{whom}{'@' if whom else ''}{place}{f':{port}' if port else ''}/{quote(name)}{parameters}"


def is_plain(address: Mapping[str, object]) -> bool:
    """Tell whether libpq read an address as it was meant; of a / or @ in a password it makes port, name, or host."""
    has_at = any("@" in str(address.get(key) or "") for key in ("host", "dbname"))
    return PORT.fullmatch(str(address.get("port") or "")) is not None and not has_at


def shown_text(text: str) -> str:
    """Show a text with the URLs in it; where a URL ends in it nobody can tell, so the rest is shown as a part of it."""
    return URL.sub(lambda found: shown_url(found[0]), text)


def holds_secret(url: str) -> bool:
    """Tell whether a URL holds what may be a secret: a password, a token in the place of a user, a query."""
    scheme, _, rest = url.partition("://")
    credentials, _, _ = rest.partition("/")[0].rpartition("@")
    return (
        ":" in credentials or bool(credentials and scheme.startswith("http")) or re.search(r"\?.*=", rest) is not None
    )


def _if_it_is_one(text: str, kind: re.Pattern[str]) -> str:
    return text if kind.fullmatch(text) else HIDDEN
