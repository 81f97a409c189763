"""What the buyer agreed to where an invoice keeps to no estimate."""

from alembic import op

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.execute("ALTER TABLE invoice ADD unestimated json")


def downgrade() -> None:
    op.execute("ALTER TABLE invoice DROP unestimated")
