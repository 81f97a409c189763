"""Visits that have ended: no appointment is for them."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("CREATE TABLE ended_visit (id uuid PRIMARY KEY)")
    op.execute(
        """INSERT INTO ended_visit SELECT id FROM view WHERE kind = 'intervention' AND NOT open
        ON CONFLICT DO NOTHING"""
    )


def downgrade() -> None:
    op.execute("DROP TABLE ended_visit")
