"""The place of a visit, as its réclamation said."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("ALTER TABLE intervention ADD COLUMN place json")


def downgrade() -> None:
    op.execute("ALTER TABLE intervention DROP COLUMN place")
