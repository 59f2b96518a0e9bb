"""The function behind the triggers looks in the registry's schema alone, whoever writes to the tables.

It was run with the search_path of the session, in which another user of the database may have put functions.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    quoted = sa.text("SELECT quote_ident(current_schema())")
    home = op.get_bind().execute(quoted).scalar_one()
    op.execute(f"ALTER FUNCTION keep_totals() SET search_path = {home}, pg_temp")
