"""Which schemas a registry's sessions look in, and whether others could have put something there.

What a name means is decided by the search_path: a function of somebody else's that fits better than PostgreSQL's own
would be run with the rights of whoever runs the registry. So our sessions look in the registry's schema and pgvector's
alone, and only where nobody but their owner, the database's and superusers can put anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg.rows import dict_row

OWN = "registry"  # the schema of a new registry
SHARED = "public"  # where pgvector is installed, as on most servers, so that backups fit there
LASTING_TABLES = {"registry", "speaker_number"}  # at every revision; what knows a registry by
# A night's transaction takes its time; who wants limits says so in the URL's options.
PATIENCE = (
    "statement_timeout",
    "lock_timeout",
    "transaction_timeout",
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
)
PATH = "SELECT pg_catalog.current_schemas(false)::pg_catalog.text[]"  # nothing in it can be anybody else's
FACTS = """
    WITH tables AS (
        SELECT n.nspname::text AS schema, c.relname::text AS name
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p') AND NOT EXISTS (
            SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
    SELECT ARRAY(SELECT schema FROM tables WHERE name = ANY(%(tables)s)
                 GROUP BY schema HAVING count(*) = cardinality(%(tables)s) ORDER BY schema) AS holding,
           ARRAY(SELECT DISTINCT schema FROM tables WHERE schema = ANY(%(path)s)) AS occupied,
           ARRAY(SELECT nspname::text FROM pg_namespace WHERE NOT has_schema_privilege(oid, 'USAGE')) AS closed,
           EXISTS (SELECT FROM pg_namespace WHERE nspname = %(own)s) AS has_own,
           has_database_privilege(current_database(), 'CREATE') AS may_create,
           coalesce(
               (SELECT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                WHERE e.extname = 'vector'),
               (SELECT nspname::text FROM pg_namespace
                WHERE nspname = %(shared)s AND has_schema_privilege(oid, 'CREATE'))) AS of_vector,
           EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') AS has_vector,
           (SELECT datdba::regrole::text = quote_ident(current_user) FROM pg_database
            WHERE datname = current_database()) AS owns_database,
           ARRAY(SELECT name FROM pg_settings WHERE name = ANY(%(patience)s) AND source <> 'client') AS limits
"""
# Whom we trust: ourselves, superusers, the database's owner, and roles that we act for as a member.
INTRUSIONS = """
    WITH trusted AS (
        SELECT oid FROM pg_roles r
        WHERE rolsuper OR rolname = current_user OR rolname = 'pg_database_owner'
            OR oid = (SELECT datdba FROM pg_database WHERE datname = current_database())
            OR pg_has_role(current_user, oid, 'USAGE')
               AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)),
    path AS (SELECT * FROM pg_namespace WHERE nspname = ANY(%(path)s)),
    held AS (
        SELECT 1 AS rank, format('the schema %%I', nspname) AS what, nspowner AS owner,
               format('ALTER SCHEMA %%I OWNER TO', nspname) AS way_out FROM path
        UNION ALL SELECT 3, format('the relation %%I.%%I', nspname, relname), relowner, NULL
            FROM pg_class JOIN path ON path.oid = relnamespace WHERE nspname = %(home)s AND relkind <> 'i'
        UNION ALL SELECT 4, format('the function %%I.%%I', nspname, proname), proowner, NULL
            FROM pg_proc JOIN path ON path.oid = pronamespace
        UNION ALL SELECT 4, format('the operator %%I.%%s', nspname, oprname), oprowner, NULL
            FROM pg_operator JOIN path ON path.oid = oprnamespace
        UNION ALL SELECT 4, format('the type %%I.%%I', nspname, typname), typowner, NULL
            FROM pg_type JOIN path ON path.oid = typnamespace WHERE typrelid = 0 AND typelem = 0
        UNION ALL
        SELECT 4, format('the function of the trigger %%I on %%I.%%I', tgname, nspname, relname), proowner, NULL
            FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN path ON path.oid = relnamespace
            JOIN pg_proc ON pg_proc.oid = tgfoid WHERE nspname = %(home)s),
    granted AS (
        SELECT 2 AS rank, grantee, format('create things in the schema %%I', nspname) AS deed,
               format('CREATE ON SCHEMA %%I', nspname) AS privilege
        FROM path, aclexplode(coalesce(nspacl, acldefault('n', nspowner)))
        WHERE privilege_type = 'CREATE' AND grantee <> nspowner
        UNION ALL
        SELECT DISTINCT 5, grantee, format('put triggers or keys on tables of the schema %%I', nspname),
               format('TRIGGER, REFERENCES ON ALL TABLES IN SCHEMA %%I', nspname)
        FROM pg_class JOIN path ON path.oid = relnamespace, aclexplode(relacl)
        WHERE nspname = %(home)s AND privilege_type IN ('TRIGGER', 'REFERENCES') AND grantee <> relowner)
    SELECT rank, format('%%s belongs to %%s', what, owner::regrole),
           coalesce(way_out, 'DROP it, or ALTER it ... OWNER TO') || ' the owner of the database'
    FROM held WHERE owner NOT IN (SELECT oid FROM trusted)
    UNION ALL
    SELECT rank, format('%%s may %%s', role, deed), format('REVOKE %%s FROM %%s', privilege, role)
    FROM granted, LATERAL (SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS role) named
    WHERE grantee NOT IN (SELECT oid FROM trusted)
    ORDER BY 1, 2, 3
"""


@dataclass(frozen=True)
class Facts:
    """What a database is like for one role."""

    path: Sequence[str] = ()  # the schemas of the role's own search_path that are there
    is_named: bool = False  # whether the URL says that search_path
    holding: Sequence[str] = ()  # schemas with a registry's tables, on the path or off it
    occupied: Sequence[str] = ()  # those of the path with tables of any kind
    closed: Sequence[str] = ()  # schemas that the role may not use
    has_own: bool = False  # whether there is a schema called as ours
    may_create: bool = False  # whether the role may make schemas
    of_vector: str | None = None  # pgvector's schema, if it is installed; else where it may be, if not in ours
    has_vector: bool = False
    owns_database: bool = False
    limits: Sequence[str] = ()  # timeouts that the server, the database or the role prescribes

    @property
    def home(self) -> str | None:
        """The registry's schema, or where a new one is to be made; None where there is no place for it.

        A registry stays where it stands. A new one has a schema of its own, unless the URL names another, or the role's
        path leads to tables of something else: these are to be refused, not joined.
        """
        candidates = self.path if self.is_named else [OWN, *self.path]
        standing = next((schema for schema in candidates if schema in self.holding), None)
        first = self.path[0] if self.path else None
        if standing or self.is_named or first in self.occupied:
            return standing or first
        return OWN if self.has_own or self.may_create else first

    @property
    def is_unmade(self) -> bool:
        """Tell whether the registry's schema is still to be made."""
        return self.home == OWN and not self.has_own

    @property
    def is_hidden(self) -> bool:
        """Tell whether people who connect would not find the registry, and we may see to it that they do."""
        return self.home == OWN and OWN not in self.path and not self.is_named and self.owns_database

    @property
    def looked_in(self) -> list[str]:
        """The schemas that our sessions look in, beside PostgreSQL's own.

        Temporary tables are ours alone, but were looked for first: they come after the registry's, so that none hides
        one of those, and before pgvector's, where other programs' tables may be.
        """
        if self.home is None:
            return []
        return list(dict.fromkeys(schema for schema in (self.home, "pg_temp", self.of_vector) if schema))


@dataclass(frozen=True)
class Intrusion:
    """Something by which others could have our commands run what is theirs."""

    words: str
    way_out: str


def look(connection: psycopg.Connection[Any]) -> Facts:
    """Look at a database as a role that has just connected; from then on, this session sees PostgreSQL's own only."""
    (path,) = connection.execute(PATH).fetchone() or ([],)
    said = connection.execute(
        "SELECT source FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) 'search_path'"
    )
    (source,) = said.fetchone() or ("",)
    connection.execute("SET search_path = pg_catalog, pg_temp")
    asked = {"tables": sorted(LASTING_TABLES), "path": path, "own": OWN, "shared": SHARED, "patience": list(PATIENCE)}
    found = connection.cursor(row_factory=dict_row).execute(FACTS, asked).fetchone() or {}
    facts = Facts(path=path, is_named=source == "client", **found)
    may_be_shared = facts.has_vector or not facts.of_vector or _is_safe(connection, facts.of_vector)
    return facts if may_be_shared else replace(facts, of_vector=None)


def intrusions(connection: psycopg.Connection[Any], facts: Facts) -> list[Intrusion]:
    """List what others have put, or could put, into the schemas that are looked in; the gravest first."""
    asked = {"path": facts.looked_in, "home": facts.home}
    return [Intrusion(words, way_out) for _, words, way_out in connection.execute(INTRUSIONS, asked)]


def _is_safe(connection: psycopg.Connection[Any], schema: str) -> bool:
    """Tell whether nobody else can put things into a schema, or has."""
    return not connection.execute(INTRUSIONS, {"path": [schema], "home": None}).fetchone()


def as_setting(connection: psycopg.Connection[Any], schemas: Sequence[str]) -> str:
    """Write a search_path as PostgreSQL does itself."""
    quoted = "SELECT array_to_string(ARRAY(SELECT quote_ident(name) FROM unnest(%s::text[]) name), ', ')"
    (setting,) = connection.execute(quoted, [list(schemas)]).fetchone() or ("",)
    return str(setting)
