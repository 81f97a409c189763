"""Phones and addresses of clients."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute(
        """ALTER TABLE client
            ADD COLUMN phones json NOT NULL DEFAULT '[]', ADD COLUMN addresses json NOT NULL DEFAULT '[]'"""
    )


def downgrade() -> None:
    op.execute("ALTER TABLE client DROP COLUMN phones, DROP COLUMN addresses")
