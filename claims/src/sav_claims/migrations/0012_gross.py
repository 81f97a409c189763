"""What a purchase costs its buyer, including VAT."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute("ALTER TABLE parts_order ADD COLUMN gross numeric")


def downgrade() -> None:
    op.execute("ALTER TABLE parts_order DROP COLUMN gross")
