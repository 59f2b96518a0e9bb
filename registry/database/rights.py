"""What people may do with the views and functions, kept while these are made anew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

# Everything that stands has a row, and one more for every right that somebody was granted on it.
RIGHTS = """
    WITH thing AS (
        SELECT format('TABLE %I', relname) AS name, NULL::name AS part, relowner AS owner,
               coalesce(relacl, acldefault('r', relowner)) AS granted
        FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname = current_schema() AND relkind = 'v' AND relname = ANY(:views)
        UNION ALL
        SELECT format('TABLE %I', relname), attname, relowner, attacl
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
        WHERE nspname = current_schema() AND relkind = 'v' AND relname = ANY(:views)
        UNION ALL
        SELECT format('FUNCTION %s', p.oid::regprocedure), NULL, proowner, coalesce(proacl, acldefault('f', proowner))
        FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
        WHERE nspname = current_schema() AND proname = ANY(:functions))
    SELECT name, part, quote_ident(pg_get_userbyid(owner)),
           privilege_type || coalesce(' (' || quote_ident(part) || ')', ''),
           CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END, is_grantable
    FROM thing LEFT JOIN LATERAL aclexplode(granted) ON true
"""


# What people set of a view: security_invoker, say, by which it shows nobody more than the tables below would.
OPTIONS = """
    SELECT format('TABLE %I', relname), option
    FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace, unnest(reloptions) option
    WHERE nspname = current_schema() AND relkind = 'v' AND relname = ANY(:views)
"""


@dataclass(frozen=True)
class Right:
    """Something that a role may do, in the words of GRANT."""

    thing: str  # TABLE clips
    part: str | None  # the column, of a right on one column
    privilege: str  # SELECT, or SELECT (number)
    role: str
    may_grant: bool

    @property
    def grant(self) -> str:
        """The statement that gives it."""
        option = " WITH GRANT OPTION" if self.may_grant else ""
        return f"GRANT {self.privilege} ON {self.thing} TO {self.role}{option}"

    @property
    def revoke(self) -> str:
        """The statement that takes it."""
        return f"REVOKE {self.privilege} ON {self.thing} FROM {self.role}"


@dataclass(frozen=True)
class Rights:
    """Whose the views and functions are, and who may do what with them."""

    owners: Mapping[str, str]  # thing -> role
    parts: frozenset[tuple[str, str | None]]  # all things, and all columns of them
    granted: frozenset[Right]
    options: frozenset[tuple[str, str]]  # view and option: TABLE clips, security_invoker=true


def rights(connection: Connection, views: Sequence[str], functions: Sequence[str]) -> Rights:
    """Look up the rights on those of the views and functions that stand."""
    rows = list(connection.execute(text(RIGHTS), {"views": list(views), "functions": list(functions)}))
    granted = (Right(thing, part, privilege, role, may) for thing, part, _, privilege, role, may in rows if privilege)
    options = connection.execute(text(OPTIONS), {"views": list(views)})
    return Rights(
        {thing: owner for thing, _, owner, *_ in rows},
        frozenset((row[0], row[1]) for row in rows),
        frozenset(granted),
        frozenset((thing, option) for thing, option in options),
    )


def changes_of_options(now: Rights, before: Rights) -> list[str]:
    """Give the statements by which views have the options that they had before."""
    lost = sorted(before.options - now.options)
    return [f"ALTER {thing.replace('TABLE', 'VIEW', 1)} SET ({option})" for thing, option in lost]


def changes_of_owner(now: Rights, before: Rights) -> list[str]:
    """Give the statements by which everything belongs to whom it did before."""
    changed = {thing: owner for thing, owner in before.owners.items() if now.owners.get(thing, owner) != owner}
    return [f"ALTER {thing} OWNER TO {owner}" for thing, owner in changed.items()]


def changes_of_grants(now: Rights, before: Rights) -> list[str]:
    """Give the statements by which roles may do what they could before, and no more.

    What did not stand before keeps the rights that new things have.
    """
    gained = [right.revoke for right in now.granted - before.granted if right.thing in before.owners]
    lost = [right.grant for right in before.granted - now.granted if (right.thing, right.part) in now.parts]
    return sorted(gained) + sorted(lost)
