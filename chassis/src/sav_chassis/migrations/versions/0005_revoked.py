"""Revoked sessions and users: their tokens issued before `not_before` are refused."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("CREATE TABLE revoked (subject uuid PRIMARY KEY, not_before timestamptz NOT NULL)")


def downgrade() -> None:
    op.execute("DROP TABLE revoked")
