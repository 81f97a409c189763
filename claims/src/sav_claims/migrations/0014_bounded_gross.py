"""What a purchase costs is kept like every other amount."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("ALTER TABLE parts_order ALTER COLUMN gross TYPE numeric(15, 3)")


def downgrade() -> None:
    op.execute("ALTER TABLE parts_order ALTER COLUMN gross TYPE numeric")
