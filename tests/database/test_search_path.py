"""Where a registry is looked for and made, told from what its database holds."""

import pytest

from registry.database.search_path import Facts

COMMON = {"path": ["public"], "may_create": True, "of_vector": "public"}


@pytest.mark.parametrize(
    ("facts", "home"),
    [
        ({}, "registry"),
        ({"holding": ["public"], "occupied": ["public"]}, "public"),
        ({"holding": ["public", "registry"], "occupied": ["public"], "has_own": True}, "registry"),
        ({"holding": ["voices"]}, "registry"),
        ({"occupied": ["public"]}, "public"),
        ({"may_create": False}, "public"),
        ({"may_create": False, "has_own": True}, "registry"),
        ({"may_create": False, "path": []}, None),
        ({"path": ["voices", "public"], "is_named": True}, "voices"),
        ({"path": ["voices", "public"], "is_named": True, "holding": ["public"]}, "public"),
        ({"path": [], "is_named": True}, None),
    ],
    ids=[
        "a new one has its own schema",
        "an old one stays in public",
        "the own schema comes first",
        "what is off the path is not taken",
        "tables of something else are not joined",
        "without the right to make a schema it is the first of the path",
        "a schema that was made for it will do",
        "no place at all",
        "the URL names it",
        "the URL names where it stands",
        "the URL names what is not there",
    ],
)
def test_the_home_of_a_registry(facts: dict[str, object], home: str | None) -> None:
    assert Facts(**(COMMON | facts)).home == home  # type: ignore[arg-type]


def test_sessions_look_in_the_registry_then_in_their_own_tables_then_where_pgvector_is() -> None:
    assert Facts(path=["a", "b"], has_own=True, of_vector="extensions").looked_in == [
        "registry",
        "pg_temp",
        "extensions",
    ]
    assert Facts(path=["public"], holding=["public"], of_vector="public").looked_in == ["public", "pg_temp"]
    assert Facts().looked_in == []
