"""Clients without an e-mail address."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("ALTER TABLE account ALTER email DROP NOT NULL")


def downgrade() -> None:
    op.execute("UPDATE account SET email = id::text WHERE email IS NULL")
    op.execute("ALTER TABLE account ALTER email SET NOT NULL")
